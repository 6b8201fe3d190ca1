import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { Virtualizer, type VirtualizerHandle } from 'virtua';
import { strings } from '../strings';
import { Icon } from '../ui/Icon';
import { findEmoji, groups, nameOfEmoji } from './list';
import './emoji.css';
import { closePicker } from './PickerHost';
import { quick, setTone, used, useTaste } from './recent';
import { inTone, type Emoji } from './tone';

const COLUMNS = 9;
const FOUND_MAX = 90;
const GAP_PX = 6;
const EDGE_PX = 8;

interface Cell {
  emoji: string;
  name: string;
}

/** A line of the picker: the name of a group, or some of its emoji. `first` counts the cells before it. */
type Line = { title: string } | { cells: Cell[]; first: number };

interface Props {
  anchor: HTMLElement;
  choose: (emoji: string) => void;
  back: HTMLElement;
}

/** All emoji, found by name; the field keeps the focus, and the arrow keys walk the grid below it. */
export default function Picker({ anchor, choose, back }: Props) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const list = useRef<VirtualizerHandle>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const tone = useTaste((state) => state.tone);
  const [recent] = useState(useTaste((state) => state.recent));
  const lines = useMemo(() => linesOf(text, tone, recent), [text, tone, recent]);
  const cells = useMemo(() => lines.flatMap((line) => ('cells' in line ? line.cells : [])), [lines]);
  usePlace(box, anchor, back);

  useEffect(() => {
    if (at === 0) {
      // Not by index: before the box has a size, the first line would be scrolled past.
      scroller.current?.scrollTo({ top: 0 });
      return;
    }
    const line = lines.findIndex((one) => 'cells' in one && at >= one.first && at < one.first + one.cells.length);
    list.current?.scrollToIndex(line, { align: 'nearest' });
  }, [at, lines]);

  const pick = (emoji: string) => {
    used(emoji);
    box.current?.hidePopover();
    choose(emoji);
  };
  const keys = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const to = step(event.key, at, lines);
    if (to !== null) setAt(Math.max(0, Math.min(cells.length - 1, to)));
    else if (event.key === 'Enter' && cells[at]) pick(cells[at].emoji);
    else return;
    event.preventDefault();
  };
  return (
    <div ref={box} popover="auto" className="emoji" role="dialog" aria-label={strings.emoji} onToggle={(event) => event.newState === 'closed' && closePicker()}
      onKeyDown={(event) => event.stopPropagation()}>
      <div className="emoji-find">
        <Icon name="search" size={18} />
        <input type="search" role="combobox" aria-label={strings.findEmoji} placeholder={strings.findEmoji} aria-expanded="true" aria-controls={`${id}grid`}
          aria-autocomplete="list" aria-activedescendant={cells[at] ? `${id}${at}` : undefined} autoComplete="off" spellCheck={false} value={text}
          onChange={(event) => { setText(event.target.value); setAt(0); }} onKeyDown={keys} />
      </div>
      <p className="hidden" aria-live="polite">{text && strings.results(cells.length)}</p>
      <div ref={scroller} className="emoji-scroll" id={`${id}grid`} role="grid" aria-label={strings.emoji} aria-rowcount={lines.length} tabIndex={-1}>
        <Virtualizer ref={list} scrollRef={scroller} bufferSize={200} keepMounted={[0]}>
          {lines.map((line, row) => 'title' in line
            ? <div key={row} role="row" className="emoji-title"><span role="gridcell" aria-colspan={COLUMNS}>{line.title}</span></div>
            : (
              <div key={row} role="row" className="emoji-row">
                {line.cells.map(({ emoji, name }, column) => (
                  <span key={emoji} id={`${id}${line.first + column}`} role="gridcell" className="emoji-cell" aria-label={name} title={name}
                    aria-selected={line.first + column === at} onMouseMove={() => setAt(line.first + column)} onClick={() => pick(emoji)}>{emoji}</span>
                ))}
              </div>
            ))}
        </Virtualizer>
        {!cells.length && <p className="quiet emoji-none">{strings.noEmoji}</p>}
      </div>
      <footer className="emoji-foot">
        <span className="emoji-name"><span aria-hidden="true">{cells[at]?.emoji}</span> {cells[at]?.name}</span>
        <Tones tone={tone} />
      </footer>
    </div>
  );
}

const HAND: Emoji = { emoji: '✋', name: '', toned: true, short: [] };

function Tones({ tone }: { tone: number }) {
  return (
    <fieldset className="emoji-tones">
      <legend className="hidden">{strings.skinTone}</legend>
      {strings.skinTones.map((name, value) => (
        <label key={name} className="emoji-tone" title={name}>
          <input type="radio" name="tone" checked={tone === value} aria-label={name} onChange={() => setTone(value)} />
          <span aria-hidden="true">{inTone(HAND, value)}</span>
        </label>
      ))}
    </fieldset>
  );
}

function linesOf(text: string, tone: number, recent: string[]): Line[] {
  const draw = (one: Emoji): Cell => ({ emoji: inTone(one, tone), name: one.name });
  const lines: Line[] = [];
  let first = 0;
  const add = (cells: Cell[]) => {
    for (let at = 0; at < cells.length; at += COLUMNS) {
      lines.push({ cells: cells.slice(at, at + COLUMNS), first: first + at });
    }
    first += cells.length;
  };
  if (text.trim()) {
    add(findEmoji(text, FOUND_MAX).map(draw));
    return lines;
  }
  lines.push({ title: strings.recentEmoji });
  add(quick(recent, 2 * COLUMNS).map((emoji) => ({ emoji, name: nameOfEmoji(emoji) })));
  for (const { name, list } of groups) {
    lines.push({ title: strings.emojiGroups[name] ?? name });
    add(list.map(draw));
  }
  return lines;
}

/** Where an arrow key leads from the cell at `at`: up and down keep the column. */
function step(key: string, at: number, lines: Line[]): number | null {
  if (key === 'ArrowRight') return at + 1;
  if (key === 'ArrowLeft') return at - 1;
  const down = { ArrowDown: 1, ArrowUp: -1, PageDown: 5, PageUp: -5 }[key];
  if (!down) return null;
  const rows = lines.filter((line) => 'cells' in line);
  const row = rows.findIndex((line) => at < line.first + line.cells.length);
  const to = rows[Math.max(0, Math.min(rows.length - 1, row + down))];
  return to ? to.first + Math.min(at - rows[row]!.first, to.cells.length - 1) : null;
}

/** Opens beside its anchor: above where there is room, else below; on a phone along the foot. */
function usePlace(box: React.RefObject<HTMLDivElement | null>, anchor: HTMLElement, back: HTMLElement): void {
  useLayoutEffect(() => {
    const popup = box.current!;
    popup.showPopover();
    const by = anchor.getBoundingClientRect();
    const above = by.top - popup.offsetHeight - GAP_PX;
    const left = Math.max(EDGE_PX, Math.min(by.right - popup.offsetWidth, innerWidth - popup.offsetWidth - EDGE_PX));
    const top = above >= EDGE_PX ? above : Math.min(by.bottom + GAP_PX, innerHeight - popup.offsetHeight - EDGE_PX);
    popup.style.left = `${left}px`;
    popup.style.top = `${Math.max(EDGE_PX, top)}px`;
    popup.querySelector('input')?.focus();
    return () => {
      if (back.isConnected && (document.activeElement === document.body || popup.contains(document.activeElement))) back.focus();
    };
  }, [box, anchor, back]);
}
