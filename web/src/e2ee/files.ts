import { fileUrl, freshTicket } from '../files/ticket';
import { ApiError } from '../net/http';
import { Upload, type UploadOwner } from '../net/upload';
import { openFile, sealFile } from './engine/attachments';
import type { FileKey, SealedFile, SealedThumbnail } from './types';
import { words } from './words';

/** Files that leave this browser sealed, and are opened in it. */

/** Sealing wants all of a file in memory. */
export const SEALED_MAX = 100 * 1024 * 1024;
const NAME = 'sealed';
const SHOWN = /^image\/(?:png|jpeg|gif|webp|avif)$/;
const PLAYED = /^(?:audio|video)\/[\w.+-]+$/;
const SMALL_PX = 480;
/** A picture that is small already needs no smaller one. */
const SMALL_BYTES = 60_000;

type Begin = (upload: Upload) => void;

/** Sends a file, and a small picture of it where there may be one. */
export async function uploadSealed(file: File, name: string, owner: UploadOwner, begin: Begin): Promise<SealedFile> {
  if (file.size > SEALED_MAX) throw new ApiError('too_large', words.fileTooLarge, 413);
  const look = SHOWN.test(file.type) ? await lookAt(file).catch(() => null) : null;
  const thumbnail = look?.small ? await sendThumbnail(look.small, begin) : null;
  const { octets, key } = await sealFile(await file.arrayBuffer());
  const id = await send(octets, owner, begin);
  return {
    id, name, key, media_type: file.type || 'application/octet-stream', size: file.size,
    ...(look ? { width: look.width, height: look.height } : {}), ...(thumbnail ? { thumbnail } : {}),
  };
}

function send(octets: ArrayBuffer, owner: UploadOwner, begin: Begin): Promise<string> {
  const upload = new Upload(new Blob([octets]), NAME, owner, true);
  begin(upload);
  return upload.start();
}

interface Small {
  blob: Blob;
  width: number;
  height: number;
}

async function sendThumbnail({ blob, width, height }: Small, begin: Begin): Promise<SealedThumbnail> {
  const { octets, key } = await sealFile(await blob.arrayBuffer());
  const id = await send(octets, { progress: () => {}, waiting: () => {} }, begin);
  return { id, key, media_type: blob.type, size: blob.size, width, height };
}

/** How large a picture is, and a small one of it. */
async function lookAt(file: File): Promise<{ width: number; height: number; small: Small | null }> {
  const picture = await createImageBitmap(file);
  try {
    const { width, height } = picture;
    const scale = Math.min(1, SMALL_PX / Math.max(width, height));
    if (file.size < SMALL_BYTES || scale === 1) return { width, height, small: null };
    const [w, h] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
    const canvas = new OffscreenCanvas(w, h);
    canvas.getContext('2d')!.drawImage(picture, 0, 0, w, h);
    const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.8 });
    return { width, height, small: { blob, width: w, height: h } };
  } finally {
    picture.close();
  }
}

const opened = new Map<string, Promise<string>>();
const OPENED_MAX = 60;

interface Piece {
  id: string;
  key: FileKey;
  media_type: string;
}

/** The address, in this window only, of what a file is. */
export function urlOf(file: Piece): Promise<string> {
  const known = opened.get(file.id);
  if (known) return known;
  const work = open(file).then((blob) => URL.createObjectURL(blob));
  opened.set(file.id, work);
  work.catch(() => opened.delete(file.id));
  if (opened.size > OPENED_MAX) void dropOldest();
  return work;
}

async function dropOldest(): Promise<void> {
  const [id, url] = opened.entries().next().value!;
  opened.delete(id);
  URL.revokeObjectURL(await url.catch(() => ''));
}

/** Nothing but what a browser draws or plays gets its own kind: a page that was sent as a file is none of ours. */
async function open({ id, key, media_type }: Piece): Promise<Blob> {
  const answer = await fetch(fileUrl(id, NAME, await freshTicket()));
  if (!answer.ok) throw new ApiError('not_found', '', answer.status);
  const content = await openFile(await answer.arrayBuffer(), key);
  return new Blob([content], { type: SHOWN.test(media_type) || PLAYED.test(media_type) ? media_type : 'application/octet-stream' });
}

export async function keepSealed(file: SealedFile): Promise<void> {
  const link = document.createElement('a');
  link.href = await urlOf(file);
  link.download = file.name;
  link.click();
}

export function isShown({ media_type }: SealedFile): boolean {
  return SHOWN.test(media_type);
}
