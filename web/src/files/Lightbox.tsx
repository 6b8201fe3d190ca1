import { useEffect, useState, type KeyboardEvent } from 'react';
import { strings } from '../strings';
import { IconButton } from '../ui/controls';
import { closeDialog, Dialog } from '../ui/dialog';
import type { File as Sent } from '../wire';
import { sizeText } from './sizes';
import { download, fileUrl, useTicket } from './ticket';
import './lightbox.css';

/** Pictures as large as they fit, one at a time. */
export default function Lightbox({ pictures, first }: { pictures: Sent[]; first: number }) {
  const [at, setAt] = useState(first);
  const [loaded, setLoaded] = useState(false);
  const { ticket, refused } = useTicket();
  const file = pictures[at]!;
  useEffect(() => setLoaded(false), [at]);
  const go = (step: number) => setAt((at + step + pictures.length) % pictures.length);
  const keys = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step && pictures.length > 1) go(step);
  };
  const url = ticket ? fileUrl(file.id, file.name, ticket) : null;
  return (
    <Dialog title={file.name} className="lightbox" bare>
      <div className="lightbox-inside" onKeyDown={keys} onClick={(event) => event.target === event.currentTarget && closeDialog()}>
        <header className="lightbox-head">
          <p><bdi>{file.name}</bdi> <span>{sizeText(file.size)}{pictures.length > 1 && `, ${strings.pictureOf(at + 1, pictures.length)}`}</span></p>
          <IconButton icon="download" label={strings.downloadIt} onClick={() => void download(file.id, file.name).catch(() => {})} />
          <IconButton icon="close" label={strings.close} onClick={closeDialog} autoFocus />
        </header>
        {url && <img key={file.id} src={url} alt={file.name} className="lightbox-picture" data-loaded={loaded || undefined} onLoad={() => setLoaded(true)} onError={refused} />}
        {pictures.length > 1 && (
          <>
            <IconButton icon="back" size={26} className="lightbox-step lightbox-before" label={strings.pictureBefore} onClick={() => go(-1)} />
            <IconButton icon="back" size={26} className="lightbox-step lightbox-after" label={strings.pictureAfter} onClick={() => go(1)} />
          </>
        )}
      </div>
    </Dialog>
  );
}
