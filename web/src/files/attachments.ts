import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { SealedFile } from '../e2ee/types';
import { Upload, type UploadOwner } from '../net/upload';
import { ApiError } from '../net/http';
import { strings } from '../strings';
import { isSealedSession } from '../store/sealed';
import { say } from '../store/store';
import { explain } from '../ui/explain';

/** A file that goes with the next message. */
export interface Attachment {
  key: number;
  name: string;
  size: number;
  type: string;
  /** What it looks like, where a browser can tell. */
  preview: string | null;
  state: 'queued' | 'sending' | 'waiting' | 'done' | 'failed';
  sent: number;
  id: string | null;
  error: string | null;
  /** How to open it, where the server cannot. */
  sealed?: SealedFile;
}

export const FILES_MAX = 10;
const AT_ONCE = 3;
const SHOWN = /^image\/(?:png|jpeg|gif|webp|avif)$/;
const NONE: Attachment[] = [];

/** By place, a session or a thread: what goes with the next message there. */
const places = createStore<Record<string, Attachment[]>>(() => ({}));
const sources = new Map<number, File>();
const uploads = new Map<number, Upload>();
let keys = 0;

export function useAttachments(place: string): Attachment[] {
  return useStore(places, (state) => state[place] ?? NONE);
}

export function attachmentsOf(place: string): Attachment[] {
  return places.getState()[place] ?? NONE;
}

function change(place: string, key: number, by: Partial<Attachment>): void {
  places.setState((state) => ({
    ...state, [place]: (state[place] ?? []).map((one) => (one.key === key ? { ...one, ...by } : one)),
  }));
}

/** Begins to send files. */
export function attach(place: string, files: File[]): void {
  const held = places.getState()[place] ?? [];
  const room = FILES_MAX - held.length;
  if (files.length > room) say(strings.tooManyFiles(FILES_MAX), true);
  const added = files.slice(0, Math.max(0, room)).map((file): Attachment => {
    keys += 1;
    sources.set(keys, file);
    const preview = SHOWN.test(file.type) ? URL.createObjectURL(file) : null;
    return { key: keys, name: file.name || strings.pastedName, size: file.size, type: file.type, preview, state: 'queued', sent: 0, id: null, error: null };
  });
  places.setState({ [place]: [...held, ...added] });
  next(place);
}

/** A few at once; the others wait for their turn. */
function next(place: string): void {
  const list = places.getState()[place] ?? [];
  let free = AT_ONCE - list.filter(({ state }) => state === 'sending' || state === 'waiting').length;
  for (const one of list) {
    if (free <= 0) return;
    if (one.state !== 'queued') continue;
    free -= 1;
    void send(place, one);
  }
}

/** A file for a session that only its readers can open leaves this browser sealed. */
async function sendSealed(place: string, key: number, owner: UploadOwner): Promise<void> {
  const { uploadSealed } = await import('../e2ee/files');
  const file = sources.get(key);
  if (!file) return;
  const sealed = await uploadSealed(file, file.name || strings.pastedName, owner, (upload) => uploads.set(key, upload));
  change(place, key, { state: 'done', id: sealed.id, sealed, sent: file.size });
}

async function send(place: string, { key, name }: Attachment): Promise<void> {
  const owner: UploadOwner = {
    progress: (sent) => change(place, key, { state: 'sending', sent }),
    waiting: () => change(place, key, { state: 'waiting' }),
  };
  change(place, key, { state: 'sending', error: null });
  try {
    if (isSealedSession(place)) return await sendSealed(place, key, owner);
    const upload = new Upload(sources.get(key)!, name, owner);
    uploads.set(key, upload);
    const id = await upload.start();
    change(place, key, { state: 'done', id, sent: sources.get(key)?.size ?? 0 });
  } catch (error) {
    if (!(error instanceof ApiError && error.code === 'cancelled')) change(place, key, { state: 'failed', error: explain(error) });
  } finally {
    uploads.delete(key);
    next(place);
  }
}

export function retry(place: string, key: number): void {
  const running = uploads.get(key);
  if (running) return running.now();
  change(place, key, { state: 'queued', error: null });
  next(place);
}

/** Takes a file away again; what the server has of it, too. */
export function detach(place: string, key: number): void {
  uploads.get(key)?.cancel();
  const gone = places.getState()[place]?.find((one) => one.key === key);
  if (gone?.id) void fetch(`/api/v1/files/${gone.id}`, { method: 'DELETE' }).catch(() => {});
  forget(place, [key]);
  next(place);
}

function forget(place: string, gone: number[]): void {
  const list = places.getState()[place] ?? [];
  for (const one of list) {
    if (!gone.includes(one.key)) continue;
    if (one.preview) URL.revokeObjectURL(one.preview);
    sources.delete(one.key);
  }
  places.setState({ [place]: list.filter((one) => !gone.includes(one.key)) });
}

/** Somebody else may sign in: nothing of this is theirs. */
export function forgetAll(): void {
  uploads.forEach((upload) => upload.cancel());
  for (const [place, list] of Object.entries(places.getState())) forget(place, list.map(({ key }) => key));
}

/** The ids of what goes with a message that is sent now. The place is empty afterwards. */
export function takeFiles(place: string): { id: string; name: string; sealed?: SealedFile }[] {
  const done = (places.getState()[place] ?? []).filter(({ state, id }) => state === 'done' && id);
  forget(place, done.map(({ key }) => key));
  return done.map(({ id, name, sealed }) => ({ id: id!, name, ...(sealed ? { sealed } : {}) }));
}
