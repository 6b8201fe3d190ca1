import { MENTION } from '../store/mentions';
import { addressEnd, hiddenHost, safeHref } from './links';
import type { Inline } from './tree';

type Span = 'strong' | 'em' | 'strike';

interface Frame {
  span: Span | null;
  marker: string;
  nodes: Inline[];
}

const SPANS: Record<string, Span> = { '**': 'strong', __: 'strong', '*': 'em', _: 'em', '~~': 'strike' };
const DEPTH_MAX = 12;
const WORD = /[\p{L}\p{N}]/u;
const MENTION_HERE = new RegExp(MENTION.source, 'uy');
const SPECIAL = /[\\`*_~[\nhHm@]/g;

/** Reads one run of text. Every character is looked at a bounded number of times. */
export function parseInline(text: string, inLink = false): Inline[] {
  return new InlineParser(text, inLink).run();
}

class InlineParser {
  private at = 0;
  private plain = '';
  private readonly stack: Frame[] = [{ span: null, marker: '', nodes: [] }];
  /** Fences of backticks that have no partner further on, by length. */
  private readonly unpaired = new Set<number>();
  private noBracketAfter = Infinity;

  constructor(
    private readonly text: string,
    private readonly inLink: boolean,
  ) {}

  run(): Inline[] {
    while (this.at < this.text.length) {
      SPECIAL.lastIndex = this.at;
      const next = SPECIAL.exec(this.text)?.index ?? this.text.length;
      this.plain += this.text.slice(this.at, next);
      this.at = next;
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
      case '[': return this.link();
      case 'h': case 'H': case 'm': return this.address();
      case '@': return this.mention();
      default: return this.delimiter();
    }
  }

  private escape(): boolean {
    const next = this.text[this.at + 1];
    if (!next || !/[!-/:-@[-`{-~]/.test(next)) return false;
    this.plain += next;
    this.at += 2;
    return true;
  }

  private code(): boolean {
    const fence = /^`+/.exec(this.text.slice(this.at, this.at + 64))![0];
    const from = this.at + fence.length;
    const end = this.unpaired.has(fence.length) ? -1 : closingFence(this.text, fence.length, from);
    if (end < 0) {
      this.unpaired.add(fence.length);
      this.plain += fence;
      this.at = from;
      return true;
    }
    const inside = this.text.slice(from, end).replaceAll('\n', ' ');
    const padded = inside.startsWith(' ') && inside.endsWith(' ') && inside.trim() !== '';
    this.push({ kind: 'code', text: padded ? inside.slice(1, -1) : inside });
    this.at = end + fence.length;
    return true;
  }

  private lineBreak(): boolean {
    this.push({ kind: 'break' });
    this.at += 1;
    return true;
  }

  private link(): boolean {
    if (this.inLink || this.at >= this.noBracketAfter) return false;
    const rest = this.text.slice(this.at, this.at + LINK_MAX);
    const match = /^\[((?:[^[\]\\\n]|\\.)+)\]\(\s*<?([^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)>?\s*\)/.exec(rest);
    if (!match) {
      if (!this.text.includes('](', this.at)) this.noBracketAfter = this.at;
      return false;
    }
    const url = safeHref(match[2]!);
    if (!url) return false;
    const label = match[1]!;
    this.push({ kind: 'link', href: url.href, host: hiddenHost(label, url), children: parseInline(label, true) });
    this.at += match[0].length;
    return true;
  }

  private address(): boolean {
    if (this.inLink || WORD.test(this.text[this.at - 1] ?? '')) return false;
    if (!/^(?:https?:\/\/|mailto:)\S/i.test(this.text.slice(this.at, this.at + 10))) return false;
    const end = addressEnd(this.text, this.at);
    const label = this.text.slice(this.at, end);
    const url = safeHref(label);
    if (!url || (!url.hostname && url.protocol !== 'mailto:')) return false;
    this.push({ kind: 'link', href: url.href, host: null, children: [{ kind: 'text', text: label }] });
    this.at = end;
    return true;
  }

  private mention(): boolean {
    if (this.inLink) return false;
    MENTION_HERE.lastIndex = this.at;
    const match = MENTION_HERE.exec(this.text);
    if (!match) return false;
    this.push({ kind: 'mention', name: match[1]! });
    this.at += match[0].length;
    return true;
  }

  private delimiter(): boolean {
    const letter = this.text[this.at]!;
    const double = this.text[this.at + 1] === letter;
    if (letter === '~' && !double) return false;
    const marker = double ? letter + letter : letter;
    const before = this.text[this.at - 1] ?? ' ';
    const after = this.text[this.at + marker.length] ?? ' ';
    const inWord = letter === '_' && WORD.test(before) && WORD.test(after);
    const open = this.stack.findLastIndex((frame) => frame.marker === marker);
    if (open > 0 && !/\s/.test(before) && !inWord) return this.close(open, marker);
    if (/\s/.test(after) || inWord || this.stack.length > DEPTH_MAX) return false;
    if (letter === '_' && WORD.test(before)) return false;
    this.flush();
    this.stack.push({ span: SPANS[marker]!, marker, nodes: [] });
    this.at += marker.length;
    return true;
  }

  private close(open: number, marker: string): boolean {
    this.flush();
    while (this.stack.length - 1 > open) this.flatten();
    const frame = this.stack.pop()!;
    this.at += marker.length;
    if (frame.nodes.length) this.top().push({ kind: frame.span!, children: frame.nodes });
    else this.top().push({ kind: 'text', text: marker + marker });
    return true;
  }

  /** A span that was never closed is plain text after all. */
  private flatten(): void {
    const frame = this.stack.pop()!;
    this.top().push({ kind: 'text', text: frame.marker }, ...frame.nodes);
  }

  private push(node: Inline): void {
    this.flush();
    this.top().push(node);
  }

  private flush(): void {
    if (this.plain) this.top().push({ kind: 'text', text: this.plain });
    this.plain = '';
  }

  private top(): Inline[] {
    return this.stack.at(-1)!.nodes;
  }
}

const LINK_MAX = 3_000;

function closingFence(text: string, length: number, from: number): number {
  const fences = /`+/g;
  fences.lastIndex = from;
  for (let match = fences.exec(text); match; match = fences.exec(text)) {
    if (match[0].length === length) return match.index;
  }
  return -1;
}
