import { useState } from 'react';
import { rooms as roomsApi } from '../net/api';
import { nameOf } from '../store/select';
import { strings } from '../strings';
import type { Room, User } from '../wire';
import { Field } from '../ui/controls';
import { FormDialog } from '../ui/dialog';

export function BanPerson({ room, user }: { room: Room; user: User }) {
  const [reason, setReason] = useState('');
  return (
    <FormDialog title={strings.banSure(nameOf(user))} lead={strings.banHint} action={strings.ban} danger
      onSubmit={() => roomsApi.ban(room.id, user.id, reason.trim() || undefined)}>
      <Field label={strings.banReason} name="reason" maxLength={140} autoComplete="off" value={reason}
        onChange={(event) => setReason(event.target.value)} />
    </FormDialog>
  );
}
