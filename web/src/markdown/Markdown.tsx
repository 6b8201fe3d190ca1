import { memo, useState, type KeyboardEvent, type MouseEvent, type ReactNode } from 'react';
import { isAll } from '../store/mentions';
import { strings } from '../strings';
import { Icon } from '../ui/Icon';
import { CodeBlock } from './CodeBlock';
import { parse } from './parse';
import type { Block, Inline, Item, Link, Table } from './tree';

interface Props {
  source: string;
  /** Whose mentions stand out. */
  username: string;
}

export const Markdown = memo(function Markdown({ source, username }: Props) {
  const blocks = parse(source);
  const look = isJumbo(blocks) ? 'md md-jumbo' : 'md';
  return <div className={look} dir="auto">{blocks.map((block, key) => drawBlock(block, key, username))}</div>;
});

const JUMBO = /^(?:(?:\p{Regional_Indicator}{2}|\p{Emoji_Presentation}|\p{Emoji}\ufe0f|[\u200d\u20e3\u{1f3fb}-\u{1f3ff}])\s*){1,12}$/u;
const JUMBO_MAX = 40;

/** Whether a message is nothing but a few emoji. */
function isJumbo(blocks: Block[]): boolean {
  const only = blocks.length === 1 && blocks[0]!.kind === 'paragraph' && blocks[0]!.children.length === 1 && blocks[0]!.children[0]!;
  return only && only.kind === 'text' && only.text.length <= JUMBO_MAX && JUMBO.test(only.text);
}

function drawBlock(block: Block, key: number, me: string): ReactNode {
  switch (block.kind) {
    case 'paragraph': return <p key={key}>{drawInline(block.children, me)}</p>;
    case 'heading': return <p key={key} className="md-heading" data-level={block.level}>{drawInline(block.children, me)}</p>;
    case 'code': return <CodeBlock key={key} language={block.language} text={block.text} />;
    case 'quote': return <blockquote key={key}>{block.children.map((child, at) => drawBlock(child, at, me))}</blockquote>;
    case 'rule': return <hr key={key} />;
    case 'table': return drawTable(block, key, me);
    case 'list': {
      const items = block.items.map((item, at) => drawItem(item, at, me));
      return block.start === null ? <ul key={key}>{items}</ul> : <ol key={key} start={block.start}>{items}</ol>;
    }
  }
}

/** A list item's first paragraph stands without its own margins. */
function drawItem({ done, children }: Item, key: number, me: string): ReactNode {
  const inside = children.map((block, at) =>
    block.kind === 'paragraph' ? <span key={at} className="md-line">{drawInline(block.children, me)}</span> : drawBlock(block, at, me));
  if (done === null) return <li key={key}>{inside}</li>;
  return (
    <li key={key} className="md-task">
      <span className="md-box" data-done={done || undefined} role="img" aria-label={done ? strings.taskDone : strings.taskOpen} />
      {inside}
    </li>
  );
}

function drawTable({ align, head, rows }: Table, key: number, me: string): ReactNode {
  return (
    <div key={key} className="md-table" tabIndex={0} role="group" aria-label={strings.table}>
      <table>
        <thead><tr>{head.map((cell, at) => <th key={at} scope="col" data-align={align[at]}>{drawInline(cell, me)}</th>)}</tr></thead>
        <tbody>
          {rows.map((row, line) => (
            <tr key={line}>{row.map((cell, at) => <td key={at} data-align={align[at]}>{drawInline(cell, me)}</td>)}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function drawInline(nodes: Inline[], me: string): ReactNode[] {
  return nodes.map((node, key) => drawNode(node, key, me));
}

function drawNode(node: Inline, key: number, me: string): ReactNode {
  switch (node.kind) {
    case 'text': return node.text;
    case 'break': return <br key={key} />;
    case 'code': return <code key={key} dir="ltr">{node.text}</code>;
    case 'strong': return <strong key={key}>{drawInline(node.children, me)}</strong>;
    case 'em': return <em key={key}>{drawInline(node.children, me)}</em>;
    case 'strike': return <s key={key}>{drawInline(node.children, me)}</s>;
    case 'spoiler': return <Spoiler key={key}>{drawInline(node.children, me)}</Spoiler>;
    case 'mention': {
      const name = node.name.toLowerCase();
      const mine = name === me.toLowerCase() || isAll(name);
      return <bdi key={key} className={mine ? 'mention mention-me' : 'mention'}>@{node.name}</bdi>;
    }
    case 'link': return drawLink(node, key, me);
  }
}

function drawLink({ href, host, lookalike, children }: Link, key: number, me: string): ReactNode {
  return (
    <span key={key}>
      <a href={href} target="_blank" rel="noopener noreferrer nofollow" title={href}>{drawInline(children, me)}</a>
      {host && (
        <bdi className={lookalike ? 'md-host md-host-odd' : 'md-host'} title={lookalike ? strings.lookalike : undefined}>
          {' '}({lookalike && <><Icon name="alert" size={13} /><span className="hidden">{strings.lookalike} </span></>}{host})
        </bdi>
      )}
    </span>
  );
}

/** Words that are covered until somebody wants to read them. */
function Spoiler({ children }: { children: ReactNode }) {
  const [open, setOpen] = useState(false);
  if (open) return <span className="spoiler spoiler-open">{children}</span>;
  const show = (event: MouseEvent | KeyboardEvent) => {
    if ('key' in event && event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    event.stopPropagation();
    setOpen(true);
  };
  return (
    <span className="spoiler" role="button" tabIndex={0} aria-label={strings.spoiler} onClick={show} onKeyDown={show}>
      <span className="spoiler-words" aria-hidden="true" inert>{children}</span>
    </span>
  );
}
