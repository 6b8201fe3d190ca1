import { lazy, Suspense, useEffect } from 'react';
import { Forgot, Register, Reset, SignIn, Verify } from '../auth/screens';
import { PickerHost } from '../emoji/PickerHost';
import { useSealing } from '../store/sealed';
import { useAround } from '../store/store';
import { sync } from '../store/sync';
import { strings } from '../strings';
import { Button } from '../ui/controls';
import { DialogHost } from '../ui/dialog';
import { Mark } from '../ui/Icon';
import { LiveRegion, Toast } from './Told';
import { useCountdown } from './OfflineBar';
import { navigate, paths, useRoute, type Route } from './router';
import { Shell } from './Shell';
import { useShortcuts } from './useShortcuts';
import { useTitle } from './useTitle';

const Asked = lazy(() => import('../e2ee/Compare'));
const Palette = lazy(() => import('../palette/Palette'));

const drawPalette = () => <Suspense><Palette /></Suspense>;

export function App() {
  const gate = useAround((state) => state.gate);
  const route = useRoute();
  const comparing = useSealing((state) => (state.status?.comparing.length ?? 0) > 0);
  useTitle();
  useShortcuts(gate === 'in', drawPalette);
  useLandAfterSignIn(gate === 'in', route);
  return (
    <>
      {gate === 'loading' && <Waiting />}
      {gate === 'unreachable' && <Unreachable />}
      {gate === 'out' && <Door route={route} />}
      {gate === 'in' && !isDoor(route) && <Shell route={route} />}
      <DialogHost />
      {comparing && <Suspense><Asked /></Suspense>}
      <PickerHost />
      <Toast />
      <LiveRegion />
    </>
  );
}

const WANTED = 'parlor.wanted';

function keepWanted(path: string): void {
  sessionStorage.setItem(WANTED, path);
}

function takeWanted(): string | null {
  const path = sessionStorage.getItem(WANTED);
  sessionStorage.removeItem(WANTED);
  return path;
}

function isDoor(route: Route): boolean {
  return ['login', 'register', 'forgot', 'verify', 'reset'].includes(route.at);
}

/** Whoever is signed in has no business at the door. */
function useLandAfterSignIn(signedIn: boolean, route: Route): void {
  const leave = signedIn && isDoor(route);
  useEffect(() => {
    if (leave) navigate(takeWanted() ?? paths.home, true);
  }, [leave]);
}

function Door({ route }: { route: Route }) {
  // Whoever follows a link to a room lands there after signing in, or after making an account.
  useEffect(() => {
    if (route.at === 'room') keepWanted(paths.room(route.room));
  }, [route]);
  switch (route.at) {
    case 'register': return <Register />;
    case 'forgot': return <Forgot />;
    case 'verify': return <Verify email={route.email} code={route.code} />;
    case 'reset': return <Reset email={route.email} code={route.code} />;
    default: return <SignIn />;
  }
}

function Waiting() {
  return <main className="splash" aria-busy="true"><Mark size={48} /><h1 className="hidden">{strings.loading}</h1></main>;
}

function Unreachable() {
  const link = useAround((state) => state.link);
  const seconds = useCountdown(link.at === 'waiting' ? link.until : null);
  return (
    <main className="splash">
      <Mark size={48} />
      <h1>{strings.unreachable}</h1>
      <p className="quiet">{strings.unreachableHint}</p>
      <p className="quiet tabular">{seconds === null ? strings.connecting : strings.tryingIn(seconds)}</p>
      <Button look="primary" onClick={sync.now}>{strings.retryNow}</Button>
    </main>
  );
}
