const SCHEMES = ['http:', 'https:', 'mailto:'];

/** The address, when it is one that may be followed. */
export function safeHref(text: string): URL | null {
  try {
    const url = new URL(text);
    return SCHEMES.includes(url.protocol) ? url : null;
  } catch {
    return null;
  }
}

/** The true host, when a link's words claim to be another one. */
export function hiddenHost(label: string, url: URL): string | null {
  const claimed = /^(?:https?:\/\/)?((?:[\p{L}\p{N}-]+\.)+\p{L}{2,})/u.exec(label.trim())?.[1];
  if (!claimed || url.protocol === 'mailto:') return null;
  return claimed.toLowerCase() === url.hostname ? null : url.hostname;
}

const TRAILING = /[.,;:!?'"*_~]+$/;

/** Where a bare address that begins at `from` ends: without the sentence's own punctuation. */
export function addressEnd(text: string, from: number): number {
  const match = /^[^\s<>`]+/.exec(text.slice(from, from + ADDRESS_MAX));
  let address = match?.[0] ?? '';
  for (;;) {
    const bare = address.replace(TRAILING, '');
    const unopened = bare.endsWith(')') && count(bare, ')') > count(bare, '(');
    const next = unopened ? bare.slice(0, -1) : bare;
    if (next === address) return from + address.length;
    address = next;
  }
}

const ADDRESS_MAX = 2_048;

function count(text: string, letter: string): number {
  return text.split(letter).length - 1;
}
