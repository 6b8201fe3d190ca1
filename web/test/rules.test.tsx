import { renderToStaticMarkup } from 'react-dom/server';
import { expect, test, vi } from 'vitest';
import { room } from './samples';

// The page that it is part of knows where it is.
vi.stubGlobal('location', { pathname: '/app/', search: '' });
vi.stubGlobal('window', { addEventListener: vi.fn() });
const { Rules } = await import('../src/rooms/Rules');

/** What is chosen, by the name of the field. */
function chosen(fields: Partial<typeof room>, disabled = false): Record<string, string> {
  const html = renderToStaticMarkup(<Rules room={{ ...room, ...fields }} disabled={disabled} change={vi.fn()} />);
  const inputs = [...html.matchAll(/<input[^>]*>/g)].map(([input]) => input);
  const held = inputs.filter((input) => input.includes('checked') || input.includes('type="number"'));
  const of = (input: string, name: string) => new RegExp(` ${name}="([^"]*)"`).exec(input)?.[1] ?? '';
  return Object.fromEntries(held.map((input) => [of(input, 'name'), of(input, 'value')]));
}

test('a room that lays nothing down says so', () => {
  expect(chosen({})).toEqual({ 'message-ttl': '0', retention: '0', 'sessions-max': '' });
});

test('what a room lays down is offered, whether or not others would choose it', () => {
  expect(chosen({ message_ttl_s: 61, retention_s: 86_400, sessions_max: 3 }))
    .toEqual({ 'message-ttl': '61', retention: '86400', 'sessions-max': '3' });
});

test('who may not change it has nothing to save', () => {
  const html = renderToStaticMarkup(<Rules room={room} disabled change={vi.fn()} />);
  expect(html).not.toContain('type="submit"');
  expect(html.match(/<fieldset[^>]*disabled/g)).toHaveLength(2);
});
