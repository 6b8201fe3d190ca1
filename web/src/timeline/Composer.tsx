import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent } from 'react';
import { pickEmoji } from '../emoji/PickerHost';
import { plainText } from '../markdown/parse';
import { ask } from '../shell/ask';
import { usePhone } from '../shell/usePhone';
import { spanOf } from '../shell/when';
import { sendMessage } from '../store/app';
import { loadDraft, onDraft, saveDraft } from '../store/drafts';
import { mentionsAll } from '../store/mentions';
import { nameOf } from '../store/select';
import { takeFiles, useAttachments } from '../files/attachments';
import { AttachButton, Tray } from '../files/Tray';
import { pasteFiles } from '../files/useDrop';
import { say, store, useParlor } from '../store/store';
import { sync } from '../store/sync';
import { strings } from '../strings';
import type { Session } from '../wire';
import { IconButton } from '../ui/controls';
import { confirm, whenNoDialog } from '../ui/dialog';
import { Icon } from '../ui/Icon';
import { edit, mayEdit, setLife, stopReply, takeUpReply, useTalk } from './talk';
import { grow } from './grow';
import { Completions, useCompleting } from './completing';
import { format } from './formatting';
import { mayNameAll, namedElsewhere } from './offers';

const BYTES_MAX = 16 * 1024;
const TYPING_EVERY_MS = 3_000;
/** Naming everybody is asked about when they are more than this. */
const ASK_ABOVE = 10;

interface Props {
  session: Session;
  title: string;
  /** The message that began the thread this is the field of. */
  thread?: string;
}

export function Composer({ session, title, thread }: Props) {
  const place = thread ?? session.id;
  const id = thread ? 'thread-composer' : 'composer';
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState(() => loadDraft(place));
  const reply = useTalk((state) => state.replies[place]);
  const life = useTalk((state) => state.lives[place] ?? 0);
  const phone = usePhone();
  const typedAt = useRef(0);
  const over = overBy(text);
  const namesAll = mentionsAll(text);
  const denied = useParlor((state) => namesAll && !mayNameAll(state, session.id));

  const write = (next: string) => {
    setText(next);
    saveDraft(session.id, thread ?? null, next, reply?.id ?? null);
    if (!next.trim() || Date.now() - typedAt.current < TYPING_EVERY_MS) return;
    typedAt.current = Date.now();
    sync.typing(session.id);
  };
  const completing = useCompleting(id, session.id, field, text, write);

  useEffect(() => {
    void takeUpReply(place, session.id);
    return onDraft(place, (kept) => {
      setText(kept.text);
      void takeUpReply(place, session.id, true);
    });
  }, [place, session.id]);
  // Only when the session opens: a window that changes its size takes the focus from nobody.
  const [takesFocus] = useState(!phone);
  useEffect(() => {
    if (!takesFocus) return;
    return whenNoDialog(() => field.current?.focus({ preventScroll: true }));
  }, [takesFocus]);
  useLayoutEffect(() => grow(field.current!), [text]);

  const files = useAttachments(place);
  const underWay = files.some(({ state }) => state !== 'done');
  const empty = !text.trim() && !files.length;
  const send = () => {
    if (underWay) return say(strings.filesUnderWay);
    if (empty || denied || over > 0) return;
    if (namesAll && session.member_count > ASK_ABOVE) askAll(session.member_count, sendNow);
    else sendNow();
  };
  const sendNow = () => {
    const taken = takeFiles(place);
    sendMessage(session.id, text.trim(), { reply_to: reply?.id, thread_id: thread, ...(life ? { ttl_s: life } : {}), ...(taken.length ? { files: taken } : {}) });
    typedAt.current = 0;
    write('');
    if (reply) stopReply(place);
    setLife(place, 0);
    field.current?.focus();
  };

  const keys = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.nativeEvent.isComposing || completing.keys(event) || format(event)) return;
    if (event.key === 'Enter' && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      send();
    } else if (event.key === 'ArrowUp' && !text && editLast(session.id, thread)) event.preventDefault();
    else if (event.key === 'Escape' && reply) {
      event.stopPropagation();
      stopReply(place);
    }
  };

  return (
    <div className="composer">
      {reply && <ReplyBar place={place} />}
      {life > 0 && <LifeBar place={place} life={life} />}
      <Elsewhere session={session} text={text} />
      {denied && <Note text={strings.roomDenied} />}
      <Completions by={completing} />
      <Tray place={place} />
      <div className="composer-box">
        <AttachButton place={place} />
        <textarea ref={field} id={id} data-place={place} rows={1} value={text} dir="auto" data-landmark-focus
          aria-label={thread ? strings.threadField : strings.composer(title)} placeholder={thread ? strings.threadField : strings.placeholder(title)} enterKeyHint="send"
          {...completing.aria} onChange={(event) => write(event.target.value)} onKeyDown={keys} onSelect={completing.look}
          onBlur={completing.close} onPaste={(event) => pasteFiles(event, place)} />
        <IconButton icon="smile" label={strings.emoji} className="composer-tool" aria-haspopup="dialog" onMouseDown={(event) => event.preventDefault()}
          onClick={(event) => pickEmoji(event.currentTarget, completing.insert)} />
        <IconButton icon="timer" label={strings.life} className="composer-tool" aria-haspopup="dialog" onMouseDown={(event) => event.preventDefault()}
          onClick={() => ask('Life', { place, lives: session.message_ttl_s ?? 0 })} />
        <IconButton icon="send" label={strings.send} className="composer-send" disabled={empty || underWay || denied || over > 0}
          onMouseDown={(event) => event.preventDefault()} onClick={send} />
      </div>
      {over > 0 && <p className="composer-over" role="status">{strings.tooLong(over)}</p>}
    </div>
  );
}

