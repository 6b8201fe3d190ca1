import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, test } from 'vitest';
import { Markdown } from '../src/markdown/Markdown';
import { unicodeOf } from '../src/markdown/idn';
import { coloured, paint } from '../src/markdown/paint';
import { parse, parseCounted, plainText } from '../src/markdown/parse';
import { pieces } from '../src/markdown/pieces';
import { MOST } from '../src/markdown/tree';

function html(source: string, username = 'ana'): string {
  const text = renderToStaticMarkup(<Markdown source={source} username={username} />);
  return text.replace(/^<div class="md" dir="auto">/, '').replace(/<\/div>$/, '');
}

function paragraph(text: string) {
  return { kind: 'paragraph', children: [{ kind: 'text', text }] };
}

describe('what it draws', () => {
  test.each([
    ['plain', '<p>plain</p>'],
    ['**bold** and *soft* and ~~gone~~', '<p><strong>bold</strong> and <em>soft</em> and <s>gone</s></p>'],
    ['**bold with *soft* inside**', '<p><strong>bold with <em>soft</em> inside</strong></p>'],
    ['one\ntwo\n\nthree', '<p>one<br/>two</p><p>three</p>'],
    ['`a < b`', '<p><code dir="ltr">a &lt; b</code></p>'],
    ['snake_case_name and 2 * 3 * 4', '<p>snake_case_name and 2 * 3 * 4</p>'],
    ['an **open end', '<p>an **open end</p>'],
    ['\\*not soft\\*', '<p>*not soft*</p>'],
    ['# Title', '<p class="md-heading" data-level="1">Title</p>'],
    ['> said\n> twice', '<blockquote><p>said<br/>twice</p></blockquote>'],
    ['- a\n- b', '<ul><li><span class="md-line">a</span></li><li><span class="md-line">b</span></li></ul>'],
    ['3. c\n4. d', '<ol start="3"><li><span class="md-line">c</span></li><li><span class="md-line">d</span></li></ol>'],
    ['In\n1984. was a year', '<p>In<br/>1984. was a year</p>'],
    ['---', '<hr/>'],
    ['@ana and @bo', '<p><bdi class="mention mention-me">@ana</bdi> and <bdi class="mention">@bo</bdi></p>'],
    ['mail@bo.example', '<p>mail@bo.example</p>'],
    ['all of you, @room', '<p>all of you, <bdi class="mention mention-me">@room</bdi></p>'],
    ['***both***', '<p><em><strong>both</strong></em></p>'],
    ['**2*3=6**', '<p><strong>2*3=6</strong></p>'],
    ['**open *and* shut** and **open', '<p><strong>open <em>and</em> shut</strong> and **open</p>'],
    ['it is :tada: at 10:30:45 :nothing:', '<p>it is 🎉 at 10:30:45 :nothing:</p>'],
    ['`:tada:`', '<p><code dir="ltr">:tada:</code></p>'],
    ['## C# and F#', '<p class="md-heading" data-level="2">C# and F#</p>'],
    ['## closed ##', '<p class="md-heading" data-level="2">closed</p>'],
    ['#nothing', '<p>#nothing</p>'],
    ['``a ` b``', '<p><code dir="ltr">a ` b</code></p>'],
    ['![a cat](https://example.org/cat.png)', '<p><span><a href="https://example.org/cat.png" target="_blank" rel="noopener noreferrer nofollow" title="https://example.org/cat.png">a cat</a></span></p>'],
    ['1.\n2.', '<p>1.<br/>2.</p>'],
    ['', ''],
  ])('%j', (source, expected) => expect(html(source)).toBe(expected));

  test('a list inside a list', () => {
    expect(html('- a\n  - b\n- c')).toBe('<ul><li><span class="md-line">a</span><ul><li><span class="md-line">b</span></li></ul></li><li><span class="md-line">c</span></li></ul>');
  });

  test('tasks say whether they are done', () => {
    const drawn = html('- [ ] buy ink\n- [x] oil the press\n- [link](https://example.org)');
    expect(drawn).toContain('<li class="md-task"><span class="md-box" role="img" aria-label="Not done"></span><span class="md-line">buy ink');
    expect(drawn).toContain('<span class="md-box" data-done="true" role="img" aria-label="Done"></span>');
    expect(drawn.match(/<li>/g)).toHaveLength(1);
  });

  test('items hold what is indented under them, across a blank line', () => {
    expect(parse('1. one\n\n   more\n2. two\n   - [x] in\n\nafter')).toEqual([
      {
        kind: 'list', start: 1, items: [
          { done: null, children: [paragraph('one'), paragraph('more')] },
          { done: null, children: [paragraph('two'), { kind: 'list', start: null, items: [{ done: true, children: [paragraph('in')] }] }] },
        ],
      },
      paragraph('after'),
    ]);
  });

  test('a table has as many cells as names', () => {
    const drawn = html('| Name | Age |\n|:-----|----:|\n| **Ana** | 41 | gone |\n| a \\| b |\n\nafter');
    expect(drawn).toContain('<th scope="col" data-align="start">Name</th><th scope="col" data-align="end">Age</th>');
    expect(drawn).toContain('<tr><td data-align="start"><strong>Ana</strong></td><td data-align="end">41</td></tr>');
    expect(drawn).toContain('<td data-align="start">a | b</td><td data-align="end"></td>');
    expect(drawn).toMatch(/<p>after<\/p>$/);
    expect(html('a | b\nno line of hyphens')).toBe('<p>a | b<br/>no line of hyphens</p>');
  });

  test('hidden words are not told before they are asked for', () => {
    expect(html('the ||butler|| did it')).toContain('<span class="spoiler" role="button" tabindex="0" aria-label="Hidden words. Show them">');
    expect(plainText('the ||butler|| did it')).toBe('the ▒▒▒ did it');
  });

  test('a few emoji alone are drawn large', () => {
    const jumbo = (source: string) => renderToStaticMarkup(<Markdown source={source} username="" />).includes('md-jumbo');
    for (const source of ['🎉', ':tada: ❤️', '👍🏽', '👨‍👩‍👧', '🇨🇭']) expect(jumbo(source), source).toBe(true);
    for (const source of ['7', '1 2 3', '🎉 yes', '🎉'.repeat(30), '* 🎉']) expect(jumbo(source), source).toBe(false);
  });

  test('a fence keeps its text as it is', () => {
    expect(parse('```rs\nfn a() {\n\n*b*\n```\nafter')).toEqual([
      { kind: 'code', language: 'rs', text: 'fn a() {\n\n*b*' },
      { kind: 'paragraph', children: [{ kind: 'text', text: 'after' }] },
    ]);
  });
});

