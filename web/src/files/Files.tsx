import { lazy, Suspense, useState } from 'react';
import { say } from '../store/store';
import { strings } from '../strings';
import { openDialog } from '../ui/dialog';
import { explain } from '../ui/explain';
import { Icon } from '../ui/Icon';
import type { File as Sent } from '../wire';
import { playable, Recording } from './Player';
import { drawnSize, kindText, sizeText } from './sizes';
import { download, fileUrl, thumbnailUrl, useTicket } from './ticket';

const Lightbox = lazy(() => import('./Lightbox'));
const SealedFiles = lazy(() => import('../e2ee/SealedFiles'));

/** The files of a message: pictures to look at, the others to keep. */
export function Files({ files }: { files: Sent[] }) {
  const sealed = files.flatMap((file) => file.sealed ?? []);
  if (sealed.length) return <Suspense fallback={<div className="files" />}><SealedFiles files={sealed} /></Suspense>;
  const pictures = files.filter(isPicture);
  const others = files.filter((file) => !isPicture(file));
  const open = (at: number) => openDialog(<Suspense><Lightbox pictures={pictures} first={at} /></Suspense>);
  return (
    <div className="files">
      {pictures.length > 0 && (
        <ul className={pictures.length > 1 ? 'pictures pictures-many' : 'pictures'}>
          {pictures.map((file, at) => <li key={file.id}><Picture file={file} alone={pictures.length === 1} onOpen={() => open(at)} /></li>)}
        </ul>
      )}
      {others.map((file) => {
        const kind = file.encrypted ? null : playable(file.media_type);
        return kind ? <Recording key={file.id} file={file} kind={kind} /> : <Keep key={file.id} file={file} onKeep={() => keep(file)} />;
      })}
    </div>
  );
}

const SHOWN = /^image\/(?:png|jpeg|gif|webp|avif)$/;
/** A larger picture is not fetched unasked where there is no small one of it. */
const SHOWN_MAX = 12_000_000;

function isPicture({ thumbnail, media_type, size, encrypted }: Sent): boolean {
  return !encrypted && (thumbnail || (SHOWN.test(media_type) && size <= SHOWN_MAX));
}

interface PictureProps {
  file: Sent;
  alone: boolean;
  onOpen: () => void;
}

/** A picture has its place before it is there, so that nothing jumps. */
function Picture({ file, alone, onOpen }: PictureProps) {
  const { ticket, refused } = useTicket();
  // A small one that cannot be had (any more) is stood in for by the whole, unless that is too much.
  const [small, setSmall] = useState(file.thumbnail);
  const whole = file.size <= SHOWN_MAX;
  const size = alone ? drawnSize(file.width ?? 0, file.height ?? 0) : { width: 168, height: 168 };
  return (
    <button type="button" className="picture" aria-label={strings.openPicture(file.name)} title={file.name} onClick={onOpen}>
      {ticket && (small || whole)
        ? <img src={small ? thumbnailUrl(file.id, ticket) : fileUrl(file.id, file.name, ticket)} width={size.width} height={size.height} alt="" decoding="async" draggable={false}
            onError={() => { if (!refused()) setSmall(false); }} />
        : <Blank {...size} />}
    </button>
  );
}

function Blank({ width, height }: { width: number; height: number }) {
  return <svg className="picture-blank" width={width} height={height} aria-hidden="true" />;
}

function keep(file: Sent): void {
  download(file.id, file.name).catch((error) => say(explain(error), true));
}

/** A file that is not shown in place, to be kept. */
export function Keep({ file, onKeep }: { file: { name: string; media_type: string; size: number }; onKeep: () => void }) {
  return (
    <button type="button" className="keep" title={strings.downloadIt} onClick={onKeep}>
      <span className="tray-kind" aria-hidden="true">{kindText(file.name, file.media_type)}</span>
      <span className="tray-text">
        <span className="hidden">{strings.downloadIt}</span>
        <bdi className="tray-name">{file.name}</bdi>
        <span className="tray-about">{sizeText(file.size)}</span>
      </span>
      <Icon name="download" size={18} />
    </button>
  );
}