/** Asks before everybody of many people is named. */
function askAll(count: number, onSubmit: () => void): void {
  confirm({ title: strings.roomSure(count), lead: strings.roomHint, action: strings.send, onSubmit: async () => onSubmit() });
}

/** Says who is named and will not see it. */
function Elsewhere({ session, text }: { session: Session; text: string }) {
  const named = useParlor((state) => namedElsewhere(state, session.id, text).map(nameOf).join(', '));
  return named ? <Note text={strings.notHereWarning(named)} /> : null;
}

function Note({ text }: { text: string }) {
  return <p className="composer-note" role="status"><Icon name="alert" size={16} /> <bdi>{text}</bdi></p>;
}

function ReplyBar({ place }: { place: string }) {
  const reply = useTalk((state) => state.replies[place]!);
  const sender = useParlor((state) => state.users[reply.sender_id]);
  return (
    <div className="reply-bar">
      <p><strong><bdi>{strings.replyingTo(nameOf(sender))}</bdi></strong> <span className="quiet">{plainText(reply.content) || reply.files.map(({ name }) => name).join(', ')}</span></p>
      <IconButton icon="close" size={16} label={strings.stopReply} onClick={() => stopReply(place)} />
    </div>
  );
}

/** How long the next message lives, where that was chosen. */
function LifeBar({ place, life }: { place: string; life: number }) {
  return (
    <div className="reply-bar">
      <p role="status">{strings.lives(spanOf(life))}</p>
      <IconButton icon="close" size={16} label={strings.livesOn} onClick={() => setLife(place, 0)} />
    </div>
  );
}

function overBy(text: string): number {
  if (text.length * 3 < BYTES_MAX) return 0;
  return new TextEncoder().encode(text.trim()).length - BYTES_MAX;
}

function editLast(sessionId: string, thread: string | undefined): boolean {
  const state = store.getState();
  const messages = thread ? state.threads[thread]?.messages : state.logs[sessionId]?.messages;
  const own = messages?.findLast((message) => mayEdit(message) && (thread !== undefined || !message.thread_id));
  if (own) edit(own);
  return Boolean(own);
}
