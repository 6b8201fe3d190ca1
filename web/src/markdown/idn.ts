const BASE = 36;
const T_MIN = 1;
const T_MAX = 26;
const SKEW = 38;
const DAMP = 700;
const FIRST = 128;
const FIRST_BIAS = 72;
const LABEL_MAX = 63;

/** A label of a host name as people read it; null when it is no valid Punycode. (RFC 3492) */
export function unicodeOf(label: string): string | null {
  if (!label.startsWith('xn--') || label.length > LABEL_MAX) return label.startsWith('xn--') ? null : label;
  const coded = label.slice(4);
  const dash = coded.lastIndexOf('-');
  const letters = dash > 0 ? [...coded.slice(0, dash)] : [];
  let code = FIRST;
  let bias = FIRST_BIAS;
  let place = 0;
  for (let at = dash > 0 ? dash + 1 : 0; at < coded.length;) {
    const from = place;
    for (let weight = 1, step = BASE; ; step += BASE) {
      const digit = digitOf(coded.charCodeAt(at++));
      if (digit < 0) return null;
      place += digit * weight;
      const threshold = step <= bias ? T_MIN : Math.min(step - bias, T_MAX);
      if (digit < threshold) break;
      weight *= BASE - threshold;
    }
    bias = adapted(place - from, letters.length + 1, from === 0);
    code += Math.floor(place / (letters.length + 1));
    place %= letters.length + 1;
    if (code > 0x10ffff) return null;
    letters.splice(place++, 0, String.fromCodePoint(code));
  }
  return letters.join('');
}

function digitOf(code: number): number {
  if (code >= 97 && code <= 122) return code - 97;
  return code >= 48 && code <= 57 ? code - 22 : -1;
}

function adapted(delta: number, count: number, first: boolean): number {
  let left = Math.floor(delta / (first ? DAMP : 2));
  left += Math.floor(left / count);
  let bias = 0;
  while (left > ((BASE - T_MIN) * T_MAX) / 2) {
    left = Math.floor(left / (BASE - T_MIN));
    bias += BASE;
  }
  return bias + Math.floor((BASE * left) / (left + SKEW));
}

const SCRIPTS: [string, RegExp][] = [
  ['latin', /\p{Script=Latin}/u], ['cyrillic', /\p{Script=Cyrillic}/u], ['greek', /\p{Script=Greek}/u],
  ['armenian', /\p{Script=Armenian}/u], ['han', /\p{Script=Han}/u], ['kana', /[\p{Script=Hiragana}\p{Script=Katakana}]/u],
  ['hangul', /\p{Script=Hangul}/u], ['bopomofo', /\p{Script=Bopomofo}/u],
];
const OTHER = /[^\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Common}\p{Script=Inherited}]/u;
const TOGETHER = [['latin', 'han', 'kana'], ['latin', 'han', 'hangul'], ['latin', 'han', 'bopomofo']];
/** Letters of other scripts that can be taken for Latin ones. A name of nothing else is a disguise. */
const LIKE_LATIN = /^[аеорсухіјѕһԁԛԝӏԍոսցհοανορυιτκχε0-9-]+$/u;
/** Not letters of a name: dots, slashes and quotes that pass for others. */
const ODD = /[ʹʺʻʼˈ․‥․‧﹒．∕⁄／ꞁǃˑːꓸ]/u;

/** Whether a host name is written to look like another one: scripts mixed, or letters in disguise. */
export function isLookalike(hostname: string): boolean {
  return hostname.split('.').some((label) => label.startsWith('xn--') && isDisguised(unicodeOf(label)));
}

function isDisguised(label: string | null): boolean {
  if (label === null || ODD.test(label) || LIKE_LATIN.test(label)) return true;
  const found = SCRIPTS.filter(([, letters]) => letters.test(label)).map(([name]) => name);
  if (OTHER.test(label)) return found.length > 0;
  return found.length > 1 && !TOGETHER.some((allowed) => found.every((name) => allowed.includes(name)));
}
