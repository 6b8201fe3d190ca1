import { useEffect, useState } from 'react';
import { Markdown } from '../markdown/Markdown';
import { messages as messagesApi } from '../net/api';
import { fullTime } from '../shell/when';
import { strings } from '../strings';
import type { Message, Revision } from '../wire';
import { FormError } from '../ui/controls';
import { Dialog } from '../ui/dialog';
import { explain } from '../ui/explain';

export function Revisions({ message }: { message: Message }) {
  const [revisions, setRevisions] = useState<Revision[]>([]);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    messagesApi.revisions(message.id).then((list) => setRevisions(list.revisions), (reason) => setError(explain(reason)));
  }, [message.id]);
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
