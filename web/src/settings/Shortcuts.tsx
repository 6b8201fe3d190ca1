import { BINDINGS } from '../shell/keymap';
import { setLook, useLook } from '../shell/prefs';
import { strings } from '../strings';
import { Switch } from '../ui/controls';

const PLACES = ['Anywhere', 'In the messages', 'In the field'] as const;

export function Shortcuts() {
  const singleKeys = useLook((state) => state.singleKeys);
  return (
    <>
      <Switch label={strings.singleKeys} hint={strings.singleKeysHint} on={singleKeys}
        onChange={(on) => setLook({ singleKeys: on })} />
      {PLACES.map((place) => (
        <section key={place} className="keys">
          <h3>{place}</h3>
          <dl>
            {BINDINGS.filter((binding) => binding.where === place).map(({ keys, what }) => (
              <div key={what} className="keys-row">
                <dt>{what}</dt>
                <dd>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </>
  );
}
