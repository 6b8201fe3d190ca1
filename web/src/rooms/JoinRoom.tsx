import { useState } from 'react';
import { rooms as roomsApi } from '../net/api';
import { navigate, paths } from '../shell/router';
import { enter } from '../store/app';
import { say } from '../store/store';
import { strings } from '../strings';
import type { Room } from '../wire';
import { Field } from '../ui/controls';
import { FormDialog, openDialog } from '../ui/dialog';
import { explain } from '../ui/explain';

async function joinAndOpen(room: Room, password?: string): Promise<void> {
  await enter(await roomsApi.join(room.id, password));
  navigate(paths.room(room.id));
}

/** Joins at once, or asks for the password first. */
export async function join(room: Room): Promise<void> {
  if (room.has_password) return openDialog(<JoinWithPassword room={room} />);
  await joinAndOpen(room).catch((error) => say(explain(error), true));
}

function JoinWithPassword({ room }: { room: Room }) {
  const [password, setPassword] = useState('');
  return (
    <FormDialog title={strings.joinTitle(room.name)} action={strings.join} disabled={!password}
      onSubmit={() => joinAndOpen(room, password)}>
      <Field label={strings.password} name="join-password" type="password" required autoFocus autoComplete="off"
        value={password} onChange={(event) => setPassword(event.target.value)} />
    </FormDialog>
  );
}
