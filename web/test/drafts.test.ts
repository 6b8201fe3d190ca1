import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const asked: [string, object][] = [];
let answer: () => Promise<void> = async () => {};

vi.mock('../src/net/api', () => ({
  sessions: { draft: (id: string, draft: object) => { asked.push([id, draft]); return answer(); } },
}));

/** As a browser has it: its keys are what is kept. */
class Shelf {
  [key: string]: unknown;
  getItem(key: string): string | null { return (this[key] as string | undefined) ?? null; }
  setItem(key: string, value: string): void { this[key] = value; }
  removeItem(key: string): void { delete this[key]; }
}

let shelf: Shelf;

/** The module, as a page has it that was just opened. */
async function opened() {
  vi.resetModules();
  return import('../src/store/drafts');
}

beforeEach(() => {
  vi.useFakeTimers();
  shelf = new Shelf();
  vi.stubGlobal('localStorage', shelf);
  vi.stubGlobal('window', { addEventListener: () => {}, setTimeout: (work: () => void, ms: number) => setTimeout(work, ms) });
  asked.length = 0;
  answer = async () => {};
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** The modules are made anew for each page, and this with them. */
const refusal = (code: string, status: number) => async () => {
  const { ApiError } = await import('../src/net/http');
  throw new ApiError(code, '', status);
};

const draft = (content: string, fields = {}) => ({ session_id: 's', thread_id: null, content, reply_to: null, updated_at: '', ...fields });

test('what is written is told a moment after the last key, with what it answers', async () => {
  const drafts = await opened();
  drafts.saveDraft('s', null, 'ha', 'm1');
  drafts.saveDraft('s', null, 'half', 'm1');
  drafts.saveDraft('s', 't', 'in a thread', null);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(asked).toEqual([['s', { content: 'half', reply_to: 'm1' }], ['s', { content: 'in a thread', thread_id: 't' }]]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toHaveLength(2);
  const again = await opened();
  expect([again.loadDraft('s'), again.draftAnswers('s'), again.loadDraft('t')]).toEqual(['half', 'm1', 'in a thread']);
});

test('what the server could not be told is told later, after a reload too', async () => {
  answer = refusal('offline', 0);
  const drafts = await opened();
  drafts.saveDraft('s', null, 'half', null);
  await vi.advanceTimersByTimeAsync(1_500);
  answer = async () => {};
  await vi.advanceTimersByTimeAsync(15_000);
  expect(asked).toHaveLength(2);
  drafts.saveDraft('s', null, 'half a thought', null);
  const again = await opened();
  again.fromServer([draft('half')]);
  await vi.advanceTimersByTimeAsync(0);
  expect(again.loadDraft('s')).toBe('half a thought');
  expect(asked.at(-1)).toEqual(['s', { content: 'half a thought' }]);
});

test('what the server will not have stays here, and is not told again until it changes', async () => {
  answer = refusal('too_long', 422);
  const drafts = await opened();
  drafts.saveDraft('s', null, 'much', null);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toHaveLength(1);
  const again = await opened();
  again.fromServer([]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect([again.loadDraft('s'), asked.length]).toEqual(['much', 1]);
  answer = async () => {};
  again.saveDraft('s', null, 'less', null);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(asked.at(-1)).toEqual(['s', { content: 'less' }]);
});

test('another device is heard, unless what is here is later; what was sent elsewhere is gone', async () => {
  const drafts = await opened();
  const heard: string[] = [];
  drafts.onDraft('s', ({ text, replyTo }) => heard.push(`${text} ${replyTo}`));
  drafts.heardDraft(draft('half', { reply_to: 'm1' }));
  drafts.heardDraft(draft('half', { reply_to: 'm1' }));
  expect(heard).toEqual(['half m1']);
  drafts.saveDraft('s', null, 'half a', 'm1');
  drafts.heardDraft(draft('other'));
  expect(drafts.loadDraft('s')).toBe('half a');
  await vi.advanceTimersByTimeAsync(2_000);
  drafts.heardDraft(draft(''));
  expect([drafts.loadDraft('s'), heard.at(-1)]).toEqual(['', ' null']);
  drafts.heardDraft(draft('kept'));
  drafts.fromServer([]);
  expect(drafts.loadDraft('s')).toBe('');
});

test('nothing is left for whoever signs in next', async () => {
  const drafts = await opened();
  drafts.saveDraft('s', null, 'mine', null);
  drafts.forgetDrafts();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([asked, Object.keys(shelf), drafts.loadDraft('s')]).toEqual([[], [], '']);
});
