import { parseInline } from './inline';
import type { Meter } from './meter';
import type { Taken } from './parse';
import { MOST, type Align, type Inline } from './tree';

/** Reads a table that begins at line `at`: names, a line of hyphens, rows. */
export function takeTable(lines: string[], at: number, meter: Meter): Taken | null {
  const names = lines[at]!;
  const under = lines[at + 1];
  if (under === undefined || !names.includes('|') || !under.includes('-')) return null;
  const align = alignsOf(under);
  const head = cellsOf(names);
  if (!align || head.length !== align.length || head.length > MOST.columns) return null;
  const draw = (cells: string[]): Inline[][] => align.map((_, column) => parseInline(cells[column] ?? '', meter));
  const rows: Inline[][][] = [];
  let next = at + 2;
  while (next < lines.length && rows.length < MOST.rows && lines[next]!.includes('|')) {
    meter.look(lines[next]!.length);
    rows.push(draw(cellsOf(lines[next]!)));
    next += 1;
  }
  return { block: { kind: 'table', align, head: draw(head), rows }, next };
}

function alignsOf(line: string): Align[] | null {
  const aligns: Align[] = [];
  for (const cell of cellsOf(line)) {
    if (!/^:?-{1,100}:?$/.test(cell)) return null;
    const [left, right] = [cell.startsWith(':'), cell.endsWith(':')];
    aligns.push(left && right ? 'center' : right ? 'end' : 'start');
  }
  return line.includes('|') ? aligns : null;
}

/** The cells between bars; a bar behind a backslash, or in code, belongs to its cell. */
function cellsOf(line: string): string[] {
  const cells: string[] = [];
  let cell = '';
  let code = false;
  const bare = line.trim();
  const from = bare.startsWith('|') ? 1 : 0;
  for (let at = from; at < bare.length; at += 1) {
    const letter = bare[at]!;
    if (letter === '\\' && bare[at + 1] === '|') {
      cell += '|';
      at += 1;
    } else if (letter === '|' && !code) {
      cells.push(cell.trim());
      cell = '';
    } else {
      if (letter === '`') code = !code;
      cell += letter;
    }
  }
  return cell.trim() || !bare.endsWith('|') ? [...cells, cell.trim()] : cells;
}
