import type { ErrorBody } from '../wire';

const PREFIX = '/api/v1';

/** An answer that is not a success; `code` is one of the server's words, or `offline`. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status: number,
    readonly retryAfterMs?: number,
  ) {
    super(message);
  }
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

let onSignedOut: () => void = () => {};

/** What to do when the server no longer knows this browser. */
export function whenSignedOut(handler: () => void): void {
  onSignedOut = handler;
}

/** Asks the server for something; the body is JSON, or bytes as they are. */
export async function call<T>(method: Method, path: string, body?: unknown): Promise<T> {
  const answer = await send(method, path, body);
  if (answer.ok) return (await parse(answer)) as T;
  const error = asError(answer, await parse(answer));
  if (error.code === 'unauthorized' && !path.startsWith('/auth/')) onSignedOut();
  throw error;
}

async function send(method: Method, path: string, body: unknown): Promise<Response> {
  const init: RequestInit = { method, credentials: 'same-origin', cache: 'no-store' };
  if (body instanceof Blob) {
    init.headers = { 'Content-Type': body.type || 'application/octet-stream' };
    init.body = body;
  } else if (method !== 'GET') {
    init.headers = { 'Content-Type': 'application/json' };
    const text = JSON.stringify(body ?? {});
    init.body = text;
    // A marker that moves while the page is left still arrives; browsers let only short ones.
    init.keepalive = method === 'PUT' && text.length < KEEPALIVE_MAX;
  }
  const early = method === 'GET' && path === '/me/init' ? await askedEarly() : null;
  if (early) return early;
  try {
    return await fetch(PREFIX + path, init);
  } catch {
    throw new ApiError('offline', 'The server cannot be reached.', 0);
  }
}

declare global {
  /** What `early.js` has asked for: null when it failed. */
  var parlorInit: Promise<Response | null> | null | undefined;
}

/** The answer that was asked for before this program was there: once. */
async function askedEarly(): Promise<Response | null> {
  const answer = globalThis.parlorInit;
  globalThis.parlorInit = null;
  return (await answer) ?? null;
}

const KEEPALIVE_MAX = 8_000;

async function parse(answer: Response): Promise<unknown> {
  const text = await answer.text().catch(() => '');
  if (!text) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function asError(answer: Response, body: unknown): ApiError {
  const detail = (body as ErrorBody | undefined)?.error;
  const code = detail?.code ?? (answer.status >= 500 ? 'unavailable' : 'bad_request');
  const header = Number(answer.headers.get('Retry-After'));
  const wait = detail?.retry_after_ms ?? (header > 0 ? header * 1000 : undefined);
  return new ApiError(code, detail?.message ?? answer.statusText, answer.status, wait);
}

/** Whether trying the very same thing later may work. */
export function isPassing(error: unknown): boolean {
  return error instanceof ApiError && ['offline', 'unavailable', 'internal', 'rate_limited'].includes(error.code);
}

export function query(fields: Record<string, string | number | undefined>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) search.set(key, String(value));
  const text = search.toString();
  return text ? `?${text}` : '';
}
