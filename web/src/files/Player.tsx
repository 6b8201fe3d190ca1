import { useEffect, useRef, useState } from 'react';
import { say } from '../store/store';
import { strings } from '../strings';
import type { File as Sent } from '../wire';
import { IconButton } from '../ui/controls';
import { explain } from '../ui/explain';
import { Icon } from '../ui/Icon';
import { sizeText } from './sizes';
import { download, fileUrl, useTicket } from './ticket';

export type Kind = 'video' | 'audio';

/** Names by which browsers know what they are asked about. */
const KNOWN_AS: Record<string, string> = {
  'video/quicktime': 'video/mp4', 'audio/x-wav': 'audio/wav', 'audio/x-flac': 'audio/flac', 'audio/m4a': 'audio/mp4', 'audio/opus': 'audio/ogg; codecs=opus',
};

/** Whether this browser may be able to play a file. */
export function playable({ media_type, encrypted }: Sent): Kind | null {
  const kind = /^(video|audio)\//.exec(media_type)?.[1] as Kind | undefined;
  return kind && !encrypted && document.createElement(kind).canPlayType(KNOWN_AS[media_type] ?? media_type) ? kind : null;
}

/** A film or a sound, fetched when somebody wants it and played in its place. */
export function Player({ file, kind }: { file: Sent; kind: Kind }) {
  const [open, setOpen] = useState(false);
  const fail = () => {
    setOpen(false);
    say(strings.noPlaying, true);
  };
  return (
    <div className={`player player-${kind}`}>
      {open && <Media file={file} kind={kind} onFail={fail} />}
      {!open && kind === 'video' && (
        <button type="button" className="player-screen" aria-label={strings.play(file.name)} onClick={() => setOpen(true)}>
          <span className="player-play"><Icon name="play" size={26} /></span>
        </button>
      )}
      <div className="player-foot">
        {!open && kind === 'audio' && <IconButton icon="play" className="player-play" label={strings.play(file.name)} onClick={() => setOpen(true)} />}
        <span className="tray-text">
          <bdi className="tray-name">{file.name}</bdi>
          <span className="tray-about">{sizeText(file.size)}</span>
        </span>
        <IconButton icon="download" size={18} label={`${strings.downloadIt}: ${file.name}`} onClick={() => void download(file.id, file.name).catch((error) => say(explain(error), true))} />
      </div>
    </div>
  );
}

/** Plays on from where it was when its ticket runs out meanwhile. */
function Media({ file, kind, onFail }: { file: Sent; kind: Kind; onFail: () => void }) {
  const { ticket, refused } = useTicket();
  const media = useRef<HTMLMediaElement | null>(null);
  const at = useRef(0);
  useEffect(() => media.current!.focus(), []);
  useEffect(() => {
    const box = media.current!;
    if (!ticket) return;
    box.currentTime = at.current;
    box.play().catch(() => {});
  }, [ticket]);
  const broke = () => {
    at.current = media.current?.currentTime ?? 0;
    if (!refused()) onFail();
  };
  const shared = {
    className: 'player-media', controls: true, 'aria-label': file.name, onError: broke,
    src: ticket ? fileUrl(file.id, file.name, ticket) : undefined,
    ref: (box: HTMLMediaElement | null) => { media.current = box; },
  };
  return kind === 'video' ? <video {...shared} playsInline /> : <audio {...shared} />;
}
