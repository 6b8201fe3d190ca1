import { MENTION } from '../store/mentions';
import { calmCode } from './calm';
import { addressEnd, ADDRESS_MAX, safeHref, trust } from './links';
import type { Meter } from './meter';
import { shortcode } from './shortcodes';
import { MOST, type Inline } from './tree';

type Span = 'strong' | 'em' | 'strike' | 'spoiler';

interface Frame {
  span: Span | null;
  marker: string;
  nodes: Inline[];
}

const SPANS: Record<string, Span> = { '**': 'strong', __: 'strong', '*': 'em', _: 'em', '~~': 'strike', '||': 'spoiler' };
const WORD = /[\p{L}\p{N}]/u;
const SPACE = /\s/;
const MENTION_HERE = new RegExp(MENTION.source, 'uy');
const CODE_HERE = /:([a-z0-9_+-]{2,32}):/y;
const SPECIAL = /[\\`*_~|[!<\n:@hHwWm]/g;
const PUNCTUATION = /[!-/:-@[-`{-~]/;
const LABEL_MAX = 1_000;
const BALANCE_MAX = 3;

/** Reads one run of text. Every character is looked at a bounded number of times. */
export function parseInline(text: string, meter: Meter, inLink = false): Inline[] {
  if (!meter.open()) return text ? [{ kind: 'text', text }] : [];
  meter.look(text.length);
  return new InlineParser(text, meter, inLink).run();
}

class InlineParser {
  private at = 0;
  private plain = '';
  private readonly stack: Frame[] = [{ span: null, marker: '', nodes: [] }];
  private ticks: Map<number, Ticks> | null = null;

  constructor(
    private readonly text: string,
    private readonly meter: Meter,
    private readonly inLink: boolean,
  ) {}

  run(): Inline[] {
    while (this.at < this.text.length) {
      SPECIAL.lastIndex = this.at;
      const found = this.meter.open() ? SPECIAL.exec(this.text) : null;
      const next = found?.index ?? this.text.length;
      this.plain += this.text.slice(this.at, next);
      this.at = next;
      this.meter.look(1);
      if (next < this.text.length && !this.special(this.text[next]!)) this.plain += this.text[this.at++];
    }
    this.flush();
    while (this.stack.length > 1) this.flatten();
    return this.stack[0]!.nodes;
  }

  private special(letter: string): boolean {
    switch (letter) {
      case '\\': return this.escape();
      case '`': return this.code();
      case '\n': return this.lineBreak();
      case '!': return this.text[this.at + 1] === '[' && this.link(this.at + 1);
      case '[': return this.link(this.at);
      case '<': return this.pointed();
      case ':': return this.emoji();
      case '@': return this.mention();
      case '*': case '_': case '~': case '|': return this.delimiter(letter);
      default: return this.address();
    }
  }

  private escape(): boolean {
    const next = this.text[this.at + 1];
    if (!next || !PUNCTUATION.test(next)) return false;
    this.plain += next;
    this.at += 2;
    return true;
  }

  private code(): boolean {
    const length = runOf(this.text, this.at);
    const from = this.at + length;
    const end = this.closingTicks(length, from);
    if (end < 0) {
      this.plain += '`'.repeat(length);
      this.at = from;
      return true;
    }
    const inside = calmCode(this.text.slice(from, end).replaceAll('\n', ' '));
    const padded = inside.startsWith(' ') && inside.endsWith(' ') && inside.trim() !== '';
    this.push({ kind: 'code', text: padded ? inside.slice(1, -1) : inside });
    this.at = end + length;
    return true;
  }

  /** Where the next run of exactly so many backticks begins. All runs are found in one pass. */
  private closingTicks(length: number, from: number): number {
    this.ticks ??= ticksOf(this.text);
    const runs = this.ticks.get(length);
    if (!runs) return -1;
    while (runs.next < runs.places.length && runs.places[runs.next]! < from) runs.next += 1;
    return runs.places[runs.next] ?? -1;
  }

  private lineBreak(): boolean {
    this.push({ kind: 'break' });
    this.at += 1;
    return true;
  }

  /** `[words](address)`, and a picture's `![words](address)`: what is elsewhere is not fetched, only linked. */
  private link(bracket: number): boolean {
    if (this.inLink) return false;
    const labelEnd = this.labelEnd(bracket + 1);
    if (labelEnd < 0) return false;
    const target = this.target(labelEnd + 2);
    const url = target && safeHref(target.address);
    if (!target || !url) return false;
    const label = this.text.slice(bracket + 1, labelEnd);
    const children = parseInline(label, this.meter, true);
    this.push({ kind: 'link', href: url.href, ...trust(wordsOf(children, true), url), children });
    this.at = target.end;
    return true;
  }

  private labelEnd(from: number): number {
    const most = Math.min(this.text.length, from + LABEL_MAX);
    let at = from;
    for (; at < most; at += 1) {
      const letter = this.text[at];
      if (letter === '\\') at += 1;
      else if (letter === '[' || letter === '\n') break;
      else if (letter === ']') {
        this.meter.look(at - from);
        return this.text[at + 1] === '(' && at > from ? at : -1;
      }
    }
    this.meter.look(at - from);
    return -1;
  }

  /** The address between parentheses, and where they end. A title is read over. */
  private target(from: number): { address: string; end: number } | null {
    const most = Math.min(this.text.length, from + ADDRESS_MAX);
    let at = from;
    while (this.text[at] === ' ') at += 1;
    const pointed = this.text[at] === '<';
    const start = pointed ? at + 1 : at;
    let open = 0;
    for (at = start; at < most; at += 1) {
      const letter = this.text[at]!;
      if (SPACE.test(letter) || letter === '<' || (pointed ? letter === '>' : letter === ')' && open === 0)) break;
      if (letter === '(') open += 1;
      else if (letter === ')') open -= 1;
      if (open > BALANCE_MAX) return null;
    }
    this.meter.look(at - from);
    const address = this.text.slice(start, at);
    if (pointed && this.text[at++] !== '>') return null;
    const rest = /^\s*(?:"[^"\n]{0,300}"\s*)?\)/.exec(this.text.slice(at, at + 320));
    return rest ? { address, end: at + rest[0].length } : null;
  }

  /** `<https://…>`. */
  private pointed(): boolean {
    const inside = /^<((?:https?:\/\/|mailto:)[^\s<>]{1,2000})>/i.exec(this.text.slice(this.at, this.at + ADDRESS_MAX))?.[1];
    this.meter.look(inside?.length ?? 8);
    return inside !== undefined && this.bare(inside, this.at + inside.length + 2);
  }

  private address(): boolean {
    if (WORD.test(this.text[this.at - 1] ?? '')) return false;
    if (!/^(?:https?:\/\/|mailto:|www\.)[^\s/.]/i.test(this.text.slice(this.at, this.at + 9))) return false;
    const end = addressEnd(this.text, this.at);
    this.meter.look(end - this.at);
    return this.bare(this.text.slice(this.at, end), end);
  }

  private bare(words: string, end: number): boolean {
    if (this.inLink) return false;
    const url = safeHref(/^www\./i.test(words) ? `https://${words}` : words);
    if (!url || (url.protocol === 'mailto:' ? !url.pathname.includes('@') : !url.hostname)) return false;
    const told = trust(words, url);
    const text = told.lookalike ? url.href : words;
    this.push({ kind: 'link', href: url.href, ...told, children: [{ kind: 'text', text }] });
    this.at = end;
    return true;
  }

  private emoji(): boolean {
    CODE_HERE.lastIndex = this.at;
    const match = CODE_HERE.exec(this.text);
    const emoji = match && shortcode(match[1]!);
    if (!emoji) return false;
    this.plain += emoji;
    this.at += match[0].length;
    return true;
  }

  private mention(): boolean {
    if (this.inLink) return false;
    MENTION_HERE.lastIndex = this.at;
    const match = MENTION_HERE.exec(this.text);
    this.meter.look(match?.[0].length ?? 1);
    if (!match) return false;
    this.push({ kind: 'mention', name: match[1]! });
    this.at += match[0].length;
    return true;
  }

  private delimiter(letter: string): boolean {
    const run = runOf(this.text, this.at);
    this.meter.look(run);
    const paired = letter === '~' || letter === '|';
    const before = this.text[this.at - 1] ?? ' ';
    const after = this.text[this.at + run] ?? ' ';
    const inWord = letter === '_' && WORD.test(before) && WORD.test(after);
    if ((paired && run !== 2) || (!paired && run > RUN_MAX) || inWord) return this.literal(run);
    let left = run;
    if (!SPACE.test(before)) left = this.closeWith(letter, left);
    const opens = !SPACE.test(after) && !(letter === '_' && WORD.test(before) && left === run);
    while (left > 0) {
      const marker = letter.repeat(Math.min(left, left === 2 || paired ? 2 : 1));
      if (!opens || this.stack.length > MOST.spans || this.stack.some((frame) => frame.marker === marker)) return this.literal(left);
      this.open(marker);
      left -= marker.length;
    }
    return true;
  }

  /** Closes open spans with a run of so many letters; gives back how many are left. */
  private closeWith(letter: string, run: number): number {
    let left = run;
    while (left > 0) {
      const exact = left <= 2 ? this.stack.findLastIndex((frame) => frame.marker === letter.repeat(left)) : -1;
      const open = exact > 0 ? exact : this.stack.findLastIndex((frame) => frame.marker[0] === letter && frame.marker.length <= left);
      if (open <= 0) return left;
      left -= this.stack[open]!.marker.length;
      this.close(open);
    }
    return left;
  }

  private open(marker: string): void {
    this.flush();
    this.stack.push({ span: SPANS[marker]!, marker, nodes: [] });
    this.at += marker.length;
  }

  private close(open: number): void {
    this.flush();
    while (this.stack.length - 1 > open) this.flatten();
    const { span, marker, nodes } = this.stack.pop()!;
    this.at += marker.length;
    if (nodes.length && this.meter.node()) this.top().push({ kind: span!, children: nodes });
    else this.top().push({ kind: 'text', text: marker }, ...nodes, { kind: 'text', text: marker });
  }

  private literal(count: number): boolean {
    this.plain += this.text.slice(this.at, this.at + count);
    this.at += count;
    return true;
  }

  /** A span that was never closed is plain text after all. */
  private flatten(): void {
    const frame = this.stack.pop()!;
    this.top().push({ kind: 'text', text: frame.marker });
    for (const node of frame.nodes) this.top().push(node);
  }

  private push(node: Inline): void {
    this.flush();
    this.meter.node();
    this.top().push(node);
  }

  private flush(): void {
    if (!this.plain) return;
    const last = this.top().at(-1);
    if (last?.kind === 'text') last.text += this.plain;
    else {
      this.meter.node();
      this.top().push({ kind: 'text', text: this.plain });
    }
    this.plain = '';
  }

  private top(): Inline[] {
    return this.stack.at(-1)!.nodes;
  }
}

const RUN_MAX = 3;

/** Where the runs of backticks of one length begin, and which of them is the next to look at. */
interface Ticks {
  places: number[];
  next: number;
}

function ticksOf(text: string): Map<number, Ticks> {
  const found = new Map<number, Ticks>();
  for (const run of text.matchAll(/`+/g)) {
    const runs = found.get(run[0].length);
    if (runs) runs.places.push(run.index);
    else found.set(run[0].length, { places: [run.index], next: 0 });
  }
  return found;
}

/** How often the letter at `at` stands there in a row. */
function runOf(text: string, at: number): number {
  let end = at + 1;
  while (text[end] === text[at]) end += 1;
  return end - at;
}

/** The words of nodes, without how they look. A spoiler's are told only when asked for. */
export function wordsOf(nodes: Inline[], all = false): string {
  return nodes.map((node) => {
    switch (node.kind) {
      case 'text': case 'code': return node.text;
      case 'break': return ' ';
      case 'mention': return `@${node.name}`;
      case 'spoiler': return all ? wordsOf(node.children, all) : '▒▒▒';
      default: return wordsOf(node.children, all);
    }
  }).join('');
}
