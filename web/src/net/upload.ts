import { ApiError } from './http';
import { backoff } from './backoff';

/** An upload by tus 1.0: in pieces, and after a cut from where the server has it. */

const UPLOADS = '/api/v1/uploads';
const VERSION = { 'Tus-Resumable': '1.0.0' };
const PIECE = 8 * 1024 * 1024;
const TRIES_MAX = 12;
const SILENCE_MS = 30_000;
const CANCELLED = new ApiError('cancelled', 'cancelled', 0);

export interface UploadOwner {
  /** How many bytes the server has, or is getting. */
  progress(sent: number): void;
  /** The connection is lost: it goes on by itself, or with `now`. */
  waiting(): void;
}

/** Sends one file. `start` gives its id when the server has all of it. */
export class Upload {
  private url: string | null = null;
  private request: XMLHttpRequest | null = null;
  private wake: (() => void) | null = null;
  private cancelled = false;

  constructor(
    private readonly file: Blob & { name?: string },
    private readonly name: string,
    private readonly owner: UploadOwner,
    /** The server has octets that it cannot open. */
    private readonly sealed = false,
  ) {}

  async start(): Promise<string> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        if (this.cancelled) throw CANCELLED;
        this.url ??= await this.create();
        let sent = await this.have();
        while (sent < this.file.size) {
          this.owner.progress(sent);
          sent = await this.send(sent);
          attempt = 0;
        }
        return this.url.slice(this.url.lastIndexOf('/') + 1);
      } catch (error) {
        if (this.cancelled) throw CANCELLED;
        if (!isCut(error) || attempt >= TRIES_MAX) throw error;
        this.owner.waiting();
        if (!this.cancelled) await this.pause(backoff(attempt));
      }
    }
  }

  /** Stops it, and lets the server forget what it has. */
  cancel(): void {
    this.cancelled = true;
    this.request?.abort();
    this.wake?.();
    if (this.url) void fetch(this.url, { method: 'DELETE', headers: VERSION, keepalive: true }).catch(() => {});
  }

  /** Tries again at once. */
  now(): void {
    this.wake?.();
  }

  private pause(ms: number): Promise<void> {
    return new Promise((done) => {
      const timer = setTimeout(done, ms);
      const online = () => this.wake?.();
      window.addEventListener('online', online, { once: true });
      this.wake = () => {
        clearTimeout(timer);
        window.removeEventListener('online', online);
        done();
      };
    });
  }

  private async create(): Promise<string> {
    const metadata = `filename ${base64(this.name)},filetype ${base64(this.file.type || 'application/octet-stream')}${this.sealed ? `,encrypted ${base64('true')}` : ''}`;
    const answer = await ask(UPLOADS, 'POST', { 'Upload-Length': String(this.file.size), 'Upload-Metadata': metadata });
    const place = answer.headers.get('Location');
    if (!place) throw new ApiError('internal', 'the server names no place for the file', answer.status);
    return new URL(place, location.origin).pathname;
  }

  /** How many bytes the server has. */
  private async have(): Promise<number> {
    const answer = await ask(this.url!, 'HEAD', {});
    return Number(answer.headers.get('Upload-Offset') ?? 0);
  }

  /** Sends a piece from `offset` on; resolves to where the next one begins. */
  private send(offset: number): Promise<number> {
    if (this.cancelled) throw CANCELLED;
    return new Promise((done, fail) => {
      const request = new XMLHttpRequest();
      this.request = request;
      request.open('PATCH', this.url!);
      for (const [name, value] of Object.entries({ ...VERSION, 'Upload-Offset': String(offset), 'Content-Type': 'application/offset+octet-stream' })) {
        request.setRequestHeader(name, value);
      }
      let silence = setTimeout(() => request.abort(), SILENCE_MS);
      request.upload.onprogress = (event) => {
        clearTimeout(silence);
        silence = setTimeout(() => request.abort(), SILENCE_MS);
        this.owner.progress(offset + event.loaded);
      };
      const cut = () => fail(new ApiError('offline', 'the connection was cut', 0));
      request.onerror = cut;
      request.onabort = cut;
      request.onloadend = () => {
        clearTimeout(silence);
        if (request.status === 204 || request.status === 200) done(Number(request.getResponseHeader('Upload-Offset') ?? this.file.size));
        else if (request.status) fail(refusal(request.status, request.responseText));
      };
      request.send(this.file.slice(offset, offset + PIECE));
    });
  }
}

async function ask(url: string, method: string, headers: Record<string, string>): Promise<Response> {
  const answer = await fetch(url, { method, headers: { ...VERSION, ...headers } }).catch(() => {
    throw new ApiError('offline', 'The server cannot be reached.', 0);
  });
  if (answer.ok) return answer;
  throw refusal(answer.status, await answer.text().catch(() => ''));
}

function refusal(status: number, text: string): ApiError {
  try {
    const { error } = JSON.parse(text) as { error: { code: string; message: string } };
    return new ApiError(error.code, error.message, status);
  } catch {
    return new ApiError(status >= 500 ? 'unavailable' : 'bad_request', '', status);
  }
}

/** Whether going on later may work: no answer, a server that is not there, or another place to go on from. */
function isCut(error: unknown): boolean {
  return error instanceof ApiError && (['offline', 'unavailable', 'rate_limited'].includes(error.code) || error.status === 409 || error.status === 460);
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
