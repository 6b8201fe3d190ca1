import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { useParlor } from '../store/store';
import { useFindPeople } from '../store/useUser';
import { strings } from '../strings';
import { Avatar } from '../ui/Avatar';
import { Icon } from '../ui/Icon';
import { allKeys, chipText, offersFor, type Offer } from './offers';
import { chipOf, halfOf, withChip, type Chip, type Query } from './query';

interface Props {
  query: Query;
  /** Whether an answer is waited for. */
  busy: boolean;
  onChange: (query: Query) => void;
  /** Goes from the field into the results. */
  onDown: () => void;
}

/** One field: the conditions as chips, then the words. */
export function SearchField({ query, busy, onChange, onDown }: Props) {
  const field = useRef<HTMLInputElement>(null);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const state = useParlor((held) => held);
  const half = halfOf(query.words);
  const offers = useMemo(() => {
    if (!open) return [];
    if (half) return offersFor(state, half.key, half.value, Date.now());
    return query.words.trim() ? [] : allKeys();
  }, [open, state, half?.key, half?.value, query.words]);
  useEffect(() => field.current?.focus(), []);
  useFindPeople(half?.key === 'from' ? half.value : '');

  const say = (words: string, chips = query.chips) => {
    setAt(-1);
    onChange({ chips, words });
  };
  const type = (text: string) => {
    setOpen(true);
    const done = /(?:^|\s)(\S+|-?[a-z]+:"[^"]+")\s$/i.exec(text);
    const chip = done && chipOf(done[1]!);
    if (chip) say(text.slice(0, text.length - done[0].trimStart().length), withChip(query.chips, chip));
    else say(text);
  };
  const choose = (offer: Offer) => {
    const before = half ? query.words.slice(0, half.at) : query.words;
    const chips = offer.chip ? withChip(query.chips, { ...offer.chip, not: half?.not ?? false }) : query.chips;
    say(before + offer.text, chips);
    if (offer.chip) setOpen(false);
    field.current?.focus();
  };
  const remove = (chip: Chip) => {
    say(query.words, query.chips.filter((other) => other !== chip));
    field.current?.focus();
  };
  const keys = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const last = query.chips.at(-1);
    if (event.key === 'ArrowDown' && !offers.length) {
      if (query.words.trim() || query.chips.length) onDown();
      else setOpen(true);
    } else if (step && offers.length) setAt((at + step + offers.length + (at < 0 && step < 0 ? 1 : 0)) % offers.length);
    else if ((event.key === 'Enter' || event.key === 'Tab') && offers[at]) choose(offers[at]);
    else if (event.key === 'Enter' && half?.value) type(`${query.words} `);
    else if (event.key === 'Enter') setOpen(false);
    else if (event.key === 'Escape' && offers.length) setOpen(false);
    else if (event.key === 'Backspace' && last && field.current?.selectionEnd === 0) remove(last);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="search-field">
      <div className="field-box search-box" data-busy={busy || undefined}>
        <Icon name="search" size={20} />
        <ul className="chips" aria-label={strings.searchConditions} hidden={!query.chips.length}>
          {query.chips.map((chip) => (
            <li key={`${chip.not}${chip.key}${chip.value}`} className="chip">
              <bdi>{chipText(state, chip)}</bdi>
              <button type="button" aria-label={strings.removeCondition(chipText(state, chip))} onClick={() => remove(chip)}>
                <Icon name="close" size={14} />
              </button>
            </li>
          ))}
        </ul>
        <input ref={field} type="search" role="combobox" aria-label={strings.searchMessages} placeholder={query.chips.length ? '' : strings.searchMessages}
          aria-expanded={offers.length > 0} aria-controls="search-offers" aria-autocomplete="list" aria-activedescendant={offers[at] ? `offer-${at}` : undefined}
          data-landmark-focus autoComplete="off" spellCheck={false} maxLength={400} dir="auto" value={query.words} onChange={(event) => type(event.target.value)}
          onKeyDown={keys} onBlur={() => setOpen(false)} />
      </div>
      {offers.length > 0 && (
        <ul className="mentions search-offers" id="search-offers" role="listbox" aria-label={strings.searchConditions}>
          {offers.map((offer, index) => (
            <li key={offer.key} id={`offer-${index}`} role="option" aria-selected={index === at}
              onMouseDown={(event) => { event.preventDefault(); choose(offer); }}>
              {offer.avatar && <Avatar id={offer.avatar.id} room={offer.avatar.room} name={offer.title} size="small" />}
              <bdi className={offer.chip ? '' : 'offer-key'}>{offer.title}</bdi> <span className="quiet">{offer.about}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