describe('links', () => {
  test('an address in a sentence ends before the full stop', () => {
    expect(html('see https://example.org/a_(b).')).toContain('href="https://example.org/a_(b)"');
    expect(html('(https://example.org/x)')).toContain('href="https://example.org/x"');
  });

  test('every link is cut off from the page it leaves', () => {
    expect(html('[x](https://example.org)')).toContain('target="_blank" rel="noopener noreferrer nofollow"');
  });

  test('words that claim another host are shown for what they are', () => {
    expect(html('[bank.example](https://evil.example/)')).toContain('(evil.example)');
    expect(html('[bank.example](https://bank.example/)')).not.toContain('md-host');
  });

  test('an address may stand in angle brackets, and a link may have a title', () => {
    expect(html('<https://example.org/a>')).toContain('href="https://example.org/a"');
    expect(html('[x](https://example.org "a title")')).toBe(html('[x](https://example.org)'));
    expect(html('[x](<https://example.org>)')).toContain('href="https://example.org/"');
    expect(html('www.example.org/a, yes')).toContain('<a href="https://www.example.org/a"');
  });

  test.each([
    ['[**bank**.example](https://evil.example)', 'evil.example'],
    ['[pay at https://bank.example now](https://evil.example:8443/)', 'evil.example:8443'],
    ['[||bank.example||](https://evil.example)', 'evil.example'],
    ['https://bank.example@evil.example/', 'evil.example'],
    ['https://evil.example\\\\@bank.example', 'evil.example'],
    ['[ana@bank.example](mailto:bo@evil.example)', 'bo@evil.example'],
  ])('%s tells where it leads: %s', (source, host) => expect(html(source)).toContain(`(${host})`));

  test.each([
    ['https://аpple.com', 'xn--pple-43d.com'], ['[shop](https://аpple.com/x)', 'xn--pple-43d.com'], ['https://ехаmple.org', 'xn--mple-43d3a6i.org'],
    ['https://сор.com', 'xn--'], ['https://xn--80ak6aa92e.com', 'xn--80ak6aa92e.com'], ['https://οpen.example', 'xn--'],
  ])('letters in disguise: %s is shown as %s, with a warning', (source, shown) => {
    const drawn = html(source);
    expect(drawn).toContain(shown);
    expect(drawn).toContain('md-host-odd');
    expect(drawn.replace(/<[^>]*>/g, '')).not.toMatch(/https?:\/\/[^ ]*[^\x20-\x7e]/);
  });

  test.each(['https://münchen.example', 'https://пример.example', 'https://東京.example', 'https://かな漢字.example', 'https://한국.example'])(
    '%s is an honest name', (source) => {
      expect(html(source)).not.toContain('md-host');
      expect(html(source)).toContain(`>${source}</a>`);
    },
  );

  test.each([
    ['xn--mnchen-3ya', 'münchen'], ['xn--80ak6aa92e', 'аррӏе'], ['xn--wgv71a119e', '日本語'], ['plain', 'plain'],
    ['xn--', ''], ['xn--99999999', null], ['xn--a\u00e9', null],
  ])('%s is %s', (label, expected) => expect(unicodeOf(label)).toBe(expected));

  test.each([
    '[x](javascript:alert(1))', '[x](JaVaScRiPt:alert(1))', '[x](data:text/html,x)', '[x](vbscript:x)',
    '[x](file:///etc/passwd)', '[x]( javascript:alert(1) )', '[x](//example.org)', 'javascript:alert(1)',
  ])('%j is not a link', (source) => expect(html(source)).not.toContain('<a'));
});

