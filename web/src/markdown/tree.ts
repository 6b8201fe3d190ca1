/** A message as a closed tree: what is not one of these nodes cannot be shown. */
export type Inline =
  | { kind: 'text'; text: string }
  | { kind: 'break' }
  | { kind: 'code'; text: string }
  | { kind: 'strong' | 'em' | 'strike' | 'spoiler'; children: Inline[] }
  | Link
  | { kind: 'mention'; name: string };

export interface Link {
  kind: 'link';
  href: string;
  /** The true host, where the words of the link may lead one to expect another. */
  host: string | null;
  /** Whether that host is written to look like another one. */
  lookalike: boolean;
  children: Inline[];
}

export type Block =
  | { kind: 'paragraph'; children: Inline[] }
  | { kind: 'heading'; level: number; children: Inline[] }
  | { kind: 'code'; language: string; text: string }
  | { kind: 'quote'; children: Block[] }
  | { kind: 'list'; start: number | null; items: Item[] }
  | Table
  | { kind: 'rule' };

export interface Item {
  /** Of a task: whether it is done. */
  done: boolean | null;
  children: Block[];
}

export type Align = 'start' | 'center' | 'end';

export interface Table {
  kind: 'table';
  align: Align[];
  head: Inline[][];
  rows: Inline[][][];
}

/** How much of a message is read; what is beyond stays plain text. */
export const MOST = {
  /** UTF-16 units of source; a longer one is cut. */
  source: 65_536,
  /** Quotes and lists inside each other. */
  depth: 6,
  /** Spans inside each other. */
  spans: 12,
  /** Nodes of the tree. */
  nodes: 5_000,
  /** Looks at a character, for each character of the source. */
  looks: 24,
  columns: 16,
  rows: 200,
};
