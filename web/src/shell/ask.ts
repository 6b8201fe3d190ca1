import { createElement, type FunctionComponent } from 'react';
import { say } from '../store/store';
import { strings } from '../strings';
import { openDialog } from '../ui/dialog';

const load = () => import('../sessions/dialogs');
type Dialogs = Awaited<ReturnType<typeof load>>;

/** Opens one of the dialogs that are loaded late. */
export function ask<Name extends keyof Dialogs>(name: Name, ...given: Parameters<Dialogs[Name]>): void {
  load().then((dialogs) => openDialog(createElement(dialogs[name] as FunctionComponent<object>, given[0])), () => say(strings.offline, true));
}

const CALM_MS = 3_000;

/** Loads them when the page has been calm for a moment, so that they open at once, and without a server. */
export function loadDialogs(): void {
  setTimeout(() => void load().catch(() => {}), CALM_MS);
}
