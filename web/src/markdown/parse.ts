import { calm, calmCode } from './calm';
import { parseInline, wordsOf } from './inline';
import { indentOf, marker, takeList } from './lists';
import { Meter } from './meter';
import { takeTable } from './table';
import { MOST, type Block, type Inline } from './tree';

/** A block that was read, and the line after it. */
export interface Taken {
  block: Block;
  next: number;
}

const KEPT_MAX = 300;
const kept = new Map<string, Block[]>();

/** Reads a message's Markdown source. Raw HTML has no meaning in it: it is text. */
export function parse(source: string): Block[] {
  const known = kept.get(source);
  if (known) return known;
  if (kept.size >= KEPT_MAX) kept.clear();
  const blocks = parseCounted(source).blocks;
  kept.set(source, blocks);
  return blocks;
}

/** Reads it and tells what it cost. */
export function parseCounted(source: string): { blocks: Block[]; meter: Meter } {
  const whole = source.length <= MOST.source ? source : `${source.slice(0, MOST.source)} …`;
  const text = calm(whole);
  const meter = new Meter(text.length);
  return { blocks: blocksOf(text.split('\n').map(spaced), 0, meter), meter };
}

/** Tabs at the beginning of a line are four blanks wide. */
function spaced(line: string): string {
  return line.startsWith('\t') || line.startsWith(' ') ? line.replace(/^[\t ]{1,40}/, (blank) => blank.replaceAll('\t', '    ')) : line;
}

export function blocksOf(lines: string[], depth: number, meter: Meter): Block[] {
  const found: Block[] = [];
  let paragraph: string[] = [];
  const flush = () => {
    const text = paragraph.join('\n').trim();
    if (text) found.push({ kind: 'paragraph', children: parseInline(text, meter) });
    paragraph = [];
  };
  let at = 0;
  while (at < lines.length) {
    const line = lines[at]!;
    meter.look(line.length + 1);
    const taken = meter.open() ? special(lines, at, depth, paragraph.length > 0, meter) : null;
    if (taken) {
      flush();
      meter.node();
      found.push(taken.block);
      at = taken.next;
      continue;
    }
    if (line.trim() === '') flush();
    else paragraph.push(line.trimStart());
    at += 1;
  }
  flush();
  return found;
}

function special(lines: string[], at: number, depth: number, inParagraph: boolean, meter: Meter): Taken | null {
  const line = lines[at]!;
  const indent = indentOf(line);
  if (indent > 3 || indent === line.length) return null;
  switch (line[indent]) {
    case '`': case '~': {
      const opened = fenceOf(line, indent);
      return opened && code(lines, at, opened);
    }
    case '>': return depth < MOST.depth ? quote(lines, at, depth, meter) : null;
    case '#': return heading(line, indent, at, meter);
    default: return rule(line, at, inParagraph) ?? list(lines, at, depth, inParagraph, meter) ?? takeTable(lines, at, meter);
  }
}

function list(lines: string[], at: number, depth: number, inParagraph: boolean, meter: Meter): Taken | null {
  const first = marker(lines[at]!);
  if (!first || depth >= MOST.depth) return null;
  // A line of prose that happens to begin with a number does not open a list, unless it counts from 1.
  if (inParagraph && first.start !== null && first.start !== 1) return null;
  return takeList(lines, at, first, (inside) => blocksOf(inside, depth + 1, meter));
}

interface Fence {
  letter: string;
  length: number;
  language: string;
}

function fenceOf(line: string, indent: number): Fence | null {
  const letter = line[indent]!;
  let end = indent;
  while (line[end] === letter) end += 1;
  const info = line.slice(end).trim();
  if (end - indent < 3 || (letter === '`' && info.includes('`'))) return null;
  const language = /^[\w+#.-]{0,24}/.exec(info)![0].toLowerCase();
  return { letter, length: end - indent, language };
}

function code(lines: string[], at: number, { letter, length, language }: Fence): Taken {
  const closes = (line: string) => {
    const bare = line.trim();
    return bare.length >= length && bare[0] === letter && bare === letter.repeat(bare.length);
  };
  let end = at + 1;
  while (end < lines.length && !closes(lines[end]!)) end += 1;
  const text = calmCode(lines.slice(at + 1, end).join('\n'));
  return { block: { kind: 'code', language, text }, next: end + 1 };
}

const QUOTE = /^ {0,3}> ?/;

function quote(lines: string[], at: number, depth: number, meter: Meter): Taken {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end]!)) end += 1;
  const inside = lines.slice(at, end).map((line) => line.replace(QUOTE, ''));
  return { block: { kind: 'quote', children: blocksOf(inside, depth + 1, meter) }, next: end };
}

function heading(line: string, indent: number, at: number, meter: Meter): Taken | null {
  let end = indent;
  while (line[end] === '#') end += 1;
  const level = end - indent;
  if (level > 6 || line[end] !== ' ') return null;
  let last = line.length;
  while (last > end && (line[last - 1] === '#' || line[last - 1] === ' ')) last -= 1;
  // Only hashes that stand apart close a heading: `# C#` keeps its own.
  if (line[last] === '#') last = line.trimEnd().length;
  const text = line.slice(end, last).trim();
  return text ? { block: { kind: 'heading', level, children: parseInline(text, meter) }, next: at + 1 } : null;
}

const RULE = /^ {0,3}(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,})$/;
const RULE_MAX = 200;

function rule(line: string, at: number, inParagraph: boolean): Taken | null {
  return !inParagraph && line.length <= RULE_MAX && RULE.test(line) ? { block: { kind: 'rule' }, next: at + 1 } : null;
}

/** The source as one line of plain words, for quotes, labels and notices. */
export function plainText(source: string): string {
  return wordsIn(parse(source)).replace(/\s+/g, ' ').trim();
}

function wordsIn(blocks: Block[]): string {
  return blocks.map((block) => {
    switch (block.kind) {
      case 'paragraph': case 'heading': return wordsOf(block.children);
      case 'code': return block.text;
      case 'quote': return wordsIn(block.children);
      case 'list': return block.items.map((item) => wordsIn(item.children)).join(' ');
      case 'table': return [block.head, ...block.rows].map((row: Inline[][]) => row.map((cell) => wordsOf(cell)).join(' ')).join(' ');
      case 'rule': return '';
    }
  }).join(' ');
}
