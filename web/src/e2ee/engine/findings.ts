import type { FindAnswer, Found } from '../types';

/**
 * Finds words in messages that were opened here. The index is kept in pieces of a few hundred messages, each
 * sealed as a whole: what lies on the disk does not even tell how often a word comes.
 */

export interface Doc {
  id: string;
  session_id: string;
  number: number;
  sender_id: string;
  sent_at: string;
  text: string;
}

interface Piece {
  docs: Doc[];
  /** By word: which of the docs have it. */
  words: Record<string, number[]>;
}

/** Where the pieces lie. */
export interface Pieces {
  piece(number: number): Promise<unknown>;
  keepPiece(number: number, piece: unknown): Promise<void>;
  pieceNumbers(): Promise<number[]>;
}

const PIECE_MAX = 256;
const KEEP_MS = 1_500;
const HITS_MAX = 50;
const SNIPPET = 180;

export function wordsOf(text: string): string[] {
  return [...new Set(text.normalize('NFKC').toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])];
}

export class Findings {
  private loaded: Promise<Map<number, Piece>> | null = null;
  private readonly placed = new Map<string, number>();
  private readonly unsaved = new Set<number>();
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly pieces: Pieces) {}

  private load(): Promise<Map<number, Piece>> {
    this.loaded ??= (async () => {
      const all = new Map<number, Piece>();
      for (const number of await this.pieces.pieceNumbers()) {
        const piece = (await this.pieces.piece(number)) as Piece | undefined;
        if (!piece) continue;
        all.set(number, piece);
        for (const doc of piece.docs) this.placed.set(doc.id, number);
      }
      return all;
    })();
    return this.loaded;
  }

  /** Takes in a message, or its newer wording. Without words it is taken out. */
  async put(doc: Doc): Promise<void> {
    const all = await this.load();
    const known = this.placed.get(doc.id);
    const held = known === undefined ? undefined : all.get(known)!.docs.find(({ id }) => id === doc.id);
    if (held?.text === doc.text) return;
    if (known !== undefined) this.set(all, known, all.get(known)!.docs.filter(({ id }) => id !== doc.id));
    this.placed.delete(doc.id);
    if (!doc.text.trim()) return;
    const last = Math.max(0, ...all.keys());
    const at = (all.get(last)?.docs.length ?? 0) < PIECE_MAX ? last : last + 1;
    this.set(all, at, [...(all.get(at)?.docs ?? []), doc]);
    this.placed.set(doc.id, at);
  }

  async drop(id: string): Promise<void> {
    const all = await this.load();
    const at = this.placed.get(id);
    if (at === undefined) return;
    this.placed.delete(id);
    this.set(all, at, all.get(at)!.docs.filter((doc) => doc.id !== id));
  }

  /** Takes out all that was said in a session. */
  async dropSession(session: string): Promise<void> {
    const all = await this.load();
    for (const [number, { docs }] of all) {
      const left = docs.filter(({ session_id }) => session_id !== session);
      if (left.length === docs.length) continue;
      for (const { id, session_id } of docs) if (session_id === session) this.placed.delete(id);
      this.set(all, number, left);
    }
  }

  private set(all: Map<number, Piece>, number: number, docs: Doc[]): void {
    const words: Piece['words'] = {};
    docs.forEach((doc, at) => wordsOf(doc.text).forEach((word) => (Object.hasOwn(words, word) ? words[word]! : (words[word] = [])).push(at)));
    all.set(number, { docs, words });
    this.unsaved.add(number);
    this.timer ??= setTimeout(() => void this.save(), KEEP_MS);
  }

  async save(): Promise<void> {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    const all = await this.load();
    for (const number of [...this.unsaved]) {
      this.unsaved.delete(number);
      await this.pieces.keepPiece(number, all.get(number));
    }
  }

  /** The newest messages that have every word, or one that begins with it. */
  async find(text: string): Promise<FindAnswer> {
    const asked = wordsOf(text);
    const all = [...(await this.load()).values()];
    const docs = all.flatMap(({ docs: held }) => held);
    const since = docs.reduce<string | null>((oldest, { sent_at }) => (oldest === null || sent_at < oldest ? sent_at : oldest), null);
    const found = asked.length ? all.flatMap((piece) => having(piece, asked)) : [];
    found.sort((a, b) => b.sent_at.localeCompare(a.sent_at));
    return { hits: found.slice(0, HITS_MAX).map((doc) => shown(doc, asked)), covers: { messages: docs.length, since } };
  }
}

function having({ docs, words }: Piece, asked: string[]): Doc[] {
  const known = Object.keys(words);
  const placed = asked.map((word) => new Set(known.filter((one) => one.startsWith(word)).flatMap((one) => words[one]!)));
  const [first = new Set<number>(), ...others] = placed;
  return [...first].filter((doc) => others.every((at) => at.has(doc))).map((doc) => docs[doc]!);
}

/** A piece of the message around its first match, and where the words are in it. */
function shown({ id, ...doc }: Doc, asked: string[]): Found {
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(?:${asked.join('|')})`, 'giu');
  const first = doc.text.search(pattern);
  const from = first > SNIPPET / 2 ? first - SNIPPET / 3 : 0;
  const start = Math.max(0, Math.floor(from));
  const text = `${start ? '…' : ''}${doc.text.slice(start, start + SNIPPET)}${start + SNIPPET < doc.text.length ? '…' : ''}`;
  const matches = [...text.matchAll(pattern)].map((match) => ({ start: match.index, end: match.index + match[0].length }));
  return { ...doc, message_id: id, text, matches };
}
