import { MOST } from './tree';

/** Counts what reading a message costs. When it is spent, the rest of the message is plain text. */
export class Meter {
  looks = 0;
  nodes = 0;
  private readonly most: number;

  constructor(length: number) {
    this.most = 1_000 + MOST.looks * length;
  }

  /** Notes that so many characters were looked at. */
  look(characters: number): void {
    this.looks += characters;
  }

  /** Notes a node; whether there may be more. */
  node(): boolean {
    this.nodes += 1;
    return this.open();
  }

  open(): boolean {
    return this.nodes < MOST.nodes && this.looks < this.most;
  }
}
