import { useEffect, useRef, useState, type ReactNode } from 'react';
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
export function playable(media_type: string): Kind | null {
  const kind = /^(video|audio)\//.exec(media_type)?.[1] as Kind | undefined;
  return kind && document.createElement(kind).canPlayType(KNOWN_AS[media_type] ?? media_type) ? kind : null;
}

interface PlayerProps {
  name: string;
  size: number;
  kind: Kind;
  onKeep: () => void;
  /** What plays it, once somebody wants that. */
  media: (fail: (why?: string) => void) => ReactNode;
}

/** A film or a sound, fetched when somebody wants it and played in its place. */
export function Player({ name, size, kind, onKeep, media }: PlayerProps) {
  const [open, setOpen] = useState(false);
  const fail = (why = strings.noPlaying) => {
    setOpen(false);
    say(why, true);
  };
  return (
    <div className={`player player-${kind}`}>
      {open && media(fail)}
      {!open && kind === 'video' && (
        <button type="button" className="player-screen" aria-label={strings.play(name)} onClick={() => setOpen(true)}>
          <span className="player-play"><Icon name="play" size={26} /></span>
        </button>
      )}
      <div className="player-foot">
        {!open && kind === 'audio' && <IconButton icon="play" className="player-play" label={strings.play(name)} onClick={() => setOpen(true)} />}
        <span className="tray-text">
          <bdi className="tray-name">{name}</bdi>
          <span className="tray-about">{sizeText(size)}</span>
        </span>
        <IconButton icon="download" size={18} label={`${strings.downloadIt}: ${name}`} onClick={onKeep} />
      </div>
    </div>
  );
}

/** A film or a sound of a message, from the server. */
export function Recording({ file: { id, name, size }, kind }: { file: Sent; kind: Kind }) {
  const keep = () => void download(id, name).catch((error) => say(explain(error), true));
  return <Player name={name} size={size} kind={kind} onKeep={keep} media={(fail) => <Fetched id={id} name={name} kind={kind} onFail={fail} />} />;
}

function Fetched({ id, name, kind, onFail }: { id: string; name: string; kind: Kind; onFail: () => void }) {
  const { ticket, refused } = useTicket();
  return <Media name={name} kind={kind} src={ticket ? fileUrl(id, name, ticket) : undefined} onError={() => refused() || onFail()} />;
}

/** Plays on from where it was when it gets another address, as when its ticket ran out. */
export function Media({ name, kind, src, onError }: { name: string; kind: Kind; src: string | undefined; onError: () => void }) {
  const media = useRef<HTMLMediaElement | null>(null);
  const at = useRef(0);
  useEffect(() => media.current!.focus(), []);
  useEffect(() => {
    const box = media.current!;
    if (!src) return;
    box.currentTime = at.current;
    box.play().catch(() => {});
  }, [src]);
  const broke = () => {
    at.current = media.current?.currentTime ?? 0;
    onError();
  };
  const shared = {
    className: 'player-media', controls: true, 'aria-label': name, onError: broke, src,
    ref: (box: HTMLMediaElement | null) => { media.current = box; },
  };
  return kind === 'video' ? <video {...shared} playsInline /> : <audio {...shared} />;
}
