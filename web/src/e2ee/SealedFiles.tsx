import { useEffect, useState } from 'react';
import { Keep } from '../files/Files';
import { Media, playable, Player, type Kind } from '../files/Player';
import { drawnSize, sizeText } from '../files/sizes';
import { say } from '../store/store';
import { strings } from '../strings';
import { IconButton } from '../ui/controls';
import { closeDialog, Dialog, openDialog } from '../ui/dialog';
import { Icon } from '../ui/Icon';
import '../files/lightbox.css';
import { isShown, keepSealed, urlOf } from './files';
import type { SealedFile } from './types';
import { words } from './words';

/** The files of a message that came sealed: fetched as octets, and opened here. */
export default function SealedFiles({ files }: { files: SealedFile[] }) {
  const pictures = files.filter(isShown);
  const others = files.filter((file) => !isShown(file));
  return (
    <div className="files">
      {pictures.length > 0 && (
        <ul className={pictures.length > 1 ? 'pictures pictures-many' : 'pictures'}>
          {pictures.map((file) => <li key={file.id}><Picture file={file} alone={pictures.length === 1} /></li>)}
        </ul>
      )}
      {others.map((file) => {
        const kind = playable(file.media_type);
        return kind ? <Recording key={file.id} file={file} kind={kind} /> : <Keep key={file.id} file={file} onKeep={() => keep(file)} />;
      })}
    </div>
  );
}

function useUrl(file: Parameters<typeof urlOf>[0]): { url: string | null; failed: boolean } {
  const [url, setUrl] = useState<string | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let stale = false;
    urlOf(file).then((found) => !stale && setUrl(found), () => !stale && setFailed(true));
    return () => {
      stale = true;
    };
  }, [file.id]);
  return { url, failed };
}

const WHOLE_MAX = 12_000_000;

function Picture({ file, alone }: { file: SealedFile; alone: boolean }) {
  const small = file.thumbnail ?? (file.size <= WHOLE_MAX ? file : null);
  const size = alone ? drawnSize(file.width ?? 0, file.height ?? 0) : { width: 168, height: 168 };
  return (
    <button type="button" className="picture" aria-label={strings.openPicture(file.name)} title={file.name} onClick={() => openDialog(<Large file={file} />)}>
      {small ? <Drawn file={small} {...size} /> : <Blank {...size} />}
    </button>
  );
}

function Drawn({ file, width, height }: { file: Parameters<typeof urlOf>[0]; width: number; height: number }) {
  const { url } = useUrl(file);
  return url ? <img src={url} width={width} height={height} alt="" decoding="async" draggable={false} /> : <Blank width={width} height={height} />;
}

function Blank({ width, height }: { width: number; height: number }) {
  return <svg className="picture-blank" width={width} height={height} aria-hidden="true" />;
}

function keep(file: SealedFile): void {
  keepSealed(file).catch(() => say(words.fileBroken, true));
}

/** A film or a sound, opened as a whole before it plays. */
function Recording({ file, kind }: { file: SealedFile; kind: Kind }) {
  return <Player name={file.name} size={file.size} kind={kind} onKeep={() => keep(file)} media={(fail) => <Opened file={file} kind={kind} onFail={fail} />} />;
}

function Opened({ file, kind, onFail }: { file: SealedFile; kind: Kind; onFail: (why?: string) => void }) {
  const { url, failed } = useUrl(file);
  useEffect(() => {
    if (failed) onFail(words.fileBroken);
  }, [failed]);
  return <Media name={file.name} kind={kind} src={url ?? undefined} onError={() => onFail()} />;
}

function Large({ file }: { file: SealedFile }) {
  const { url, failed } = useUrl(file);
  const [loaded, setLoaded] = useState(false);
  return (
    <Dialog title={file.name} className="lightbox" bare>
      <div className="lightbox-inside" onClick={(event) => event.target === event.currentTarget && closeDialog()}>
        <header className="lightbox-head">
          <p><bdi>{file.name}</bdi> <span>{sizeText(file.size)}</span></p>
          <IconButton icon="download" label={strings.downloadIt} onClick={() => keep(file)} />
          <IconButton icon="close" label={strings.close} onClick={closeDialog} autoFocus />
        </header>
        {failed && <p className="form-error" role="alert"><Icon name="alert" size={16} /> {words.fileBroken}</p>}
        {url && <img src={url} alt={file.name} className="lightbox-picture" data-loaded={loaded || undefined} onLoad={() => setLoaded(true)} />}
      </div>
    </Dialog>
  );
}
