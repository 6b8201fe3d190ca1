import { useEffect, useState } from 'react';
import { Markdown } from '../markdown/Markdown';
import { messages as messagesApi } from '../net/api';
import { fullTime } from '../shell/when';
import { isSealedSession, openedOne } from '../store/sealed';
import { strings } from '../strings';
import type { Message, Revision } from '../wire';
import { FormError } from '../ui/controls';
import { Dialog } from '../ui/dialog';
import { explain } from '../ui/explain';

/** Earlier wordings that came sealed are opened, too. The oldest is the message itself: it is no edit of anything. */
async function opened(message: Message, revisions: Revision[]): Promise<Revision[]> {
  if (!isSealedSession(message.session_id)) return revisions;
  const first = revisions.reduce((oldest, { written_at }) => (written_at < oldest ? written_at : oldest), '9');
  return Promise.all(revisions.map(async (revision) => {
    const { clear: _now, ...held } = message;
    const edited_at = revision.written_at === first ? null : revision.written_at;
    const earlier: Message = { ...held, earlier: true, encrypted: revision.encrypted ?? null, edited_at };
    const { content, clear } = await openedOne(earlier);
    return { ...revision, content: clear?.state === 'open' ? content : strings.shut[clear?.why ?? (revision.encrypted ? 'opening' : 'bare')]! };
  }));
}

export function Revisions({ message }: { message: Message }) {
  const [revisions, setRevisions] = useState<Revision[]>([]);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    messagesApi.revisions(message.id).then(({ revisions: found }) => opened(message, found)).then(setRevisions, (reason) => setError(explain(reason)));
  }, [message]);
  return (
    <Dialog title={strings.revisions}>
      <FormError text={error} />
      <ol className="revisions">
        {revisions.map((revision) => (
          <li key={revision.written_at}>
            <time className="quiet" dateTime={revision.written_at}>{fullTime(revision.written_at)}</time>
            <Markdown source={revision.content} username="" />
          </li>
        ))}
      </ol>
    </Dialog>
  );
}
