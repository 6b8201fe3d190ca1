import { useState } from 'react';
import { rooms as roomsApi } from '../net/api';
import { navigate, paths } from '../shell/router';
import { enter } from '../store/app';
import { beginRoll, mayEncrypt, useSealing, WANTED } from '../store/sealed';
import { useParlor } from '../store/store';
import { strings } from '../strings';
import type { User } from '../wire';
import { FormDialog } from '../ui/dialog';
import { PeoplePicker } from '../ui/PeoplePicker';

export async function writeTo(people: string[]): Promise<void> {
  // What two say alone is theirs: sealed from the start, where this server and this browser can.
  const sealed = mayEncrypt();
  const room = await roomsApi.create({ name: '', kind: 'direct', members: people, ...(sealed ? { encryption: WANTED } : {}) });
  if (sealed) await beginRoll(room.main_session_id, people);
  await enter(room);
  navigate(paths.room(room.id));
}

export function NewDirect() {
  const me = useParlor((state) => state.me!.user.id);
  const [people, setPeople] = useState<User[]>([]);
  const encrypts = useSealing(({ at }) => at === 'starting' || at === 'ready');
  return (
    <FormDialog title={strings.directTitle} lead={encrypts ? strings.directSealed : strings.directHint} action={strings.start} disabled={!people.length}
      onSubmit={() => writeTo(people.map((person) => person.id))}>
      <PeoplePicker label={strings.directTitle} chosen={people} onChange={setPeople} except={new Set([me])} />
    </FormDialog>
  );
}
