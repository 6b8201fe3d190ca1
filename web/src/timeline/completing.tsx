import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent, type RefObject } from 'react';
import { toneNow, used } from '../emoji/recent';
import { inTone } from '../emoji/tone';
import { store } from '../store/store';
import { useFindPeople } from '../store/useUser';
import { strings } from '../strings';
import { Avatar } from '../ui/Avatar';
import { emojiFor, namesFor, type Offer } from './offers';

const NAME = /(?:^|[\s(])(@([\p{L}\p{N}_.-]{0,32}))$/u;
const CODE = /(?:^|[\s(])(:([a-z0-9_+-]{2,32}))$/i;
const WHOLE_CODE = /:([a-z0-9_+-]{2,40}):$/;
const EMOJI_MAX = 7;
const ASKED_MIN = 2;

type List = typeof import('../emoji/list');
let emoji: List | null = null;

/** The list of emoji, once a colon asked for it. */
function useEmoji(wanted: boolean): List | null {
  const [list, setList] = useState(emoji);
  useEffect(() => {
    if (!wanted || list) return;
    void import('../emoji/list').then((loaded) => {
      emoji = loaded;
      setList(loaded);
    }, () => {});
  }, [wanted, list]);
  return list;
}

export interface Completing {
  id: string;
  offers: Offer[];
  at: number;
  choose: (offer: Offer) => void;
  keys: (event: KeyboardEvent) => boolean;
  look: () => void;
  close: () => void;
  insert: (text: string) => void;
  aria: Record<string, string | boolean | undefined>;
}

interface Word {
  kind: 'name' | 'emoji';
  text: string;
  start: number;
}

/** Completes the word under the caret: `@name` with people, `:name` with emoji. */
export function useCompleting(
  id: string, sessionId: string, field: RefObject<HTMLTextAreaElement | null>, text: string, write: (text: string) => void,
): Completing {
  const [word, setWord] = useState<Word | null>(null);
  const [at, setAt] = useState(0);
  const list = useEmoji(word?.kind === 'emoji');
  const answers = useFindPeople(word?.kind === 'name' && word.text.length >= ASKED_MIN ? word.text : '');
  const offers = word ? offersFor(word, sessionId, list, answers) : [];

  // Before the next key can be typed, so that it lands behind what was put in.
  const caretAt = useRef<number | null>(null);
  useLayoutEffect(() => {
    if (caretAt.current !== null) field.current?.setSelectionRange(caretAt.current, caretAt.current);
    caretAt.current = null;
  }, [field, text]);

  const replace = (start: number, end: number, by: string) => {
    caretAt.current = start + by.length;
    write(text.slice(0, start) + by + text.slice(end));
    setWord(null);
  };
  const look = () => {
    const box = field.current!;
    const before = box.selectionEnd === box.selectionStart ? box.value.slice(0, box.selectionStart) : '';
    const whole = emoji && WHOLE_CODE.exec(before);
    const known = whole && emoji!.byName(whole[1]!);
    // A name with both its colons is the emoji. `text` is what is drawn: only then does it match the field.
    if (known && box.value === text) return replace(whole.index, before.length, inTone(known, toneNow()));
    setWord(wordBefore(before));
    setAt(0);
  };
  const close = () => setWord(null);
  const choose = (offer: Offer) => {
    if (offer.emoji) used(offer.emoji);
    replace(word!.start, field.current!.selectionStart, offer.text);
  };
  const insert = (piece: string) => {
    const box = field.current!;
    replace(box.selectionStart, box.selectionEnd, piece);
    box.focus();
  };
  const keys = (event: KeyboardEvent): boolean => {
    if (!offers.length) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setAt((at + step + offers.length) % offers.length);
    else if ((event.key === 'Enter' && !event.shiftKey) || event.key === 'Tab') choose(offers[at]!);
    else if (event.key === 'Escape') {
      event.stopPropagation();
      close();
    } else return false;
    event.preventDefault();
    return true;
  };
  const aria = offers.length
    ? { 'aria-haspopup': 'listbox', 'aria-controls': `${id}-offers`, 'aria-activedescendant': `${id}-offer-${at}`, 'aria-autocomplete': 'list' }
    : {};
  return { id, offers, at, choose, keys, look, close, insert, aria };
}

function wordBefore(text: string): Word | null {
  const name = NAME.exec(text);
  if (name) return { kind: 'name', text: name[2]!.toLowerCase(), start: text.length - name[1]!.length };
  const code = CODE.exec(text);
  return code && { kind: 'emoji', text: code[2]!.toLowerCase(), start: text.length - code[1]!.length };
}

/** `_answers` counts what the server told of people meanwhile. */
function offersFor(word: Word, sessionId: string, list: List | null, _answers: number): Offer[] {
  if (word.kind === 'name') return namesFor(store.getState(), sessionId, word.text);
  return list ? emojiFor(list.findEmoji(word.text, EMOJI_MAX), toneNow()) : [];
}

export function Completions({ by: { id, offers, at, choose } }: { by: Completing }) {
  const count = <p className="hidden" aria-live="polite">{offers.length > 0 && strings.results(offers.length)}</p>;
  if (!offers.length) return count;
  return (
    <>
      {count}
      <ul className="mentions" id={`${id}-offers`} role="listbox" aria-label={strings.completions}>
        {offers.map((offer, index) => (
          <li key={offer.key} id={`${id}-offer-${index}`} role="option" aria-selected={index === at}
            onMouseDown={(event) => { event.preventDefault(); choose(offer); }}>
            {offer.person && <Avatar id={offer.person.id} name={offer.title} size="small" online={offer.person.online} />}
            {offer.emoji && <span className="offer-emoji" aria-hidden="true">{offer.emoji}</span>}
            <bdi>{offer.title}</bdi> <span className="quiet">{offer.about}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
