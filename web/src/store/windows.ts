/** The other windows of this browser: what one of them did, the others take over. */

export type Word =
  | { said: 'outbox' | 'signed-in' | 'signed-out' }
  | { said: 'thread-read'; root: string; number: number };

const channel = 'BroadcastChannel' in self ? new BroadcastChannel('parlor') : null;

export function tellWindows(word: Word): void {
  channel?.postMessage(word);
}

export function onWord(hear: (word: Word) => void): void {
  if (channel) channel.onmessage = (message: MessageEvent<Word>) => hear(message.data);
}
