import type { Event as WireEvent, Message, MessagePage } from '../wire';
import { encryptionOf, isSealedSession } from './sealed';
import type { State } from './state';

/**
 * What the server says, as far as it is believed. Where a session is encrypted, whatever people say is inside
 * the ciphertext: words, files, reactions and previews that come beside it, or without any, are the server's own.
 */

/** A message of a session, of which it says nothing that it could have said by itself. */
export function believed(session: string, message: Message, sealed = isSealedSession(session)): Message {
  const here = message.session_id === session ? message : { ...message, session_id: session };
  if (!sealed) return here;
  const { reactions: _reactions, previews: _previews, files: _files, forwarded: _forwarded, file: _file, thread: _thread, thread_id: _in, ...rest } = here;
  const bare = { ...rest, content: '', reactions: [], previews: [], files: [] };
  if (here.encrypted || here.deleted_at) return bare;
  return { ...bare, reply_to: null, clear: { of: '', state: 'shut', why: 'bare' } };
}

export function believedPage(session: string, page: MessagePage): MessagePage {
  return { ...page, messages: page.messages.map((message) => believed(session, message)) };
}

/** A message that came by itself: it says which session it is of. */
export function believedOne(message: Message): Message {
  return believed(message.session_id, message);
}

/** An event; what is taken out of it keeps its place in the log. */
export function believedEvent(state: State, event: WireEvent): WireEvent {
  const id = event.session_id;
  if (!id) return event;
  const sealed = encryptionOf(state.sessions[id]) !== null || isSealedSession(id);
  const { posted, edited, reacted: _reacted, previewed: _previewed, ...rest } = event;
  if (posted) return { ...rest, posted: believed(id, posted, sealed) };
  if (edited) return { ...rest, edited: believed(id, edited, sealed) };
  return sealed ? rest : event;
}
