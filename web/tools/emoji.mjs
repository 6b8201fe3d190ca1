// Writes src/emoji/emoji.txt from Unicode's emoji-test.txt (Debian: unicode-data), named on the command line:
// a line for each group, and under it each emoji with its name; a star where there are skin tones.
import { readFileSync, writeFileSync } from 'node:fs';

const [, , from = '/usr/share/unicode/emoji/emoji-test.txt'] = process.argv;
const LINE = /^[0-9A-F ]+; fully-qualified +# (\S+) E[\d.]+ (.+)$/;
const TONES = /[\u{1f3fb}-\u{1f3ff}]/u;
const MEDIUM = '\u{1f3fd}';

const groups = new Map();
const all = new Set();
let group = '';
for (const line of readFileSync(from, 'utf8').split('\n')) {
  if (line.startsWith('# group: ')) group = line.slice('# group: '.length);
  const match = LINE.exec(line);
  if (!match) continue;
  all.add(match[1]);
  // A tone, or a person's hair, is a choice made elsewhere.
  if (TONES.test(match[1]) || /: .*(?:hair|bald|skin)/.test(match[2])) continue;
  groups.set(group, [...(groups.get(group) ?? []), match.slice(1)]);
}

/** The emoji in a skin tone: the tone follows the first letter. */
function toned(emoji) {
  const [first, ...rest] = emoji.replace(/^(.)\ufe0f/u, '$1');
  return first + MEDIUM + rest.join('');
}

const lines = [...groups].filter(([name]) => name !== 'Component').flatMap(([name, list]) => [
  `# ${name}`, ...list.map(([emoji, words]) => `${emoji}${all.has(toned(emoji)) ? '*' : ''} ${words.toLowerCase()}`),
]);
writeFileSync(new URL('../src/emoji/emoji.txt', import.meta.url), `${lines.join('\n')}\n`);
