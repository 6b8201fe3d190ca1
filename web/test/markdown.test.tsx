import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, test } from 'vitest';
import { Markdown } from '../src/markdown/Markdown';
import { parse, plainText } from '../src/markdown/parse';

function html(source: string, username = 'ana'): string {
  const text = renderToStaticMarkup(<Markdown source={source} username={username} />);
  return text.replace(/^<div class="md" dir="auto">/, '').replace(/<\/div>$/, '');
}

describe('what it draws', () => {
  test.each([
    ['plain', '<p>plain</p>'],
    ['**bold** and *soft* and ~~gone~~', '<p><strong>bold</strong> and <em>soft</em> and <s>gone</s></p>'],
    ['**bold with *soft* inside**', '<p><strong>bold with <em>soft</em> inside</strong></p>'],
    ['one\ntwo\n\nthree', '<p>one<br/>two</p><p>three</p>'],
    ['`a < b`', '<p><code>a &lt; b</code></p>'],
    ['snake_case_name and 2 * 3 * 4', '<p>snake_case_name and 2 * 3 * 4</p>'],
    ['an **open end', '<p>an **open end</p>'],
    ['\\*not soft\\*', '<p>*not soft*</p>'],
    ['# Title', '<p class="md-heading">Title</p>'],
    ['> said\n> twice', '<blockquote><p>said<br/>twice</p></blockquote>'],
    ['- a\n- b', '<ul><li><span>a</span></li><li><span>b</span></li></ul>'],
    ['3. c\n4. d', '<ol start="3"><li><span>c</span></li><li><span>d</span></li></ol>'],
    ['In\n1984. was a year', '<p>In<br/>1984. was a year</p>'],
    ['---', '<hr/>'],
    ['@ana and @bo', '<p><span class="mention mention-me">@ana</span> and <span class="mention">@bo</span></p>'],
    ['mail@bo.example', '<p>mail@bo.example</p>'],
  ])('%j', (source, expected) => expect(html(source)).toBe(expected));

  test('a list inside a list', () => {
    expect(html('- a\n  - b\n- c')).toBe('<ul><li><span>a</span><ul><li><span>b</span></li></ul></li><li><span>c</span></li></ul>');
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

  test.each([
    ['stars', '*'.repeat(16_000)], ['open spans', '**a '.repeat(4_000)], ['ticks', '`'.repeat(16_000)],
    ['growing ticks', Array.from({ length: 170 }, (_, n) => '`'.repeat(n + 1)).join(' ')],
    ['brackets', '['.repeat(16_000)], ['half links', '[a]('.repeat(4_000)], ['quotes', '>'.repeat(16_000)],
    ['lists', '- '.repeat(8_000)], ['addresses', 'https://'.repeat(2_000)], ['mentions', '@a'.repeat(8_000)],
    ['brackets with an end', `${'['.repeat(8_000)}](https://example.org)`], ['underscores', '_a'.repeat(8_000)],
    ['parens', `https://a/${')'.repeat(8_000)}`], ['spaces', `-${' '.repeat(16_000)}`], ['hashes', `# ${'# '.repeat(8_000)}`],
  ])('%s do not hold it up', (_name, source) => {
    const start = performance.now();
    parse(source);
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});

test('plain words for labels and quotes', () => {
  expect(plainText('# Hi **you**\n\n- a [link](https://example.org)\n> `code` *now*, 2 * 3')).toBe('Hi you a link code now, 2 * 3');
});
