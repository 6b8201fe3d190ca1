import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent } from 'react';
import { pickEmoji } from '../emoji/PickerHost';
import { plainText } from '../markdown/parse';
import { usePhone } from '../shell/usePhone';
import { sendMessage } from '../store/app';
import { nameOf } from '../store/select';
import { takeFiles, useAttachments } from '../files/attachments';
import { AttachButton, Tray } from '../files/Tray';
import { pasteFiles } from '../files/useDrop';
import { say, store, useParlor } from '../store/store';
import { sync } from '../store/sync';
import { strings } from '../strings';
import type { Session } from '../wire';
import { IconButton } from '../ui/controls';
import { whenNoDialog } from '../ui/dialog';
import { Icon } from '../ui/Icon';
import { edit, loadDraft, onDraft, saveDraft, stopReply, useTalk } from './talk';
import { grow } from './grow';
import { Completions, useCompleting } from './completing';
import { format } from './formatting';
import { namedElsewhere } from './offers';

const BYTES_MAX = 16 * 1024;
const TYPING_EVERY_MS = 3_000;

export function Composer({ session, title }: { session: Session; title: string }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState(() => loadDraft(session.id));
  const reply = useTalk((state) => state.replies[session.id]);
  const phone = usePhone();
  const typedAt = useRef(0);
  const over = overBy(text);

  const write = (next: string) => {
    setText(next);
    saveDraft(session.id, next);
    if (!next.trim() || Date.now() - typedAt.current < TYPING_EVERY_MS) return;
    typedAt.current = Date.now();
    sync.typing(session.id);
  };
  const completing = useCompleting('composer', session.id, field, text, write);

  useEffect(() => onDraft(session.id, setText), [session.id]);
  // Only when the session opens: a window that changes its size takes the focus from nobody.
  const [takesFocus] = useState(!phone);
  useEffect(() => {
    if (!takesFocus) return;
    return whenNoDialog(() => field.current?.focus({ preventScroll: true }));
  }, [takesFocus]);
  useLayoutEffect(() => grow(field.current!), [text]);

  const files = useAttachments(session.id);
  const underWay = files.some(({ state }) => state !== 'done');
  const empty = !text.trim() && !files.length;
  const send = () => {
    if (underWay) return say(strings.filesUnderWay);
    if (empty || over > 0) return;
    sendNow();
  };
  const sendNow = () => {
    sendMessage(session.id, text.trim(), reply?.id, takeFiles(session.id));
    typedAt.current = 0;
    write('');
    if (reply) stopReply(session.id);
    field.current?.focus();
  };

  const keys = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.nativeEvent.isComposing || completing.keys(event) || format(event)) return;
    if (event.key === 'Enter' && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      send();
    } else if (event.key === 'ArrowUp' && !text && editLast(session.id)) event.preventDefault();
    else if (event.key === 'Escape' && reply) {
      event.stopPropagation();
      stopReply(session.id);
    }
  };

  return (
    <div className="composer">
      {reply && <ReplyBar sessionId={session.id} />}
      <Elsewhere session={session} text={text} />
      <Completions by={completing} />
      <Tray place={session.id} />
      <div className="composer-box">
        <AttachButton place={session.id} />
        <textarea ref={field} id="composer" rows={1} value={text} dir="auto" data-landmark-focus
          aria-label={strings.composer(title)} placeholder={strings.placeholder(title)} enterKeyHint="send"
          {...completing.aria} onChange={(event) => write(event.target.value)} onKeyDown={keys} onSelect={completing.look}
          onBlur={completing.close} onPaste={(event) => pasteFiles(event, session.id)} />
        <IconButton icon="smile" label={strings.emoji} className="composer-tool" aria-haspopup="dialog" onMouseDown={(event) => event.preventDefault()}
          onClick={(event) => pickEmoji(event.currentTarget, completing.insert)} />
        <IconButton icon="send" label={strings.send} className="composer-send" disabled={empty || underWay || over > 0}
          onMouseDown={(event) => event.preventDefault()} onClick={send} />
      </div>
      {over > 0 && <p className="composer-over" role="status">{strings.tooLong(over)}</p>}
    </div>
  );
}

/** Says who is named and will not see it. */
function Elsewhere({ session, text }: { session: Session; text: string }) {
  const named = useParlor((state) => namedElsewhere(state, session.id, text).map(nameOf).join(', '));
  return named ? <p className="composer-note" role="status"><Icon name="alert" size={16} /> <bdi>{strings.notHereWarning(named)}</bdi></p> : null;
}

function ReplyBar({ sessionId }: { sessionId: string }) {
  const reply = useTalk((state) => state.replies[sessionId]!);
  const sender = useParlor((state) => state.users[reply.sender_id]);
  return (
    <div className="reply-bar">
      <p><strong><bdi>{strings.replyingTo(nameOf(sender))}</bdi></strong> <span className="quiet">{plainText(reply.content)}</span></p>
      <IconButton icon="close" size={16} label={strings.stopReply} onClick={() => stopReply(sessionId)} />
    </div>
  );
}

function overBy(text: string): number {
  if (text.length * 3 < BYTES_MAX) return 0;
  return new TextEncoder().encode(text.trim()).length - BYTES_MAX;
}

function editLast(sessionId: string): boolean {
  const state = store.getState();
  const own = state.logs[sessionId]?.messages.findLast(
    (message) => message.sender_id === state.me?.user.id && !message.deleted_at,
  );
  if (own) edit(own.id);
  return Boolean(own);
}
