/** Marks on one letter: more than any script needs, fewer than climb into the next line. */
const MARKS = /(\p{M}{5})\p{M}+/gu;
const OVERRIDES = /[\u202a-\u202e]+/g;
const ISOLATES = /[\u2066-\u2069]+/g;
const C0 = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g;
const C1 = /[\x80-\x9f]+/g;
/** Invisible letters. Behind a black flag, a few say whose flag it is. */
const TAGS = /(\u{1f3f4}?)([\u{e0000}-\u{e007f}]+)/gu;
const FLAG_MAX = 8;

const PICTURES = 0x2400;

/**
 * The source with everything visible that acts without being seen: control characters, overrides of
 * the direction, hidden letters. Piles of marks are cut down.
 */
export function calm(source: string): string {
  return source
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replace(MARKS, '$1')
    .replace(C0, (control) => String.fromCharCode(control === '\x7f' ? PICTURES + 0x21 : PICTURES + control.charCodeAt(0)))
    .replace(C1, named)
    .replace(OVERRIDES, named)
    .replace(TAGS, (run, flag: string, tags: string) => (flag && [...tags].length <= FLAG_MAX ? run : flag + named(tags)));
}

/** In a program, even well-meant direction marks can make it read other than it runs. */
export function calmCode(text: string): string {
  return text.replace(ISOLATES, named);
}

function named(run: string): string {
  const count = [...run].length;
  const code = run.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
  return count > 1 ? `⟨U+${code} … ${count}⟩` : `⟨U+${code}⟩`;
}

