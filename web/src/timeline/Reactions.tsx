import { useEffect, useId, useState } from 'react';
import { pickEmoji } from '../emoji/PickerHost';
import { used } from '../emoji/recent';
import { joinNames } from '../sessions/readers';
import { loadUser, toggleReaction } from '../store/actions';
import { nameOf } from '../store/select';
import { store, useParlor } from '../store/store';
import { strings } from '../strings';
import type { Message, Reaction } from '../wire';
import { Icon } from '../ui/Icon';

/** Reacts by an emoji that somebody chooses beside `button`; the message gets the focus back. */
export function pickReaction(message: Message, button: HTMLElement): void {
  pickEmoji(button, (emoji) => void toggleReaction(message, emoji), button.closest<HTMLElement>('article') ?? undefined);
}

export function react(message: Message, emoji: string): void {
  used(emoji);
  void toggleReaction(message, emoji);
}

export function Reactions({ message }: { message: Message }) {
  return (
    <ul className="reactions" aria-label={strings.reactions}>
      {message.reactions.map((reaction) => <Chip key={reaction.emoji} message={message} reaction={reaction} />)}
      <li>
        <button type="button" className="reaction reaction-more" aria-label={strings.react} title={strings.react} aria-haspopup="dialog"
          onClick={(event) => pickReaction(message, event.currentTarget)}>
          <Icon name="smile" size={16} />
        </button>
      </li>
    </ul>
  );
}

/** One emoji, how many react by it, and on hover and focus, who. */
function Chip({ message, reaction }: { message: Message; reaction: Reaction }) {
  const id = useId();
  const [shown, setShown] = useState(false);
  const { emoji, count, mine } = reaction;
  return (
    <li className="reaction-place" onMouseEnter={() => setShown(true)} onMouseLeave={() => setShown(false)}>
      <button type="button" className="reaction" aria-pressed={mine} aria-describedby={shown ? id : undefined}
        aria-label={`${emoji} ${count}`} onClick={() => void toggleReaction(message, emoji)}
        onFocus={() => setShown(true)} onBlur={() => setShown(false)} onKeyDown={(event) => event.key === 'Escape' && setShown(false)}>
        <span aria-hidden="true">{emoji}</span> <span className="tabular">{count}</span>
      </button>
      {shown && <Who id={id} reaction={reaction} />}
    </li>
  );
}

function Who({ id, reaction: { emoji, count, user_ids, mine } }: { id: string; reaction: Reaction }) {
  const me = useParlor((state) => state.me!.user.id);
  const users = useParlor((state) => state.users);
  useEffect(() => user_ids.filter((one) => !store.getState().users[one]).forEach(loadUser), [user_ids]);
  const others = user_ids.filter((one) => one !== me).map((one) => nameOf(users[one]));
  const more = count - user_ids.length - Number(mine && !user_ids.includes(me));
  const names = [...others, ...(mine ? [strings.you] : []), ...(more > 0 ? [strings.andMore(more)] : [])];
  return (
    <span role="tooltip" id={id} className="tip">
      <span className="tip-emoji" aria-hidden="true">{emoji}</span>
      <bdi>{joinNames(names)}</bdi>
    </span>
  );
}