describe('what it never does', () => {
  test.each([
    '<script>alert(1)</script>', '<img src=x onerror=alert(1)>', '<svg/onload=alert(1)>', '`<b>`', '**<i>x</i>**',
    '[<img src=x>](https://example.org)', '<a href="javascript:1">x</a>', '&lt;script&gt;', '```html\n<script>\n```',
    '[x](https://example.org/"onmouseover="alert(1))', '<https://example.org><script>',
  ])('%j stays text', (source) => {
    const drawn = html(source).replace(/<\/?(?:p|a|code|pre|strong|em|span|figure|figcaption|br)\b[^<>]*>/g, '');
    expect(drawn).not.toMatch(/<[a-z]/i);
    expect(html(source)).not.toMatch(/<[^>]+\son\w+=/i);
  });

});

/** What it costs to read: looks at characters for each one, nodes made, and how deep they lie. */
function cost(source: string) {
  const { blocks, meter } = parseCounted(source);
  return { each: meter.looks / (source.length + 100), nodes: meter.nodes, depth: depthOf(blocks), tree: blocks };
}

function depthOf(tree: unknown): number {
  if (Array.isArray(tree)) return Math.max(0, ...tree.map(depthOf));
  if (tree === null || typeof tree !== 'object') return 0;
  return 1 + Math.max(0, ...Object.values(tree).map(depthOf));
}

describe('what holds others up', () => {
  const N = 10_000;
  test.each([
    ['quotes in quotes', '>'.repeat(N)], ['stars', '*'.repeat(N)], ['brackets', '['.repeat(N)], ['ticks', '`'.repeat(10 * N)],
    ['quotes with blanks', '> '.repeat(N)], ['quoted lists', '> - '.repeat(N)], ['lists in lists', '- '.repeat(N)],
    ['deeper and deeper', Array.from({ length: 200 }, (_, n) => `${' '.repeat(2 * n)}- x`).join('\n')],
    ['open spans', '**a '.repeat(N)], ['all open spans', '*a _b ~~c ||d '.repeat(N / 4)], ['closed spans', '*a*'.repeat(N)],
    ['growing ticks', Array.from({ length: 440 }, (_, n) => '`'.repeat(n + 1)).join(' ')], ['escaped ticks', '\\`'.repeat(N)],
    ['half links', '[a]('.repeat(N)], ['brackets with an end', `${'['.repeat(N)}](https://example.org)`], ['links', '[a](https://b.example) '.repeat(N / 4)],
    ['open labels', '[aaaaaaaaa '.repeat(N)], ['open addresses', '[a](b'.repeat(N)], ['pictures', '!['.repeat(N)], ['angles', '<https://'.repeat(N)],
    ['addresses', 'https://'.repeat(N)], ['an address of bars', `https://a/${'|'.repeat(N)}x`], ['parens', `https://a/${')'.repeat(N)}`],
    ['dots', `https://a/${'.'.repeat(N)}x`.repeat(4)], ['a host of dots', `[${'a.'.repeat(N)}](https://b.example)`],
    ['mentions', '@a'.repeat(N)], ['mentions with dots', '@a......'.repeat(N)], ['underscores', '_a'.repeat(N)], ['colons', ':a:'.repeat(N)],
    ['blanks', `-${' '.repeat(N)}`], ['hashes', `# ${'# '.repeat(N)}`], ['hashes and more', `# ${'#'.repeat(N)}x`],
    ['a fence that is none', `\`\`\`${'x'.repeat(N)}\``], ['fences', '```\n'.repeat(N)], ['rules', '- - - '.repeat(N)], ['bars', '|'.repeat(N)],
    ['a wide table', `${'a|'.repeat(N)}\n${'-|'.repeat(N)}\n${'b|'.repeat(N)}`], ['a long table', `a|b\n-|-\n${'c|d\n'.repeat(N)}`],
    ['lines', '\n'.repeat(N)], ['a word', 'x'.repeat(65_536)], ['more than there may be', '*a* '.repeat(4 * N)], ['marks', `a${'\u0301'.repeat(N)}`],
    ['hidden letters', '\u{e0041}'.repeat(N)], ['overrides', '\u202e'.repeat(N)], ['spoilers', '||a||'.repeat(N)], ['tasks', '- [ ] a\n'.repeat(N)],
  ])('%s cost a bounded number of looks, nodes and levels', (_name, source) => {
    const { each, nodes, depth } = cost(source);
    expect(each).toBeLessThanOrEqual(MOST.looks + 10);
    expect(nodes).toBeLessThanOrEqual(MOST.nodes + 2 * MOST.rows * MOST.columns);
    expect(depth).toBeLessThanOrEqual(2 * MOST.depth + MOST.spans + 8);
  });

  test('what is beyond the limits is still there, as text', () => {
    const words = plainText(`${'*a* '.repeat(8_000)} the end`);
    expect(words).toMatch(/\*a\* +the end$/);
    expect(plainText(`${'>'.repeat(50)} deep`)).toContain('deep');
    expect(plainText('x'.repeat(70_000)).length).toBe(65_538);
  });
});

