import { DecryptionErrorCode, DecryptionSettings, MegolmDecryptionError, RoomId, ShieldStateCode, TrustRequirement } from '@matrix-org/matrix-sdk-crypto-wasm';
import type { DecryptedRoomEvent, OlmMachine } from '@matrix-org/matrix-sdk-crypto-wasm';
import type { Opened, Payload, SealedReaction, Shield, ToOpen, Why } from '../types';
import { TRUST } from './driver';
import type { Findings } from './findings';
import type { Names } from './ids';
import { messageIndex } from './megolm';
import { readPayload } from './payload';
import { shownMarks, withMark, type Marks } from './reactions';

/** Opens messages: what is inside, who wrote it, and whether it is what it seems to be. */

export const TYPE = 'parlor.message';
const UNKNOWN = [DecryptionErrorCode.UnknownSenderDevice, DecryptionErrorCode.UnsignedSenderDevice];
const ALGORITHM = 'm.megolm.v1.aes-sha2';

export interface Shelf {
  note(chain: string, index: number, message: string): Promise<boolean>;
  reactionsOf(session: string, message: string): Promise<unknown>;
  keepReactions(session: string, message: string, reactions: unknown): Promise<void>;
  readonly born: string;
}

export class Opener {
  private restored: Promise<Set<string>> | null = null;
  private marking: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly machine: OlmMachine,
    private readonly names: Names,
    private readonly shelf: Shelf,
    private readonly findings: Findings,
    /** When one came into a session. */
    private readonly joinedAt: (session: string) => Promise<string | null>,
    /** Asks for somebody's devices. */
    private readonly meet: (user: string) => Promise<void>,
  ) {}

  async open(message: ToOpen): Promise<Opened> {
    const { sealed } = message;
    const index = messageIndex(sealed.ciphertext);
    if (index === null || sealed.algorithm !== ALGORITHM) return shut('damaged');
    const room = new RoomId(this.names.session(message.session_id));
    const found = await this.decrypt(message, room);
    if (typeof found === 'string') return shut(found === 'keys' ? await this.whyNoKeys(message) : found);
    const inside = JSON.parse(found.event.event) as { type: string; content: unknown };
    const payload = inside.type === TYPE ? readPayload(inside.content) : null;
    if (!payload || !isOf(payload, message)) return shut('damaged');
    if (!(await this.shelf.note(sealed.session_id, index, message.id))) return shut('replayed');
    return this.opened(message, payload, found.shield);
  }

  private async opened(message: ToOpen, payload: Payload, shield: Shield): Promise<Opened> {
    const { id, session_id, number, sender_id, sent_at } = message;
    if (payload.react) {
      const reactions = await this.mark(session_id, payload.react, sender_id, number);
      return { state: 'open', payload, shield, reactions: [], reacted: { message_id: payload.react.message_id, reactions } };
    }
    const text = [payload.body, ...(payload.files ?? []).map(({ name }) => name)].join('\n');
    // What is to disappear is in no index, so that none has to be looked through when nobody is here.
    if (message.expires_at || payload.expires_in_ms) await this.findings.drop(id);
    else if (!message.earlier) await this.findings.put({ id, session_id, number, sender_id, sent_at, text });
    const marks = (await this.shelf.reactionsOf(session_id, id)) as Marks | undefined;
    return { state: 'open', payload, shield, reactions: shownMarks(marks ?? {}) };
  }

  /** One after the other: each reads what is kept and writes it anew. */
  private mark(session: string, { message_id, emoji, on }: NonNullable<Payload['react']>, user: string, number: number): Promise<SealedReaction[]> {
    const work = this.marking.then(async () => {
      const before = ((await this.shelf.reactionsOf(session, message_id)) ?? {}) as Marks;
      const marks = withMark(before, user, emoji, on, number);
      if (marks !== before) await this.shelf.keepReactions(session, message_id, marks);
      return shownMarks(marks);
    });
    this.marking = work.catch(() => {});
    return work;
  }

  private async decrypt(message: ToOpen, room: RoomId, again = false): Promise<{ event: DecryptedRoomEvent; shield: Shield } | Why> {
    const { id, sender_id, sent_at, sealed } = message;
    const event = JSON.stringify({
      type: 'm.room.encrypted', event_id: this.names.message(id), sender: this.names.user(sender_id),
      origin_server_ts: Date.parse(sent_at), room_id: room.toString(), content: sealed,
    });
    try {
      const found = await this.machine.decryptRoomEvent(event, room, TRUST());
      return { event: found, shield: shieldOf(found) };
    } catch (error) {
      if (!(error instanceof MegolmDecryptionError)) throw error;
      if (!UNKNOWN.includes(error.code)) return whyOf(error);
      if (await this.isRestored(sealed.session_id)) return this.decryptUnproven(event, room);
      if (again) return 'unsigned';
      // Somebody whose keys nobody asked for here yet.
      await this.meet(sender_id);
      return this.decrypt(message, room, true);
    }
  }

  /** Keys out of the backup do not say whose they are: words opened by them carry a mark that says so. */
  private async decryptUnproven(event: string, room: RoomId): Promise<{ event: DecryptedRoomEvent; shield: Shield } | Why> {
    try {
      const found = await this.machine.decryptRoomEvent(event, room, new DecryptionSettings(TrustRequirement.Untrusted));
      return { event: found, shield: 'restored' };
    } catch (error) {
      if (!(error instanceof MegolmDecryptionError)) throw error;
      return whyOf(error);
    }
  }

  private async isRestored(session: string): Promise<boolean> {
    this.restored ??= this.allRestored();
    return (await this.restored).has(session);
  }

  private async allRestored(): Promise<Set<string>> {
    const found = new Set<string>();
    await this.machine.exportRoomKeys((session) => {
      if (session.hasBeenImported()) found.add(session.sessionId);
      return false;
    });
    return found;
  }

  /** Keys came in by another way. */
  forgetRestored(): void {
    this.restored = null;
  }

  private async whyNoKeys({ session_id, sent_at }: ToOpen): Promise<Why> {
    const joined = await this.joinedAt(session_id).catch(() => null);
    if (joined && sent_at < joined) return 'before';
    return sent_at < this.shelf.born ? 'device' : 'keys';
  }
}

function shut(why: Why): Opened {
  return { state: 'shut', why };
}

/** An edit says which message it is of; what is no edit does not. */
function isOf(payload: Payload, { id, edited_at }: ToOpen): boolean {
  return edited_at ? payload.edits === id && !payload.react : payload.edits === undefined;
}

function shieldOf(event: DecryptedRoomEvent): Shield {
  const { code } = event.shieldState(true);
  if (code === undefined) return 'verified';
  return code === ShieldStateCode.AuthenticityNotGuaranteed ? 'restored' : 'signed';
}

function whyOf(error: MegolmDecryptionError): Why {
  switch (error.code) {
    case DecryptionErrorCode.MissingRoomKey: return error.withheldCode && error.withheldCode !== 'm.no_olm' ? 'withheld' : 'keys';
    case DecryptionErrorCode.UnknownMessageIndex: return 'keys';
    case DecryptionErrorCode.UnknownSenderDevice:
    case DecryptionErrorCode.UnsignedSenderDevice: return 'unsigned';
    case DecryptionErrorCode.SenderIdentityVerificationViolation: return 'changed';
    default: return 'damaged';
  }
}
