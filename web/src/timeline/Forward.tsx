import { useId, useMemo, useState } from 'react';
import { plainText } from '../markdown/parse';
import { navigate, paths } from '../shell/router';
import { sendMessage } from '../store/app';
import { faceOf, nameOf, roomTitle, sessionsOf, sortedRooms } from '../store/select';
import { encryptionOf } from '../store/sealed';
import { around, say, store, useParlor } from '../store/store';
import type { State } from '../store/state';
import { strings } from '../strings';
import type { Message } from '../wire';
import { Avatar } from '../ui/Avatar';
import { Field } from '../ui/controls';
import { FormDialog } from '../ui/dialog';
import { Icon } from '../ui/Icon';

interface Place {
  id: string;
  path: string;
  title: string;
  about: string;
  face: string;
  room: boolean;
}

const SHOWN_MAX = 60;

/** Everywhere one can write; where one is now comes last. */
function placesIn(state: State, here: string): Place[] {
  const me = state.me?.user.id;
  const { rooms, direct } = sortedRooms(state);
  const places = [...rooms, ...direct].flatMap((room) => sessionsOf(state, room.id).filter((session) => !encryptionOf(session)).map((session) => ({
    id: session.id,
    path: paths.session(room.id, session.id),
    title: session.main ? roomTitle(room, me) : session.name,
    about: session.main ? '' : roomTitle(room, me),
    face: faceOf(room, me),
    room: room.kind !== 'direct',
  })));
  return places.sort((a, b) => Number(a.id === here) - Number(b.id === here));
}

/** Tells a message on, in another place, with a word of one's own after it or without. */
export function Forward({ message }: { message: Message }) {
  const id = useId();
  const author = message.forwarded?.sender_id ?? message.sender_id;
  const sender = useParlor((state) => state.users[author]);
  const places = useMemo(() => placesIn(store.getState(), message.session_id), [message.session_id]);
  const [text, setText] = useState('');
  const [to, setTo] = useState<Place | null>(null);
  const [comment, setComment] = useState('');
  const wanted = text.trim().toLowerCase();
  const shown = places.filter(({ title, about }) => `${title} ${about}`.toLowerCase().includes(wanted)).slice(0, SHOWN_MAX);
  const words = plainText(message.content) || message.files.map(({ name }) => name).join(', ');
  const submit = async () => {
    sendMessage(to!.id, '', { forward: message.id, shows: words.slice(0, 200) });
    if (comment.trim()) sendMessage(to!.id, comment.trim());
    if (around.getState().link.at === 'open') say(strings.forwardSent(to!.title), false, { label: strings.goThereShort, act: () => navigate(to!.path) });
    else say(strings.forwardLater(to!.title));
  };
  return (
    <FormDialog title={strings.forwardTitle} action={strings.forward} disabled={!to} onSubmit={submit}>
      <blockquote className="forward-words"><strong><bdi>{nameOf(sender)}</bdi></strong> <span dir="auto">{words.slice(0, 200)}</span></blockquote>
      <fieldset className="picker">
        <legend className="hidden">{strings.forwardTitle}</legend>
        <div className="field-box">
          <Icon name="search" size={18} />
          <input type="search" value={text} placeholder={strings.forwardFind} aria-label={strings.forwardFind} autoComplete="off"
            onChange={(event) => setText(event.target.value)} />
        </div>
        <p className="hidden" aria-live="polite">{wanted && strings.results(shown.length)}</p>
        <ul className="picker-list">
          {shown.map((place) => (
            <li key={place.id}>
              <label className="picker-row" htmlFor={`${id}${place.id}`}>
                <Avatar id={place.face} name={place.about || place.title} size="small" room={place.room} />
                <span className="picker-name"><bdi>{place.title}</bdi> <span className="quiet">{place.id === message.session_id ? strings.hereAlready : place.about}</span></span>
                <input id={`${id}${place.id}`} type="radio" name="place" checked={to?.id === place.id} onChange={() => setTo(place)} />
              </label>
            </li>
          ))}
        </ul>
        {shown.length === 0 && <p className="quiet picker-none">{strings.paletteNone}</p>}
      </fieldset>
      <Field label={strings.forwardComment} name="comment" autoComplete="off" maxLength={2000} value={comment} onChange={(event) => setComment(event.target.value)} />
    </FormDialog>
  );
}
