import type { Taken } from './parse';
import type { Block, Item } from './tree';

export interface Marker {
  indent: number;
  /** How far the marker and the blanks behind it reach. */
  width: number;
  /** The first number; null where there are bullets. */
  start: number | null;
}

const MARKER = /^( {0,3})(?:[-*+•]|(\d{1,6})[.)]) +(?=\S)/;
const NESTED = /^( *)(?:[-*+•]|(\d{1,6})[.)]) +(?=\S)/;

export function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

export function marker(line: string): Marker | null {
  return read(MARKER.exec(line));
}

function read(match: RegExpExecArray | null): Marker | null {
  return match && { indent: match[1]!.length, width: match[0].length, start: match[2] === undefined ? null : Number(match[2]) };
}

/** Reads a list that begins at line `at`; `inside` reads what is in an item. */
export function takeList(lines: string[], at: number, first: Marker, inside: (lines: string[]) => Block[]): Taken {
  const items: Item[] = [];
  let next = at;
  while (next < lines.length) {
    const mark = marker(lines[next]!);
    if (!mark || (mark.start === null) !== (first.start === null)) break;
    const end = itemEnd(lines, next, mark);
    const own = lines.slice(next, end).map((line, row) => line.slice(row === 0 ? mark.width : Math.min(indentOf(line), mark.width)));
    items.push(item(own, inside));
    next = end;
    const blank = lines[next]?.trim() === '' && marker(lines[next + 1] ?? '') !== null;
    if (blank) next += 1;
  }
  return { block: { kind: 'list', start: first.start, items }, next };
}

/** The line after an item: it holds what is indented, across one blank line, too. */
function itemEnd(lines: string[], at: number, mark: Marker): number {
  const deep = Math.min(mark.width, 2);
  let next = at + 1;
  while (next < lines.length) {
    const blank = lines[next]!.trim() === '';
    const line = blank ? (lines[next + 1] ?? '') : lines[next]!;
    if (line.trim() === '' || indentOf(line) < deep || isSibling(line, mark)) break;
    next += blank ? 2 : 1;
  }
  return next;
}

function isSibling(line: string, mark: Marker): boolean {
  const other = read(NESTED.exec(line));
  return other !== null && other.indent <= mark.indent;
}

const TASK = /^\[([ xX])\] +(?=\S)/;

function item(lines: string[], inside: (lines: string[]) => Block[]): Item {
  const task = TASK.exec(lines[0]!);
  if (!task) return { done: null, children: inside(lines) };
  return { done: task[1] !== ' ', children: inside([lines[0]!.slice(task[0].length), ...lines.slice(1)]) };
}
