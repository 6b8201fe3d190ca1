import { useEffect, useState, type FormEvent } from 'react';
import { rooms as roomsApi, type RoomChange } from '../net/api';
import { paths } from '../shell/router';
import { Nowhere } from '../shell/Shell';
import { nameOf, rightsIn } from '../store/select';
import { say, update, useParlor } from '../store/store';
import { strings } from '../strings';
import type { Ban, Room } from '../wire';
import { Avatar } from '../ui/Avatar';
import { Button, Choice, Field } from '../ui/controls';
import { confirm } from '../ui/dialog';
import { explain } from '../ui/explain';
import { PageHead } from '../ui/PageHead';
import { KINDS } from './NewRoom';
import { Rules } from './Rules';

export default function RoomSettings({ roomId }: { roomId: string }) {
  const room = useParlor((state) => state.rooms[roomId]);
  if (!room) return <Nowhere />;
  const rights = rightsIn(room);
  return (
    <main id="main" className="page" data-landmark tabIndex={-1}>
      <PageHead title={strings.roomSettings} lead={room.name} back={paths.room(roomId)} />
      <div className="page-body">
        {!rights.settings && <p className="form-note">{strings.onlyOwner}</p>}
        <General room={room} disabled={!rights.settings} />
        {!room.lobby && <Access room={room} disabled={!rights.settings} />}
        <Rules room={room} disabled={!rights.settings} change={(fields) => change(room, fields)} />
        {rights.moderate && <Bans roomId={roomId} />}
        {rights.settings && !room.lobby && <Closing room={room} />}
      </div>
    </main>
  );
}

/** Whether the server took it. */
async function change(room: Room, fields: RoomChange): Promise<boolean> {
  try {
    const changed = await roomsApi.patch(room.id, fields);
    update((state) => ({ ...state, rooms: { ...state.rooms, [room.id]: changed } }));
    say(strings.saved);
    return true;
  } catch (error) {
    say(explain(error), true);
    return false;
  }
}

function General({ room, disabled }: { room: Room; disabled: boolean }) {
  const [name, setName] = useState(room.name);
  const [about, setAbout] = useState(room.description);
  const same = name.trim() === room.name && about.trim() === room.description;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void change(room, { name: name.trim(), description: about.trim() });
  };
  return (
    <section className="block">
      <h2>{strings.general}</h2>
      <form className="form" onSubmit={submit}>
        <Field label={strings.roomName} name="name" required maxLength={80} disabled={disabled} value={name}
          onChange={(event) => setName(event.target.value)} />
        <Field label={strings.about} name="description" maxLength={1000} disabled={disabled} value={about}
          onChange={(event) => setAbout(event.target.value)} />
        {!disabled && <div><Button look="primary" type="submit" disabled={same || !name.trim()}>{strings.save}</Button></div>}
      </form>
    </section>
  );
}

function Access({ room, disabled }: { room: Room; disabled: boolean }) {
  const [password, setPassword] = useState('');
  const [kind, setKind] = useState(room.kind);
  useEffect(() => setKind(room.kind), [room.kind]);
  const choose = async (wanted: string) => {
    setKind(wanted);
    if (!(await change(room, { kind: wanted }))) setKind(room.kind);
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    await change(room, { password });
    setPassword('');
  };
  return (
    <section className="block">
      <h2>{strings.access}</h2>
      <Choice legend={strings.kind} name="kind" value={kind} options={KINDS} disabled={disabled}
        onChange={(wanted) => void choose(wanted)} />
      {!disabled && room.kind !== 'private' && (
        <form className="form" onSubmit={submit}>
          <p className="quiet">{room.has_password ? strings.hasPassword : strings.noPassword}</p>
          <Field label={strings.roomPassword} name="room-password" type="password" autoComplete="new-password" value={password}
            onChange={(event) => setPassword(event.target.value)} />
          <div className="row-actions">
            <Button look="primary" type="submit" disabled={!password}>{strings.setPassword}</Button>
            {room.has_password && <Button onClick={() => void change(room, { password: '' })}>{strings.removePassword}</Button>}
          </div>
        </form>
      )}
    </section>
  );
}

function Bans({ roomId }: { roomId: string }) {
  const [bans, setBans] = useState<Ban[] | null>(null);
  useEffect(() => {
    roomsApi.bans(roomId).then((list) => setBans(list.bans), () => setBans([]));
  }, [roomId]);
  const unban = async (id: string) => {
    try {
      await roomsApi.unban(roomId, id);
      setBans((held) => held?.filter((ban) => ban.user.id !== id) ?? null);
    } catch (error) {
      say(explain(error), true);
    }
  };
  return (
    <section className="block">
      <h2>{strings.bans}</h2>
      {bans?.length === 0 && <p className="quiet">{strings.noBans}</p>}
      <ul className="lines">
        {bans?.map(({ user, reason }) => (
          <li key={user.id} className="line">
            <Avatar id={user.id} name={nameOf(user)} />
            <div className="line-text"><p><bdi>{nameOf(user)}</bdi></p>{reason && <p className="quiet">{reason}</p>}</div>
            <Button onClick={() => void unban(user.id)}>{strings.unban}</Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Closing({ room }: { room: Room }) {
  const remove = () => confirm({
    title: strings.deleteRoomSure(room.name), lead: strings.deleteRoomHint, action: strings.deleteRoom, danger: true,
    onSubmit: () => roomsApi.remove(room.id),
  });
  return (
    <section className="block">
      <h2>{strings.danger}</h2>
      <p className="quiet">{strings.archiveHint}</p>
      <div className="row-actions">
        <Button onClick={() => void change(room, { archived: !room.archived_at })}>
          {room.archived_at ? strings.unarchive : strings.archive}
        </Button>
        <Button look="danger" onClick={remove}>{strings.deleteRoom}</Button>
      </div>
    </section>
  );
}
