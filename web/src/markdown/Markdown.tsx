import { memo, type ReactNode } from 'react';
import { CodeBlock } from './CodeBlock';
import { parse } from './parse';
import type { Block, Inline } from './tree';

interface Props {
  source: string;
  /** Whose mentions stand out. */
  username: string;
}

export const Markdown = memo(function Markdown({ source, username }: Props) {
  return <div className="md" dir="auto">{parse(source).map((block, key) => drawBlock(block, key, username))}</div>;
});

function drawBlock(block: Block, key: number, me: string): ReactNode {
  switch (block.kind) {
    case 'paragraph': return <p key={key}>{drawInline(block.children, me)}</p>;
    case 'heading': return <p key={key} className="md-heading">{drawInline(block.children, me)}</p>;
    case 'code': return <CodeBlock key={key} language={block.language} text={block.text} />;
    case 'quote': return <blockquote key={key}>{block.children.map((child, at) => drawBlock(child, at, me))}</blockquote>;
    case 'rule': return <hr key={key} />;
    case 'list': {
      const items = block.items.map((item, at) => <li key={at}>{drawItem(item, me)}</li>);
      return block.start === null ? <ul key={key}>{items}</ul> : <ol key={key} start={block.start}>{items}</ol>;
    }
  }
}

/** A list item's first paragraph stands without its own margins. */
function drawItem(item: Block[], me: string): ReactNode {
  return item.map((block, at) =>
    block.kind === 'paragraph' ? <span key={at}>{drawInline(block.children, me)}</span> : drawBlock(block, at, me));
}

function drawInline(nodes: Inline[], me: string): ReactNode[] {
  return nodes.map((node, key) => drawNode(node, key, me));
}

function drawNode(node: Inline, key: number, me: string): ReactNode {
  switch (node.kind) {
    case 'text': return node.text;
    case 'break': return <br key={key} />;
    case 'code': return <code key={key}>{node.text}</code>;
    case 'strong': return <strong key={key}>{drawInline(node.children, me)}</strong>;
    case 'em': return <em key={key}>{drawInline(node.children, me)}</em>;
    case 'strike': return <s key={key}>{drawInline(node.children, me)}</s>;
    case 'mention': {
      const mine = node.name.toLowerCase() === me.toLowerCase();
      return <span key={key} className={mine ? 'mention mention-me' : 'mention'}>@{node.name}</span>;
    }
    case 'link':
      return (
        <span key={key}>
          <a href={node.href} target="_blank" rel="noopener noreferrer nofollow" title={node.href}>
            {drawInline(node.children, me)}
          </a>
          {node.host && <span className="md-host"> ({node.host})</span>}
        </span>
      );
  }
}
