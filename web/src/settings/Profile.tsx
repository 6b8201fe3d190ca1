import { useState, type FormEvent } from 'react';
import { me as meApi, type MeChange } from '../net/api';
import { signOut } from '../store/app';
import { nameOf } from '../store/select';
import { words } from '../e2ee/words';
import { statusSoon } from '../store/sealed';
import { around, say, update, useParlor } from '../store/store';
import { strings } from '../strings';
import { Avatar } from '../ui/Avatar';
import { Button, Field, Switch } from '../ui/controls';
import { confirm } from '../ui/dialog';
import { explain } from '../ui/explain';
import { Picture } from './Picture';

/** Whether the server took it. */
async function change(fields: MeChange): Promise<boolean> {
  try {
    const me = await meApi.patch(fields);
    update((state) => ({ ...state, me, users: { ...state.users, [me.user.id]: { ...state.users[me.user.id], ...me.user } } }));
    say(strings.saved);
    return true;
  } catch (error) {
    say(explain(error), true);
    return false;
  }
}

export function Profile() {
  const me = useParlor((state) => state.me!);
  const [name, setName] = useState(me.user.name);
  const [status, setStatus] = useState(me.user.status);
  const [shown, setShown] = useState(me.show_last_seen);
  const [address, setAddress] = useState(me.show_email);
  const show = async (on: boolean) => {
    setShown(on);
    if (!(await change({ show_last_seen: on }))) setShown(!on);
  };
  const showAddress = async (on: boolean) => {
    setAddress(on);
    if (!(await change({ show_email: on }))) setAddress(!on);
  };
  const same = name.trim() === me.user.name && status.trim() === me.user.status;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void change({ name: name.trim(), status: status.trim() });
  };
  const who = <div><p className="me-name"><bdi>{nameOf(me.user)}</bdi></p><p className="quiet">@{me.user.username}{me.email && ` · ${me.email}`}</p></div>;
  return (
    <>
      {'picture_id' in me.user ? <Picture>{who}</Picture>
        : <div className="me"><Avatar id={me.user.id} name={nameOf(me.user)} size="large" />{who}</div>}
      <form className="form" onSubmit={submit}>
        <Field label={strings.yourName} hint={strings.yourNameHint} name="name" required maxLength={80} autoComplete="name"
          value={name} onChange={(event) => setName(event.target.value)} />
        <Field label={strings.status} hint={strings.statusHint} name="status" maxLength={140} autoComplete="off"
          value={status} onChange={(event) => setStatus(event.target.value)} />
        <div><Button look="primary" type="submit" disabled={same || !name.trim()}>{strings.save}</Button></div>
      </form>
      <Switch label={strings.lastSeenSwitch} hint={strings.lastSeenHint} on={shown} onChange={(on) => void show(on)} />
      {me.email && <Switch label={strings.addressSwitch} hint={strings.addressHint} on={address} onChange={(on) => void showAddress(on)} />}
      <div className="row-actions"><Button onClick={() => void askSignOut()}>{strings.signOut}</Button></div>
    </>
  );
}

/** Asks only when something would be lost. */
export async function askSignOut(): Promise<void> {
  const status = await statusSoon();
  const unsent = around.getState().outbox.filter((item) => item.state !== 'sent').length;
  // Where it cannot be told, the worse is assumed.
  const losing = status === 'unknown' || (status?.account === 'mine' && status.recovery === 'none' && status.saved.all > 0);
  if (!unsent && !losing) return void signOut();
  const lead = [...(unsent ? [strings.signOutLose(unsent)] : []), ...(losing ? [words.signOutLead] : [])].join(' ');
  confirm({
    title: losing ? words.signOutTitle : strings.signOutSure, lead, action: strings.signOut, danger: true,
    onSubmit: () => signOut(),
  });
}
