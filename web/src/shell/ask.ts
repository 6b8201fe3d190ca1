import { createElement, type FunctionComponent } from 'react';
import { say } from '../store/store';
import { strings } from '../strings';
import { openDialog } from '../ui/dialog';

type Dialogs = typeof import('../sessions/dialogs');

let loaded: Dialogs | null = null;

async function load(): Promise<Dialogs> {
  loaded = await import('../sessions/dialogs');
  return loaded;
}

/** Opens one of the dialogs that are loaded late. */
export function ask<Name extends keyof Dialogs>(name: Name, ...given: Parameters<Dialogs[Name]>): void {
  const open = (dialogs: Dialogs) => openDialog(createElement(dialogs[name] as FunctionComponent<object>, given[0]));
  // At once where they are there: whoever types on types into the dialog.
  if (loaded) open(loaded);
  else load().then(open, () => say(strings.offline, true));
}

const CALM_MS = 3_000;

/** Loads them when the page has been calm for a moment, so that they open at once, and without a server. */
export function loadDialogs(): void {
  setTimeout(() => void load().catch(() => {}), CALM_MS);
}
