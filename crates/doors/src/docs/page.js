// Shows /openapi.json: every operation, its parameters, its bodies, and a form to try it.
// Text goes into the page as text only, never as markup.

const api = await (await fetch('/openapi.json')).json();
const main = document.querySelector('#operations');
const find = document.querySelector('#find');
const token = document.querySelector('#token');

/** Makes an element: properties, then children (elements or texts). */
function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children.filter((child) => child != null));
  return element;
}

function resolve(schema) {
  const name = schema?.$ref?.split('/').pop();
  return name ? { name, ...api.components.schemas[name] } : (schema ?? {});
}

/** A schema's type in words: `string (uuid)`, `[Room]`, `Me or null`. */
function typeOf(schema) {
  if (schema.$ref) return resolve(schema).name;
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return choices.map(typeOf).join(' or ');
  const types = [].concat(schema.type ?? 'any');
  const word = (type) => (type === 'array' ? `[${typeOf(schema.items ?? {})}]` : type);
  return types.map(word).join(' or ') + (schema.format ? ` (${schema.format})` : '');
}

/** The fields of a schema, each unfolding what it is made of, down to a depth. */
function fields(schema, depth = 0) {
  const resolved = resolve(schema);
  const list = make('dl');
  for (const part of resolved.allOf ?? []) list.append(...fields(part, depth).children);
  for (const choice of resolved.oneOf ?? []) {
    if (choice.type !== 'null') list.append(...fields(choice, depth).children);
  }
  for (const [name, field] of Object.entries(resolved.properties ?? {})) {
    list.append(make('dt', {}, name, make('span', { className: 'note' }, `  ${typeOf(field)}`)));
    if (field.description) list.append(make('dd', {}, field.description));
    const inner = resolve(field.items ?? (field.oneOf ?? []).find((c) => c.$ref) ?? field);
    if (inner.properties && depth < 3) {
      const more = make('details', {}, make('summary', {}, inner.name ?? 'fields'));
      more.append(fields(inner, depth + 1));
      list.append(make('dd', {}, more));
    }
  }
  return list;
}

/** An empty value of a schema, for the form to begin with. */
function example(schema) {
  const resolved = resolve(schema);
  const inner = (resolved.oneOf ?? []).find((choice) => choice.type !== 'null');
  if (inner) return example(inner);
  const type = [].concat(resolved.type)[0];
  const entries = Object.entries(resolved.properties ?? {});
  if (entries.length) return Object.fromEntries(entries.map(([k, field]) => [k, example(field)]));
  return { array: [], boolean: false, integer: 0, number: 0, object: {} }[type] ?? '';
}

function bodySchema(operation) {
  return operation.requestBody?.content?.['application/json']?.schema;
}

function section(title, ...children) {
  return [make('h3', {}, title), ...children];
}

function parameters(operation) {
  return (operation.parameters ?? []).map((parameter) => {
    const input = make('input', { name: parameter.name, required: parameter.in === 'path' });
    input.dataset.in = parameter.in;
    const about = [parameter.in, typeOf(parameter.schema ?? {}), parameter.description];
    return make('label', {}, `${parameter.name} · ${about.filter(Boolean).join(' · ')}`, input);
  });
}

async function send(form, method, path, output) {
  let url = path;
  const query = new URLSearchParams();
  const headers = { accept: 'application/json' };
  for (const input of form.querySelectorAll('input')) {
    const value = input.value.trim();
    if (!value) continue;
    if (input.dataset.in === 'path') url = url.replace(`{${input.name}}`, encodeURIComponent(value));
    else if (input.dataset.in === 'header') headers[input.name] = value;
    else query.append(input.name, value);
  }
  if (token.value.trim()) headers.authorization = `Bearer ${token.value.trim()}`;
  const body = form.querySelector('textarea')?.value.trim() || undefined;
  if (body) headers['content-type'] = 'application/json';
  if (query.size) url += `?${query}`;
  output.textContent = '…';
  try {
    const response = await fetch(url, { method, headers, body });
    const text = await response.text();
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* Not JSON: as it is. */ }
    output.textContent = `${response.status} ${response.statusText}\n\n${shown}`;
  } catch (error) {
    output.textContent = String(error);
  }
}

function trial(method, path, operation) {
  const form = make('form', {}, ...parameters(operation));
  const schema = bodySchema(operation);
  if (schema) {
    const text = JSON.stringify(example(schema), null, 2);
    form.append(make('label', {}, 'body', make('textarea', { value: text, spellcheck: false })));
  }
  const output = make('pre', { hidden: true });
  form.append(make('button', {}, 'Send'), output);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    output.hidden = false;
    send(form, method.toUpperCase(), path, output);
  });
  return form;
}

function answers(operation) {
  const list = make('dl');
  for (const [status, response] of Object.entries(operation.responses ?? {})) {
    const schema = response.content?.['application/json']?.schema;
    list.append(make('dt', {}, schema ? `${status}  ${typeOf(schema)}` : status));
    list.append(make('dd', {}, response.description));
    if (schema && status !== 'default') list.append(make('dd', {}, fields(schema)));
  }
  return list;
}

function unfold(method, path, operation) {
  const schema = bodySchema(operation);
  const content = make('div', {}, operation.description && make('p', {}, operation.description));
  if (schema) content.append(...section(`Body: ${typeOf(schema)}`, fields(schema)));
  content.append(...section('Answers', answers(operation)));
  content.append(...section('Try it', trial(method, path, operation)));
  return content;
}

function show(method, path, operation) {
  const summary = make('summary', {},
    make('span', { className: `method ${method}` }, method),
    make('span', { className: 'path' }, path),
    make('span', { className: 'note' }, operation.summary ?? ''));
  const details = make('details', { className: 'operation' }, summary);
  details.dataset.words = `${method} ${path} ${operation.summary ?? ''}`.toLowerCase();
  details.addEventListener('toggle', () => {
    if (details.open && details.children.length === 1) details.append(unfold(method, path, operation));
  });
  return details;
}

function showAll() {
  const about = api.info.description.split('`');
  const pieces = about.map((text, i) => (i % 2 ? make('code', {}, text) : text));
  document.querySelector('#about').replaceChildren(...pieces);
  const groups = new Map();
  for (const [path, item] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      const tag = operation.tags?.[0] ?? 'other';
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(show(method, path, operation));
    }
  }
  const sections = [...groups].map(([tag, list]) => make('section', {}, make('h2', {}, tag), ...list));
  main.replaceChildren(...sections);
}

find.addEventListener('input', () => {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const operation of document.querySelectorAll('.operation')) {
    operation.hidden = !words.every((word) => operation.dataset.words.includes(word));
  }
  for (const group of document.querySelectorAll('section')) {
    group.hidden = ![...group.querySelectorAll('.operation')].some((o) => !o.hidden);
  }
});
document.querySelector('#tools').addEventListener('submit', (event) => event.preventDefault());

showAll();
