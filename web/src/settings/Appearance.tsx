import { setLook, useLook, type Look } from '../shell/prefs';
import { strings } from '../strings';
import { Choice } from '../ui/controls';

export function Appearance() {
  const theme = useLook((state) => state.theme);
  const density = useLook((state) => state.density);
  return (
    <div className="form">
      <Choice legend={strings.theme} name="theme" value={theme} options={Object.entries(strings.themes)}
        onChange={(value) => setLook({ theme: value as Look['theme'] })} />
      <Choice legend={strings.density} name="density" value={density} options={Object.entries(strings.densities)}
        onChange={(value) => setLook({ density: value as Look['density'] })} />
      <p className="quiet">{strings.motionHint}</p>
    </div>
  );
}
