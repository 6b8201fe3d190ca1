import { parseInline } from './inline';
import type { Block } from './tree';

const DEPTH_MAX = 6;
const FENCE = /^\s{0,3}(`{3,}|~{3,})\s*([\w+#.-]*)[^`]*$/;
const QUOTE = /^\s{0,3}>\s?/;
const ITEM = /^(\s{0,3})(?:([-*+])|(\d{1,6})[.)])\s+(?=\S)/;
const HEADING = /^\s{0,3}#{1,6}\s+(.*?)\s*#*$/;
const RULE = /^\s{0,3}(?:-{3,}|\*{3,}|_{3,})\s*$/;

/** Reads a message's Markdown source. Raw HTML has no meaning in it: it is text. */
export function parse(source: string): Block[] {
  return blocks(source.replace(/\r\n?/g, '\n').split('\n'), 0);
}

function blocks(lines: string[], depth: number): Block[] {
  const found: Block[] = [];
  let paragraph: string[] = [];
  const flush = () => {
    const text = paragraph.join('\n').trim();
    if (text) found.push({ kind: 'paragraph', children: parseInline(text) });
    paragraph = [];
  };
  let at = 0;
  while (at < lines.length) {
    const taken = special(lines, at, depth, paragraph.length > 0);
    if (taken) {
      flush();
      found.push(taken.block);
      at = taken.next;
      continue;
    }
    if (lines[at]!.trim() === '') flush();
    else paragraph.push(lines[at]!.trimStart());
    at += 1;
  }
  flush();
  return found;
}

interface Taken {
  block: Block;
  next: number;
}

function special(lines: string[], at: number, depth: number, inParagraph: boolean): Taken | null {
  const line = lines[at]!;
  const fence = FENCE.exec(line);
  if (fence) return code(lines, at, fence[1]!, fence[2]!);
  if (depth < DEPTH_MAX && QUOTE.test(line)) return quote(lines, at, depth);
  if (RULE.test(line) && !inParagraph) return { block: { kind: 'rule' }, next: at + 1 };
  const heading = HEADING.exec(line);
  if (heading?.[1]) return { block: { kind: 'heading', children: parseInline(heading[1]) }, next: at + 1 };
  const item = ITEM.exec(line);
  // A line of prose that happens to begin with a number does not open a list, unless it counts from 1.
  if (item && depth < DEPTH_MAX && (!inParagraph || item[2] || item[3] === '1')) return list(lines, at, item, depth);
  return null;
}

function code(lines: string[], at: number, fence: string, language: string): Taken {
  const closes = (line: string) => {
    const bare = line.trim();
    return bare.length >= fence.length && bare === fence[0]!.repeat(bare.length);
  };
  let end = at + 1;
  while (end < lines.length && !closes(lines[end]!)) end += 1;
  const text = lines.slice(at + 1, end).join('\n');
  return { block: { kind: 'code', language: language.toLowerCase(), text }, next: end + 1 };
}

function quote(lines: string[], at: number, depth: number): Taken {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end]!)) end += 1;
  const inside = lines.slice(at, end).map((line) => line.replace(QUOTE, ''));
  return { block: { kind: 'quote', children: blocks(inside, depth + 1) }, next: end };
}

function list(lines: string[], at: number, first: RegExpExecArray, depth: number): Taken {
  const ordered = first[3] !== undefined;
  const items: string[][] = [];
  let next = at;
  while (next < lines.length) {
    const match = ITEM.exec(lines[next]!);
    if (!match || (match[3] !== undefined) !== ordered) break;
    const width = match[0].length;
    const item = [lines[next]!.slice(width)];
    next += 1;
    while (next < lines.length && lines[next]!.trim() && indent(lines[next]!) >= Math.min(width, 2) && !sibling(lines[next]!, match)) {
      item.push(lines[next]!.slice(Math.min(indent(lines[next]!), width)));
      next += 1;
    }
    items.push(item);
    const blank = lines[next]?.trim() === '' && ITEM.test(lines[next + 1] ?? '');
    if (blank) next += 1;
  }
  const children = items.map((item) => blocks(item, depth + 1));
  return { block: { kind: 'list', start: ordered ? Number(first[3]) : null, items: children }, next };
}

function sibling(line: string, match: RegExpExecArray): boolean {
  const other = ITEM.exec(line);
  return other !== null && other[1]!.length <= match[1]!.length;
}

function indent(line: string): number {
  return line.length - line.trimStart().length;
}

/** The source as one line of plain words, for quotes and labels. */
export function plainText(source: string): string {
  return source
    .replace(/```[\w+#.-]*\n?/g, '')
    .replace(/\[([^\]]+)\]\([^)\s]+\)/g, '$1')
    .replace(/^\s{0,3}(?:>\s?|#{1,6}\s+|[-*+]\s+)/gm, '')
    .replace(/(\*\*|__|~~|`)/g, '')
    .replace(/(^|[\s(])[*_]([^*_\n]+)[*_](?=[\s).,!?:;]|$)/g, '$1$2')
    .replace(/\s+/g, ' ')
    .trim();
}
