import type { Encrypted } from '../wire';

/** What the page and the worker that holds the keys say to each other of messages. */

/** How to open a file: Matrix's `EncryptedFile` of version 2, without its address. */
export interface FileKey {
  v: 'v2';
  key: { kty: 'oct'; key_ops: string[]; alg: 'A256CTR'; k: string; ext: true };
  iv: string;
  hashes: { sha256: string };
}

export interface SealedThumbnail {
  id: string;
  media_type: string;
  size: number;
  width: number;
  height: number;
  key: FileKey;
}

/** A file of a message; the server has octets only. */
export interface SealedFile {
  id: string;
  name: string;
  media_type: string;
  size: number;
  width?: number;
  height?: number;
  key: FileKey;
  thumbnail?: SealedThumbnail;
}

/** What stands inside the ciphertext. */
export interface Payload {
  v: 1;
  body: string;
  sent_at: string;
  reply_to?: string;
  thread_id?: string;
  /** The message that this one gives other words to. */
  edits?: string;
  react?: { message_id: string; emoji: string; on: boolean };
  files?: SealedFile[];
  expires_in_ms?: number;
}

/** Why a message stays shut. */
export type Why =
  /** It is being opened. */
  | 'opening'
  /** Its keys have not come. */
  | 'keys'
  /** It was sent before one came into the session. */
  | 'before'
  /** It was sent before this device was signed in. */
  | 'device'
  /** Its sender chose not to give this device the keys. */
  | 'withheld'
  /** The device that sent it is not signed by its owner. */
  | 'unsigned'
  /** Who sent it is somebody else than before, under the same name. */
  | 'changed'
  /** The same ciphertext was a message already. */
  | 'replayed'
  /** It cannot be a message of ours. */
  | 'damaged'
  /** It did not come sealed: whoever runs the server may have written it. */
  | 'bare'
  /** This browser has no encryption here. */
  | 'off';

/** What is known of who wrote a message. */
export type Shield =
  /** By a device of somebody who was compared with. */
  | 'verified'
  /** By a device that its owner signed; nobody compared. */
  | 'signed'
  /** The keys came out of the backup: that they are of who is named cannot be proven. */
  | 'restored';

export interface SealedReaction {
  emoji: string;
  user_ids: string[];
}

/** A message after it was opened, or not. */
export type Opened =
  | { state: 'open'; payload: Payload; shield: Shield; reactions: SealedReaction[]; reacted?: { message_id: string; reactions: SealedReaction[] } }
  | { state: 'shut'; why: Why };

/** What is asked to be opened. */
export interface ToOpen {
  id: string;
  number: number;
  session_id: string;
  sender_id: string;
  sent_at: string;
  edited_at: string | null;
  /** When it decays, by the server's word. */
  expires_at?: string | null;
  sealed: Encrypted;
  /** Words that were replaced since: they are shown, and not found. */
  earlier?: boolean;
}

export interface ReaderDevice {
  id: string;
  name: string;
  /** Signed by its owner: others do not get keys. */
  signed: boolean;
  mine: boolean;
  /** This very one. */
  here: boolean;
}

export type ReaderState =
  /** Somebody compared emoji with them. */
  | 'verified'
  /** Trusted since they were seen first. */
  | 'first'
  /** Their keys are other ones than before. */
  | 'changed'
  /** They have no keys yet, and read nothing. */
  | 'none'
  /** Nobody let them in: they get no keys, whoever they are. */
  | 'unvouched'
  /** Oneself. */
  | 'me';

export interface Reader {
  user_id: string;
  state: ReaderState;
  devices: ReaderDevice[];
}

/** Two devices compare what they see, or pass a code. */
export interface Comparing {
  flow: string;
  user_id: string;
  device_id: string | null;
  /** Whether it was asked for here. */
  mine: boolean;
  phase:
    | 'asked' | 'begun'
    /** Emoji are looked at. */
    | 'compare'
    /** A code is shown, and the other side's would be taken. */
    | 'code'
    /** The other side has taken the code of this one: does it say that it fits? */
    | 'taken'
    /** The code of the other side fits, and that side is to say so. */
    | 'fits'
    | 'waiting' | 'done' | 'cancelled';
  emoji: { symbol: string; word: string }[];
  by_code: boolean;
  /** Whether the other side can do that, as far as is known. */
  may_code: boolean;
  /** What this device shows; null when it has none to show. */
  code: string | null;
  /** The one that goes on in the place of this one. */
  next?: string;
  /** Why it was broken off, as the library names it. */
  cancelled?: string;
}

export interface Status {
  user_id: string;
  device_id: string;
  /** `none`: nobody has made keys for this account yet. */
  account: 'none' | 'mine' | 'elsewhere';
  /** Whether this device is signed by its owner's keys. */
  signed: boolean;
  /** Whether a recovery key exists, and whether this device takes part in the backup. */
  recovery: 'none' | 'on' | 'off-here';
  saved: { done: number; all: number };
  comparing: Comparing[];
  /** One's own devices. */
  devices: ReaderDevice[];
}

export interface Found {
  session_id: string;
  message_id: string;
  number: number;
  sender_id: string;
  sent_at: string;
  text: string;
  matches: { start: number; end: number }[];
}

export interface FindAnswer {
  hits: Found[];
  /** How many messages this browser has looked through, and the oldest of them. */
  covers: { messages: number; since: string | null };
}

/** A message's own words, where it came sealed. Only here, never on the wire. */
export interface Clear {
  /** The ciphertext that this was made of. */
  of: string;
  state: 'open' | 'shut';
  why?: Why;
  shield?: Shield;
  /** Says something of another message, and is no line of its own. */
  hidden?: boolean;
}

declare module '../wire' {
  interface Message {
    clear?: Clear;
    /** It stands here with words that were replaced since. */
    earlier?: boolean;
  }
  interface File {
    sealed?: SealedFile;
  }
}
