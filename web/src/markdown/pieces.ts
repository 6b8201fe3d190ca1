/** What words of a program are told apart: the closed list that the colours are made for. */
export type Kind = 'word' | 'name' | 'type' | 'text' | 'number' | 'note' | 'mark' | 'added' | 'gone';

const KINDS: Record<string, Kind> = {
  keyword: 'word', built_in: 'type', type: 'type', literal: 'number', number: 'number', symbol: 'number', bullet: 'mark',
  string: 'text', regexp: 'text', char: 'text', link: 'text', quote: 'note', comment: 'note', doctag: 'note', meta: 'note',
  title: 'name', function: 'name', section: 'name', name: 'word', tag: 'mark', attr: 'name', attribute: 'name', property: 'name',
  selector: 'word', 'selector-tag': 'word', 'selector-class': 'name', 'selector-id': 'name', 'selector-attr': 'name', 'selector-pseudo': 'name',
  variable: 'type', template: 'type', 'template-variable': 'type', operator: 'mark', punctuation: 'mark', code: 'text',
  addition: 'added', deletion: 'gone',
};

const MARKUP = /<span class="([^"<>]*)">|<\/span>|&(amp|lt|gt|quot|#x27);/g;
const LETTERS: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#x27': '\'' };
const PIECES_MAX = 4_000;

/**
 * Reads what the highlighter wrote, which is text, five references and spans with a class, as pieces
 * of text. Whatever else stood in it would be text.
 */
export function pieces(markup: string): [Kind | null, string][] {
  const found: [Kind | null, string][] = [];
  const open: (Kind | null)[] = [];
  const add = (text: string) => {
    const kind = found.length < PIECES_MAX ? (open.at(-1) ?? null) : null;
    const last = found.at(-1);
    if (!text) return;
    if (last && last[0] === kind) last[1] += text;
    else found.push([kind, text]);
  };
  let at = 0;
  for (const match of markup.matchAll(MARKUP)) {
    add(markup.slice(at, match.index));
    at = match.index + match[0].length;
    if (match[2]) add(LETTERS[match[2]]!);
    else if (match[1] !== undefined) open.push(kindOf(match[1]) ?? open.at(-1) ?? null);
    else open.pop();
  }
  add(markup.slice(at));
  return found;
}

function kindOf(classes: string): Kind | undefined {
  const name = /^hljs-([a-z_-]+)/.exec(classes)?.[1] ?? '';
  return Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
}
