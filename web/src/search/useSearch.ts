import { useCallback, useEffect, useState } from 'react';
import { search } from '../net/api';
import { loadUser } from '../store/actions';
import type { SearchHit } from '../wire';
import { explain } from '../ui/explain';

export interface Found {
  /** What these are the answers to. */
  asked: string;
  hits: SearchHit[];
  more: string | null;
  error: string | null;
  busy: boolean;
}

const NOTHING: Found = { asked: '', hits: [], more: null, error: null, busy: false };
const TYPING_MS = 220;
/** A page may be empty and still have a next one: so many are asked for before somebody has to. */
const EMPTY_PAGES_MAX = 5;

/** What the server finds, asked a moment after the last key. */
export function useSearch(text: string): Found & { next: () => void } {
  const [found, setFound] = useState<Found>(NOTHING);
  useEffect(() => {
    if (!text) return setFound(NOTHING);
    let stale = false;
    setFound((held) => ({ ...held, busy: true }));
    const timer = setTimeout(async () => {
      const answer = await ask(text, undefined);
      if (!stale) setFound(answer);
    }, TYPING_MS);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [text]);
  const next = useCallback(async () => {
    setFound((held) => ({ ...held, busy: true }));
    const answer = await ask(found.asked, found.more ?? undefined);
    // Meanwhile something else may have been asked.
    setFound((held) => (held.asked === answer.asked ? { ...answer, hits: [...held.hits, ...answer.hits] } : held));
  }, [found.asked, found.more]);
  return { ...found, next };
}

async function ask(asked: string, from: string | undefined): Promise<Found> {
  const hits: SearchHit[] = [];
  let cursor = from;
  try {
    for (let page = 0; page < EMPTY_PAGES_MAX; page += 1) {
      const answer = await search(asked, cursor);
      hits.push(...answer.hits);
      cursor = answer.next_cursor ?? undefined;
      if (hits.length || !cursor) break;
    }
    hits.forEach((hit) => loadUser(hit.message.sender_id));
    return { asked, hits, more: cursor ?? null, error: null, busy: false };
  } catch (error) {
    return { asked, hits, more: null, error: sentence(explain(error)), busy: false };
  }
}

/** The server names the field it speaks of; here there is only one. */
function sentence(text: string): string {
  return text.replace(/^q:? (\S)/i, (_, letter: string) => letter.toUpperCase());
}
