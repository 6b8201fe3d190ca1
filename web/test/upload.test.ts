import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { drawnSize, kindText, sizeText } from '../src/files/sizes';
import { Upload } from '../src/net/upload';

/** A server that speaks tus, and a line to it that can be cut. */
class Server {
  bytes = 0;
  length = 0;
  requests: string[] = [];
  /** Cut the line after so many bytes of the next piece. */
  cutAfter: number[] = [];
  down = 0;
  refuse: number | null = null;
  metadata = '';

  fetch = async (url: string, { method, headers }: { method: string; headers: Record<string, string> }) => {
    this.requests.push(method);
    if (this.down > 0) {
      this.down -= 1;
      throw new TypeError('failed to fetch');
    }
    if (method === 'POST') {
      if (this.refuse) return new Response(JSON.stringify({ error: { code: 'quota_exceeded', message: 'no room', request_id: '' } }), { status: this.refuse });
      this.length = Number(headers['Upload-Length']);
      this.metadata = headers['Upload-Metadata']!;
      return new Response(null, { status: 201, headers: { Location: '/api/v1/uploads/the-id' } });
    }
    expect(url).toBe('/api/v1/uploads/the-id');
    return new Response(null, { status: method === 'HEAD' ? 200 : 204, headers: { 'Upload-Offset': String(this.bytes) } });
  };
}

let server: Server;

class Line {
  upload: { onprogress?: (event: { loaded: number }) => void } = {};
  onerror = () => {};
  onabort = () => {};
  onloadend = () => {};
  status = 0;
  responseText = '';
  private headers: Record<string, string> = {};

  open(method: string): void {
    server.requests.push(method);
  }

  setRequestHeader(name: string, value: string): void {
    this.headers[name] = value;
  }

  getResponseHeader(): string {
    return String(server.bytes);
  }

  abort(): void {
    this.onabort();
  }

  send(piece: Blob): void {
    queueMicrotask(() => {
      if (Number(this.headers['Upload-Offset']) !== server.bytes) {
        this.status = 409;
        return this.onloadend();
      }
      const cut = server.cutAfter.shift();
      server.bytes += Math.min(cut ?? piece.size, piece.size);
      this.upload.onprogress?.({ loaded: Math.min(cut ?? piece.size, piece.size) });
      if (cut !== undefined) return this.onerror();
      this.status = 204;
      this.onloadend();
    });
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  server = new Server();
  vi.stubGlobal('fetch', server.fetch);
  vi.stubGlobal('XMLHttpRequest', Line);
  vi.stubGlobal('window', { addEventListener: () => {}, removeEventListener: () => {} });
  vi.stubGlobal('location', { origin: 'http://parlor.example' });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function uploaded(size: number, owner = { progress: (_sent: number) => {}, waiting: () => {} }) {
  const upload = new Upload(new Blob([new Uint8Array(size)], { type: 'image/png' }), 'häuser.png', owner);
  const done = upload.start();
  done.catch(() => {});
  await vi.runAllTimersAsync();
  return done;
}

describe('an upload', () => {
  test('goes in pieces, and its id is the file\'s', async () => {
    const sent: number[] = [];
    expect(await uploaded(20_000_000, { progress: (bytes) => sent.push(bytes), waiting: () => {} })).toBe('the-id');
    expect(server.bytes).toBe(20_000_000);
    expect(server.requests).toEqual(['POST', 'HEAD', 'PATCH', 'PATCH', 'PATCH']);
    expect(sent).toEqual([...sent].sort((a, b) => a - b));
    expect(sent.at(-1)).toBe(20_000_000);
    const [name, type] = server.metadata.split(',').map((pair) => new TextDecoder().decode(Uint8Array.from(atob(pair.split(' ')[1]!), (letter) => letter.charCodeAt(0))));
    expect([name, type]).toEqual(['häuser.png', 'image/png']);
  });

  test('goes on after each cut from where the server has it', async () => {
    server.cutAfter = [1_000, 5_000_000, 0, 7];
    let waits = 0;
    await uploaded(9_000_000, { progress: () => {}, waiting: () => { waits += 1; } });
    expect(server.bytes).toBe(9_000_000);
    expect(waits).toBe(4);
    expect(server.requests.filter((method) => method === 'POST')).toHaveLength(1);
    expect(server.requests.filter((method) => method === 'HEAD')).toHaveLength(5);
  });

  test('waits for a server that is away', async () => {
    server.down = 3;
    expect(await uploaded(10)).toBe('the-id');
  });

  test('of nothing is a file of nothing', async () => {
    expect(await uploaded(0)).toBe('the-id');
    expect(server.requests).not.toContain('PATCH');
  });

  test('is given up when the server refuses it, and when it never comes back', async () => {
    server.refuse = 413;
    await expect(uploaded(10)).rejects.toMatchObject({ code: 'quota_exceeded', message: 'no room' });
    server.refuse = null;
    server.down = Infinity;
    await expect(uploaded(10)).rejects.toMatchObject({ code: 'offline' });
  });

  test('that is cancelled is forgotten by the server, too', async () => {
    server.cutAfter = [10];
    const upload = new Upload(new Blob([new Uint8Array(100)]), 'a', { progress: () => {}, waiting: () => upload.cancel() });
    const done = upload.start();
    done.catch(() => {});
    await vi.runAllTimersAsync();
    await expect(done).rejects.toMatchObject({ code: 'cancelled' });
    expect(server.requests.at(-1)).toBe('DELETE');
    expect(server.bytes).toBe(10);
  });
});

test('sizes as people say them', () => {
  expect(sizeText(0)).toBe('0 B');
  expect(sizeText(999)).toBe('999 B');
  expect(sizeText(1_500)).toBe('1.5 KB');
  expect(sizeText(15_300_000)).toBe('15 MB');
  expect(sizeText(5_368_709_120)).toBe('5.4 GB');
});

test('pictures are drawn whole, and have their place before they are there', () => {
  expect(drawnSize(4_000, 3_000)).toEqual({ width: 360, height: 270 });
  expect(drawnSize(3_000, 4_000)).toEqual({ width: 210, height: 280 });
  expect(drawnSize(100, 80)).toEqual({ width: 100, height: 80 });
  expect(drawnSize(10_000, 10)).toEqual({ width: 360, height: 72 });
  expect(drawnSize(0, 0)).toEqual({ width: 240, height: 180 });
});

test('a file wears the end of its name', () => {
  expect(kindText('report.PDF', 'application/pdf')).toBe('PDF');
  expect(kindText('README', 'text/plain')).toBe('PLAI');
  expect(kindText('a.verylong', 'x')).toBe('');
});
