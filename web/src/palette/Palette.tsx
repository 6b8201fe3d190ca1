import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { store } from '../store/store';
import { useFindPeople } from '../store/useUser';
import { strings } from '../strings';
import { Avatar } from '../ui/Avatar';
import { closeDialog, Dialog } from '../ui/dialog';
import { Icon } from '../ui/Icon';
import { allEntries, matching, type Entry } from './entries';

/** One field for everything: rooms, sessions, people, commands. */
export default function Palette() {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const people = useFindPeople(text);
  const found = useMemo(() => matching(allEntries(store.getState()), text), [text, people]);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  }, [at, found]);

  const choose = (entry: Entry | undefined) => {
    if (!entry) return;
    closeDialog();
    entry.act();
  };
  const keys = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) setAt((at + step + found.length) % found.length);
    else if (event.key === 'Enter') choose(found[at]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title={strings.palette} className="palette" bare>
      <div className="palette-field">
        <Icon name="search" />
        <input role="combobox" aria-expanded={found.length > 0} aria-controls="palette-list" aria-autocomplete="list"
          aria-activedescendant={found.length ? `palette-${at}` : undefined} aria-label={strings.palette} autoFocus
          placeholder={strings.paletteHint} value={text} autoComplete="off" spellCheck={false}
          onChange={(event) => { setText(event.target.value); setAt(0); }} onKeyDown={keys} />
      </div>
      <p className="hidden" aria-live="polite">{strings.results(found.length)}</p>
      <div className="palette-list" id="palette-list" role="listbox" aria-label={strings.palette} ref={list} tabIndex={-1}>
        {found.map((entry, index) => (
          <div key={entry.key} className="palette-group" role="presentation">
            {entry.section !== found[index - 1]?.section && <p className="palette-section" role="presentation">{strings.paletteSections[entry.section]}</p>}
            <div id={`palette-${index}`} role="option" aria-selected={index === at} className="palette-entry"
              onMouseMove={() => setAt(index)} onClick={() => choose(entry)}>
              {entry.avatar ? <Avatar id={entry.avatar.id} room={entry.avatar.room} name={entry.title} size="small" /> : <Icon name="check" size={18} />}
              <span className="palette-title"><bdi>{entry.title}</bdi> <span className="quiet">{entry.about}</span></span>
              {entry.unread > 0 && <span className="count">{entry.unread > 99 ? '99+' : entry.unread}</span>}
            </div>
          </div>
        ))}
      </div>
      {found.length === 0 && <p className="quiet palette-none">{strings.paletteNone}</p>}
      <p className="palette-keys" aria-hidden="true">{strings.paletteKeys.map((key) => <span key={key}>{key}</span>)}</p>
    </Dialog>
  );
}