describe('what acts without being seen', () => {
  test('piles of marks are cut down, and what scripts need is kept', () => {
    expect(plainText(`Z${'\u0323\u0301'.repeat(5_000)}algo`)).toBe(`Z${'\u0323\u0301\u0323\u0301\u0323'}algo`);
    for (const word of ['נִקּוּד', 'ที่', 'Việt Nam'.normalize('NFD'), 'हिन्दी', '❤️', '1️⃣']) expect(plainText(word)).toBe(word);
  });

  test.each([
    ['\u202egnp.exe', '⟨U+202E⟩gnp.exe'], ['\u202e\u202e\u202ex', '⟨U+202E … 3⟩x'], ['\x1b[31mred', '␛[31mred'], ['a\0b\x7f', 'a␀b␡'],
    ['\x9b31m', '⟨U+009B⟩31m'], ['hi\u{e0068}\u{e0069}', 'hi⟨U+E0068 … 2⟩'], ['\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}', '\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}'],
    ['`if (a\u2066b)`', 'if (a⟨U+2066⟩b)'], ['one\u2028two', 'one two'],
  ])('%j is told as %j', (source, expected) => expect(plainText(source)).toBe(expected));

  test('no direction leaks out of a message, a name or a program', () => {
    expect(renderToStaticMarkup(<Markdown source="שלום" username="" />)).toContain('dir="auto"');
    expect(html('@ana')).toContain('<bdi');
    expect(html('`a`')).toContain('dir="ltr"');
    expect(html('[bank.example](https://evil.example)')).toContain('<bdi class="md-host"');
  });
});

describe('programs', () => {
  test('what the highlighter says becomes pieces of the same text', () => {
    const told = pieces('<span class="hljs-keyword">let</span> a = <span class="hljs-string">&#x27;&lt;b&gt;<span class="hljs-subst">${x}</span>&#x27;</span>;');
    expect(told).toEqual([['word', 'let'], [null, ' a = '], ['text', '\'<b>${x}\''], [null, ';']]);
  });

  test.each(['<img src=x onerror=alert(1)>', '<span class="x" onclick="y">', '<script>', '</span></span>', '&#60;b&#62;'])(
    '%j from a highlighter gone mad is text', (markup) => {
      expect(pieces(markup).map(([, text]) => text).join('')).toBe(markup.replaceAll('</span>', ''));
      expect(pieces(markup).every(([kind]) => kind === null)).toBe(true);
    },
  );

  test('without a worker, and in a language nobody knows, they stay plain', async () => {
    expect(await paint('rust', 'fn main() {}')).toBeNull();
    expect(await paint('constructor', 'x')).toBeNull();
    expect(coloured('toString')).toBeUndefined();
  });
});

test('plain words for labels and quotes', () => {
  expect(plainText('# Hi **you**\n\n- a [link](https://example.org)\n> `code` *now*, 2 * 3')).toBe('Hi you a link code now, 2 * 3');
});
