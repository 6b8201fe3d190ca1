import { useState } from 'react';
import { rooms as roomsApi, sessions as sessionsApi } from '../net/api';
import { letIn } from '../store/sealed';
import { useParlor } from '../store/store';
import { strings } from '../strings';
import type { Room, Session, User } from '../wire';
import { FormDialog } from '../ui/dialog';
import { PeoplePicker } from './PeoplePicker';
import { useRoomPeople } from './useRoomPeople';

/** Adds people of the server to a room, or, with a session, people of the room to it. */
export function AddPeople({ room, session }: { room: Room; session: Session | null }) {
  const seats = useParlor((state) => state.seats[session?.id ?? room.main_session_id]);
  const roomPeople = useRoomPeople(room);
  const [people, setPeople] = useState<User[]>([]);
  const submit = async () => {
    const ids = people.map((person) => person.id);
    await letIn(session?.id ?? room.main_session_id, ids);
    return session ? sessionsApi.add(session.id, ids) : roomsApi.add(room.id, ids);
  };
  return (
    <FormDialog title={strings.addPeople} lead={session ? strings.sessionBegins : undefined} action={strings.add}
      disabled={!people.length} onSubmit={submit}>
      <PeoplePicker label={strings.addPeople} chosen={people} onChange={setPeople} except={new Set(Object.keys(seats ?? {}))}
        {...(session ? { from: roomPeople, empty: strings.nobodyToAdd } : {})} />
    </FormDialog>
  );
}
