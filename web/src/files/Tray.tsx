import { useRef, type ChangeEvent } from 'react';
import { strings } from '../strings';
import { IconButton } from '../ui/controls';
import { Icon } from '../ui/Icon';
import { attach, detach, retry, useAttachments, type Attachment } from './attachments';
import { kindText, sizeText } from './sizes';

/** What goes with the next message: how far each file is, and a way to take it back. */
export function Tray({ place }: { place: string }) {
  const files = useAttachments(place);
  if (!files.length) return null;
  return (
    <ul className="tray" aria-label={strings.attached}>
      {files.map((file) => <Piece key={file.key} place={place} file={file} />)}
    </ul>
  );
}

function Piece({ place, file }: { place: string; file: Attachment }) {
  const { key, name, size, type, preview, state, sent, error } = file;
  const percent = size ? Math.min(100, Math.floor((100 * sent) / size)) : 100;
  const under = state === 'failed' ? (error ?? strings.notSent) : state === 'waiting' ? strings.fileWaits : state === 'done' ? sizeText(size) : strings.fileProgress(percent, sizeText(size));
  return (
    <li className={`tray-file tray-${state}`}>
      {preview ? <img src={preview} alt="" className="tray-picture" /> : <span className="tray-kind" aria-hidden="true">{kindText(name, type)}</span>}
      <span className="tray-text">
        <bdi className="tray-name">{name}</bdi>
        <span className="tray-about">{under}</span>
      </span>
      {state !== 'done' && state !== 'failed' && (
        <span className="tray-bar" role="progressbar" aria-label={strings.sendingFile(name)} aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100}>
          <Bar percent={percent} />
        </span>
      )}
      {(state === 'failed' || state === 'waiting') && (
        <button type="button" className="icon-button" aria-label={`${strings.retry}: ${name}`} title={strings.retry} onClick={() => retry(place, key)}><Icon name="retry" size={16} /></button>
      )}
      <IconButton icon="close" size={16} label={strings.removeFile(name)} onClick={() => detach(place, key)} />
    </li>
  );
}

function Bar({ percent }: { percent: number }) {
  return <span ref={(bar) => { if (bar) bar.style.width = `${percent}%`; }} />;
}

/** The button that asks for files. */
export function AttachButton({ place }: { place: string }) {
  const input = useRef<HTMLInputElement>(null);
  const choose = (event: ChangeEvent<HTMLInputElement>) => {
    attach(place, [...(event.target.files ?? [])]);
    event.target.value = '';
  };
  return (
    <>
      <IconButton icon="attach" label={strings.attach} className="composer-tool" id={`attach-${place}`} onClick={() => input.current!.click()} />
      <input ref={input} type="file" multiple hidden tabIndex={-1} aria-hidden="true" onChange={choose} />
    </>
  );
}
