import { useState } from 'react';
import { useSealing } from '../store/sealed';
import { useParlor } from '../store/store';
import { strings } from '../strings';
import type { User } from '../wire';
import { FormDialog } from '../ui/dialog';
import { PeoplePicker } from '../sessions/PeoplePicker';
import { writeTo } from './writeTo';

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
