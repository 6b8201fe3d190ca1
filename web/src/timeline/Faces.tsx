import { joinNames } from '../sessions/readers';
import { nameOf } from '../store/select';
import { useParlor } from '../store/store';
import { strings } from '../strings';
import { Avatar } from '../ui/Avatar';

const FACES_MAX = 4;

/** Small faces of the people who have read up to a message. */
export function Faces({ ids }: { ids: string }) {
  const users = useParlor((state) => state.users);
  const people = ids.split(' ');
  const label = strings.readBy(joinNames(people.map((id) => nameOf(users[id]))));
  return (
    <span className="faces" role="img" aria-label={label} title={label}>
      {people.slice(0, FACES_MAX).map((id) => <Avatar key={id} id={id} name={nameOf(users[id])} size="tiny" />)}
      {people.length > FACES_MAX && <span className="faces-more">+{people.length - FACES_MAX}</span>}
    </span>
  );
}
