import { isLookalike } from './idn';

const SCHEMES = ['http:', 'https:', 'mailto:'];
export const ADDRESS_MAX = 2_048;

/** The address, when it is one that may be followed. */
export function safeHref(text: string): URL | null {
  if (text.length > ADDRESS_MAX) return null;
  try {
    const url = new URL(text);
    return SCHEMES.includes(url.protocol) ? url : null;
  } catch {
    return null;
  }
}

export interface Trust {
  host: string | null;
  lookalike: boolean;
}

/** What to tell of where a link leads, beside its words. */
export function trust(label: string, url: URL): Trust {
  if (url.protocol === 'mailto:') return { host: hiddenMail(label, url), lookalike: false };
  const lookalike = isLookalike(url.hostname);
  const hides = lookalike || url.username !== '' || url.password !== '' || claimsAnother(label, url);
  return { host: hides ? url.host : null, lookalike };
}

const HOST = /^(?:https?:\/\/|\/\/)?(?:[^\s/@]*@)?((?:[\p{L}\p{N}_-]+\.)+[\p{L}\p{N}-]{2,})(?=$|[/:?#])/iu;
const WORD_MAX = 300;

/** Whether some word of the label is the name of another host. */
function claimsAnother(label: string, url: URL): boolean {
  return label.split(/[\s()<>"'“”‘’,]+/).some((word) => {
    const claimed = HOST.exec(word.slice(0, WORD_MAX).replace(/[.!?;:]+$/, ''))?.[1];
    return claimed !== undefined && bare(claimed) !== bare(url.hostname);
  });
}

function bare(host: string): string {
  const known = URL.canParse(`https://${host}`) ? new URL(`https://${host}`).hostname : host.toLowerCase();
  return known.replace(/^www\./, '');
}

/** The address of a mail link whose words name another one. */
function hiddenMail(label: string, url: URL): string | null {
  const to = decodeSafely(url.pathname);
  const claimed = /[^\s<>()@]+@[^\s<>()@]+/.exec(label.slice(0, WORD_MAX))?.[0];
  return claimed && claimed.replace(/^mailto:/i, '').toLowerCase() !== to.toLowerCase() ? to : null;
}

function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const TRAILING = new Set('.,;:!?\'"*_~|');

/** Where a bare address that begins at `from` ends: without the sentence's own punctuation. */
export function addressEnd(text: string, from: number): number {
  const most = Math.min(text.length, from + ADDRESS_MAX);
  let end = from;
  let open = 0;
  while (end < most && !/[\s<>`⟨]/.test(text[end]!)) {
    if (text[end] === '(') open += 1;
    else if (text[end] === ')') open -= 1;
    end += 1;
  }
  for (; end > from; end -= 1) {
    const last = text[end - 1]!;
    if (last === ')' && open < 0) open += 1;
    else if (!TRAILING.has(last)) break;
  }
  return end;
}
