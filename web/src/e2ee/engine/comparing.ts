import { DeviceId, Sas, UserId, VerificationMethod } from '@matrix-org/matrix-sdk-crypto-wasm';
import type { OlmMachine, ProcessedToDeviceEvent, VerificationRequest } from '@matrix-org/matrix-sdk-crypto-wasm';
import type { Comparing } from '../types';
import type { Driver, Request } from './driver';
import { plainId, type Names } from './ids';

/** Two devices that compare seven emoji: who asks, who answers, and how it ends. */

interface Flow {
  request: VerificationRequest;
  sas: Sas | null;
  confirmed: boolean;
  mine: boolean;
  seen: boolean;
}

const SAS = () => [VerificationMethod.SasV1];
const KEPT_MAX = 20;

export class Comparisons {
  private readonly flows = new Map<string, Flow>();

  constructor(
    private readonly machine: OlmMachine,
    private readonly driver: Driver,
    private readonly names: Names,
    private readonly changed: () => void,
  ) {}

  /** Asks a device; without one, all of one's own. */
  async ask(user: string, device: string | null): Promise<string> {
    const [request, outgoing] = device ? await this.askDevice(user, device) : await this.askOwn();
    this.keep(request, true);
    await this.driver.send(outgoing as Request);
    this.changed();
    return request.flowId;
  }

  private async askDevice(user: string, device: string) {
    const found = await this.machine.getDevice(new UserId(this.names.user(user)), new DeviceId(device));
    if (!found) throw new Error('that device is gone');
    return found.requestVerification(SAS());
  }

  private async askOwn() {
    const own = await this.machine.getIdentity(this.machine.userId);
    if (!own || !('trustsOurOwnDevice' in own)) throw new Error('this account has no keys yet');
    return own.requestVerification(SAS());
  }

  async answer(flow: string): Promise<void> {
    const { request } = this.flow(flow);
    const outgoing = request.acceptWithMethods(SAS());
    if (outgoing) await this.driver.send(outgoing as Request);
    this.changed();
  }

  async confirm(flow: string): Promise<void> {
    const held = this.flow(flow);
    if (!held.sas) throw new Error('there is nothing to compare yet');
    held.confirmed = true;
    for (const outgoing of await held.sas.confirm()) await this.driver.send(outgoing as Request);
    await this.driver.flush();
    this.changed();
  }

  async cancel(flow: string, differs: boolean): Promise<void> {
    const { request, sas } = this.flow(flow);
    const outgoing = sas ? (differs ? sas.cancelWithCode('m.mismatched_sas') : sas.cancel()) : request.cancel();
    if (outgoing) await this.driver.send(outgoing as Request);
    this.changed();
  }

  /** One looked at how it ended. */
  dismiss(flow: string): void {
    this.flows.delete(flow);
    this.changed();
  }

  /** Takes up what came with the last answer of the server, and answers what needs no person to answer. */
  async hear(events: ProcessedToDeviceEvent[]): Promise<void> {
    for (const { rawEvent } of events) {
      const { type, sender, content } = JSON.parse(rawEvent) as { type: string; sender: string; content?: { transaction_id?: string } };
      if (!type.startsWith('m.key.verification.') || !content?.transaction_id) continue;
      const known = this.flows.has(content.transaction_id);
      const request = known ? null : this.machine.getVerificationRequest(new UserId(sender), content.transaction_id);
      if (request && !request.isCancelled() && !request.isPassive()) this.keep(request, request.weStarted());
    }
    for (const flow of this.flows.values()) await this.advance(flow);
    if (this.flows.size) this.changed();
  }

  private async advance(flow: Flow): Promise<void> {
    const { request, mine } = flow;
    const under = request.getVerification();
    if (under instanceof Sas) flow.sas = under;
    if (!flow.sas && mine && request.isReady()) {
      const begun = await request.startSas();
      if (begun) {
        flow.sas = begun[0];
        await this.driver.send(begun[1] as Request);
      }
    }
    if (flow.sas && !flow.sas.weStarted() && !flow.sas.hasBeenAccepted()) {
      const outgoing = flow.sas.accept();
      if (outgoing) await this.driver.send(outgoing as Request);
    }
  }

  private keep(request: VerificationRequest, mine: boolean): void {
    this.flows.set(request.flowId, { request, sas: null, confirmed: false, mine, seen: false });
    for (const flow of [...this.flows.keys()].slice(0, -KEPT_MAX)) this.flows.delete(flow);
  }

  private flow(id: string): Flow {
    const flow = this.flows.get(id);
    if (!flow) throw new Error('that comparison is over');
    return flow;
  }

  shown(): Comparing[] {
    return [...this.flows].map(([id, { request, sas, confirmed, mine }]) => {
      const info = sas?.cancelInfo() ?? request.cancelInfo;
      const cancelled = request.isCancelled() || request.timedOut() || sas?.isCancelled() || sas?.timedOut();
      const done = sas?.isDone() || request.isDone();
      const emoji = sas?.canBePresented() && !done && !cancelled ? (sas.emoji() ?? []) : [];
      return {
        flow: id,
        user_id: plainId(request.otherUserId.toString()),
        device_id: request.otherDeviceId?.toString() ?? null,
        mine,
        phase: done ? 'done' : cancelled ? 'cancelled' : confirmed ? 'waiting' : emoji.length ? 'compare' : sas || request.isReady() ? 'begun' : 'asked',
        emoji: emoji.map(({ symbol, description }) => ({ symbol, word: description })),
        ...(cancelled ? { cancelled: info?.cancelCode() ?? 'm.timeout' } : {}),
      };
    });
  }
}
