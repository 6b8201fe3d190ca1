import { readdirSync, readFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';

const DIST = new URL('../dist/', import.meta.url);
const KB = 1_000;

/** The page as it was built last: `npm run build`. */
const page = readFileSync(new URL('index.html', DIST), 'utf8');
const packed = readdirSync(new URL('assets/', DIST)).filter((name) => name.endsWith('.gz'));
const sizes = new Map(packed.map((name) => [name.slice(0, -'.gz'.length), statSync(new URL(`assets/${name}`, DIST)).size]));
const first = [...page.matchAll(/\/app\/assets\/([^"]+)/g)].map(([, name]) => name);

function sum(names) {
  return names.reduce((total, name) => total + sizes.get(name), 0);
}

test('what the page loads at first is at most 140 KB of program and 15 KB of style, compressed', () => {
  expect(first.filter((name) => name.endsWith('.js'))).not.toHaveLength(0);
  expect(sum(first.filter((name) => name.endsWith('.js')))).toBeLessThanOrEqual(140 * KB);
  expect(sum(first.filter((name) => name.endsWith('.css')))).toBeLessThanOrEqual(15 * KB);
});

test('and takes at most eight requests', () => {
  expect(first.length + 1).toBeLessThanOrEqual(8);
});

test.each([...sizes].filter(([name]) => /\.(?:js|css)$/.test(name) && !first.includes(name)))('%s, which is loaded later, has %i bytes: at most 60 KB', (_name, size) => {
  expect(size).toBeLessThanOrEqual(60 * KB);
});
