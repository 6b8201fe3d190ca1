import { useState } from 'react';
import { rooms as roomsApi } from '../net/api';
import { navigate, paths } from '../shell/router';
import { take } from '../store/app';
import { beginRoll } from '../store/sealed';
import { nameOf } from '../store/select';
import { useParlor } from '../store/store';
import { strings } from '../strings';
import type { Encryption, Room, User } from '../wire';
import { Field } from '../ui/controls';
import { FormDialog } from '../ui/dialog';
import { PeoplePicker } from './PeoplePicker';
import { EncryptChoice } from './EncryptChoice';
import { readersText } from './readers';
import { useRoomPeople } from './useRoomPeople';

export function NewSession({ room }: { room: Room }) {
  const me = useParlor((state) => state.me!.user.id);
  const roomPeople = useRoomPeople(room);
  const [name, setName] = useState('');
  const [people, setPeople] = useState<User[]>([]);
  const [encryption, setEncryption] = useState<Encryption | null>(null);
  const submit = async () => {
    const ids = people.map((person) => person.id);
    const session = await roomsApi.open(room.id, name.trim(), ids, encryption ?? undefined);
    if (encryption) await beginRoll(session.id, ids);
    take(room, session);
    navigate(paths.session(room.id, session.id));
  };
  return (
    <FormDialog title={strings.newSession} lead={strings.newSessionLead} action={strings.openSession}
      disabled={!name.trim()} onSubmit={submit}>
      <Field label={strings.sessionName} name="session-name" required autoFocus maxLength={80} autoComplete="off"
        value={name} onChange={(event) => setName(event.target.value)} />
      <PeoplePicker label={strings.sessionWho} chosen={people} onChange={setPeople} except={new Set([me])} from={roomPeople}
        empty={strings.readersSelf} />
      <EncryptChoice how={encryption} onChange={setEncryption} />
      <p className="form-summary">{readersText(false, people.length + 1, people.map(nameOf))} {encryption && strings.encryptSummary}</p>
    </FormDialog>
  );
}
