import { useState } from 'react';
import { rooms as roomsApi } from '../net/api';
import { navigate, paths } from '../shell/router';
import { EncryptChoice } from '../sessions/EncryptChoice';
import { enter } from '../store/app';
import { beginRoll } from '../store/sealed';
import { strings } from '../strings';
import type { Encryption, User } from '../wire';
import { Choice, Field } from '../ui/controls';
import { FormDialog } from '../ui/dialog';
import { PeoplePicker } from '../sessions/PeoplePicker';
import { useParlor } from '../store/store';

export const KINDS = ['public', 'unlisted', 'private'].map((kind) => [kind, ...strings.kinds[kind]!] as [string, string, string]);

export function NewRoom() {
  const me = useParlor((state) => state.me!.user.id);
  const [name, setName] = useState('');
  const [about, setAbout] = useState('');
  const [kind, setKind] = useState('public');
  const [password, setPassword] = useState('');
  const [people, setPeople] = useState<User[]>([]);
  const [encryption, setEncryption] = useState<Encryption | null>(null);
  const submit = async () => {
    const members = people.map((person) => person.id);
    const sealed = encryption && kind === 'private';
    const room = await roomsApi.create({
      name: name.trim(),
      kind,
      members,
      ...(about.trim() ? { description: about.trim() } : {}),
      ...(password && kind !== 'private' ? { password } : {}),
      ...(sealed ? { encryption } : {}),
    });
    if (sealed) await beginRoll(room.main_session_id, members);
    await enter(room);
    navigate(paths.room(room.id));
  };
  return (
    <FormDialog title={strings.newRoom} action={strings.createRoom} disabled={!name.trim()} onSubmit={submit}>
      <Field label={strings.roomName} name="room-name" required maxLength={80} autoFocus autoComplete="off" value={name}
        onChange={(event) => setName(event.target.value)} />
      <Field label={strings.roomAbout} name="room-about" maxLength={1000} autoComplete="off" value={about}
        onChange={(event) => setAbout(event.target.value)} />
      <Choice legend={strings.kind} name="room-kind" value={kind} options={KINDS} onChange={setKind} />
      {kind === 'private'
        ? <><PeoplePicker label={strings.addPeople} chosen={people} onChange={setPeople} except={new Set([me])} /><EncryptChoice how={encryption} onChange={setEncryption} /></>
        : <Field label={strings.roomPassword} hint={strings.roomPasswordHint} name="room-password" type="password"
            autoComplete="new-password" value={password} onChange={(event) => setPassword(event.target.value)} />}
    </FormDialog>
  );
}
