import { describe, expect, test } from 'vitest';
import { byName, codeOf, findEmoji, groups, nameOfEmoji } from '../src/emoji/list';
import { inTone } from '../src/emoji/tone';
import { shortcodes } from '../src/markdown/shortcodes';

const all = groups.flatMap(({ list }) => list);
const named = (name: string) => all.find((one) => one.name === name)!;

test('there is every emoji once, in nine groups', () => {
  expect(groups).toHaveLength(9);
  expect(all.length).toBeGreaterThan(1_800);
  expect(new Set(all.map(({ emoji }) => emoji)).size).toBe(all.length);
  expect(all.every(({ emoji, name }) => emoji && name && !/[\u{1f3fb}-\u{1f3ff}]/u.test(emoji))).toBe(true);
});

test('what people write between colons is one of them', () => {
  const bare = (emoji: string) => emoji.replaceAll('\ufe0f', '');
  const known = new Set(all.map(({ emoji }) => bare(emoji)));
  expect([...shortcodes()].filter(([, emoji]) => !known.has(bare(emoji)))).toEqual([]);
});

describe('finding', () => {
  test.each([
    ['tada', '🎉'], ['thumbs', '👍'], ['+1', '👍'], ['heart', '❤️'], ['party pop', '🎉'], ['switz', '🇨🇭'], ['grinning_cat', '😺'], ['joy', '😂'],
  ])('%s finds %s first', (text, emoji) => expect(findEmoji(text, 5)[0]?.emoji).toBe(emoji));

  test('finds no more than asked, and nothing for nothing', () => {
    expect(findEmoji('face', 7)).toHaveLength(7);
    expect(findEmoji('  ', 7)).toEqual([]);
    expect(findEmoji('no such thing', 7)).toEqual([]);
  });

  test('names have no colon, blank or accent', () => {
    expect(codeOf('piñata')).toBe('pinata');
    expect(codeOf('flag: Switzerland'.toLowerCase())).toBe('flag_switzerland');
    expect(byName('flag_switzerland')?.emoji).toBe('🇨🇭');
  });
});

test('tones follow the first letter, and the name stays', () => {
  expect(inTone(named('waving hand'), 3)).toBe('👋🏽');
  expect(inTone(named('woman astronaut'), 5)).toBe('👩🏿‍🚀');
  expect(inTone(named('victory hand'), 1)).toBe('✌🏻');
  expect(inTone(named('fire'), 3)).toBe('🔥');
  expect(inTone(named('waving hand'), 0)).toBe('👋');
  expect(nameOfEmoji('👋🏽')).toBe('waving hand');
  expect(nameOfEmoji('✌🏻')).toBe('victory hand');
});
