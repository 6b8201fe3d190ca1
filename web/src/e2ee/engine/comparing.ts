import { DeviceId, QrCodeScan, Sas, UserId, VerificationMethod } from '@matrix-org/matrix-sdk-crypto-wasm';
import type { OlmMachine, ProcessedToDeviceEvent, Qr, VerificationRequest } from '@matrix-org/matrix-sdk-crypto-wasm';
import type { Comparing } from '../types';
import { CodeRefusal, readCode, writeCode, type Code } from './code';
import type { Driver, Request } from './driver';
import { plainId, type Names } from './ids';

/** Two devices that compare seven emoji, or pass a code instead: who asks, who answers, and how it ends. */

interface Flow {
  request: VerificationRequest;
  mine: boolean;
  user: string;
  /** What was asked of all of one's own devices has none until one of them answers. */
  device: string | null;
  /** Somebody here asked for it, or answered. */
  wanted: boolean;
  sas: Sas | null;
  byCode: boolean;
  qr: Qr | null;
  /** What is shown here, once it is made; null when this device cannot show one. */
  code?: string | null;
  making: boolean;
  confirmed: boolean;
  /** The one that goes on in its place. */
  next?: string;
}

/** Emoji are what is offered first. */
const ALL = () => [VerificationMethod.SasV1, ...BY_CODE()];
/** Without emoji, so that the other side knows that a code is wanted. */
const BY_CODE = () => [VerificationMethod.QrCodeShowV1, VerificationMethod.QrCodeScanV1, VerificationMethod.ReciprocateV1];
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
  async ask(user: string, device: string | null, methods = ALL()): Promise<string> {
    const [request, outgoing] = device ? await this.askDevice(user, device, methods) : await this.askOwn(methods);
    this.keep(request, user, device);
    await this.driver.send(outgoing as Request);
    this.changed();
    return request.flowId;
  }

  private async askDevice(user: string, device: string, methods: VerificationMethod[]) {
    const found = await this.machine.getDevice(new UserId(this.names.user(user)), new DeviceId(device));
    if (!found) throw new Error('that device is gone');
    return found.requestVerification(methods);
  }

  private async askOwn(methods: VerificationMethod[]) {
    const own = await this.machine.getIdentity(this.machine.userId);
    if (!own || !('trustsOurOwnDevice' in own)) throw new Error('this account has no keys yet');
    return own.requestVerification(methods);
  }

  async answer(id: string): Promise<void> {
    const flow = this.flow(id);
    flow.wanted = true;
    const outgoing = flow.request.acceptWithMethods(ALL());
    if (outgoing) await this.driver.send(outgoing as Request);
    await this.advance(flow);
    this.changed();
  }

  /** Goes on by a code, in the flow that is answered. Where emoji were begun the library shows no code any more: it takes another flow. */
  async useCode(id: string): Promise<string> {
    const flow = this.flow(id);
    if (flow.making && !flow.sas) return id;
    if (flow.sas || !flow.request.isReady()) {
      await this.end(flow, false);
      return (flow.next ??= await this.ask(flow.user, flow.device, BY_CODE()));
    }
    flow.byCode = true;
    await this.advance(flow);
    this.changed();
    return id;
  }

  /** Takes what the other side shows. Whatever does not fit is refused, and nothing ends by it. */
  async take(id: string, text: string): Promise<void> {
    const flow = this.flow(id);
    const code = readCode(text);
    if (!code) throw new CodeRefusal('code_malformed');
    if (writeCode(code.bytes) === flow.code) throw new CodeRefusal('code_own');
    if (code.flow !== id) throw new CodeRefusal('code_other');
    if (phaseOf(flow) !== 'code') throw new Error('no code is wanted now');
    flow.qr = await scan(flow.request, code);
    const outgoing = flow.qr.reciprocate();
    if (outgoing) await this.driver.send(outgoing as Request);
    this.changed();
  }

  /** The emoji are the same; or the code that was shown here fits where it was taken. */
  async confirm(id: string): Promise<void> {
    const flow = this.flow(id);
    const { sas, qr } = flow;
    if (!sas && !qr?.hasBeenScanned()) throw new Error('there is nothing to compare yet');
    flow.confirmed = true;
    for (const outgoing of sas ? await sas.confirm() : [qr!.confirmScanning()]) if (outgoing) await this.driver.send(outgoing as Request);
    await this.driver.flush();
    this.changed();
  }

  async cancel(id: string, differs: boolean): Promise<void> {
    await this.end(this.flow(id), differs);
    this.changed();
  }

  private async end({ request, sas, qr }: Flow, differs: boolean): Promise<void> {
    const under = sas ?? qr;
    if (under?.isDone() || request.isCancelled()) return;
    const outgoing = !under ? request.cancel() : differs ? under.cancelWithCode(sas ? 'm.mismatched_sas' : 'm.key_mismatch') : under.cancel();
    if (outgoing) await this.driver.send(outgoing as Request);
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
      if (request && !request.isCancelled() && !request.isPassive()) await this.follow(this.keep(request, plainId(sender), deviceOf(request)));
    }
    for (const flow of this.flows.values()) await this.advance(flow);
    if (this.flows.size) this.changed();
  }

  /** Whoever agreed to compare with a device is not asked again when that goes over to a code. */
  private async follow(flow: Flow): Promise<void> {
    if (flow.mine || !flow.byCode) return;
    const left = [...this.flows.values()].findLast((one) => one.wanted && !one.next && one.user === flow.user && one.device === flow.device && wasLeft(one));
    if (!left) return;
    left.next = flow.request.flowId;
    await this.answer(left.next);
  }

  private async advance(flow: Flow): Promise<void> {
    const { request, mine } = flow;
    flow.device ??= deviceOf(request);
    flow.byCode ||= isByCode(request);
    const under = request.getVerification();
    // Emoji that the other side begins take the place of a code that nobody took.
    if (under instanceof Sas) Object.assign(flow, { sas: under, byCode: false, qr: null, code: undefined });
    // A secret that is wrong ends the code alone; a request that goes on would be in the way of the next one.
    if (flow.qr?.isCancelled()) request.cancel();
    if (flow.byCode && request.isReady()) await this.show(flow);
    if (!flow.sas && !flow.byCode && mine && request.isReady()) {
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

  /** Makes the code that this device shows. A second one would end both. */
  private async show(flow: Flow): Promise<void> {
    if (flow.making) return;
    flow.making = true;
    const made = await flow.request.generateQrCode();
    flow.qr = made ?? null;
    flow.code = made ? writeCode(Uint8Array.from(made.toBytes())) : null;
  }

  private keep(request: VerificationRequest, user: string, device: string | null): Flow {
    const mine = request.weStarted();
    const flow = { request, mine, user, device, wanted: mine, sas: null, byCode: isByCode(request), qr: null, making: false, confirmed: false };
    this.flows.set(request.flowId, flow);
    for (const old of [...this.flows.keys()].slice(0, -KEPT_MAX)) this.flows.delete(old);
    return flow;
  }

  private flow(id: string): Flow {
    const flow = this.flows.get(id);
    if (!flow) throw new Error('that comparison is over');
    return flow;
  }

  shown(): Comparing[] {
    return [...this.flows].map(([id, flow]) => {
      const { request, user, device, mine, sas, byCode, code, next } = flow;
      const phase = phaseOf(flow);
      const emoji = phase === 'compare' ? sas!.emoji()! : [];
      return {
        flow: id,
        user_id: user,
        device_id: device,
        mine,
        phase,
        emoji: emoji.map(({ symbol, description }) => ({ symbol, word: description })),
        by_code: byCode,
        may_code: (theirs(request) ?? BY_CODE()).some((method) => BY_CODE().includes(method)),
        code: code ?? null,
        ...(phase === 'cancelled' ? { cancelled: cancelInfo(flow)?.cancelCode() ?? (request.isDone() ? 'm.unexpected_message' : 'm.timeout') } : {}),
        ...(next ? { next } : {}),
      };
    });
  }
}

async function scan(request: VerificationRequest, { bytes }: Code): Promise<Qr> {
  let read: QrCodeScan;
  try {
    read = QrCodeScan.fromBytes(new Uint8ClampedArray(bytes));
  } catch {
    throw new CodeRefusal('code_malformed');
  }
  const taken = await request.scanQrCode(read).catch(() => {
    throw new CodeRefusal('code_keys');
  });
  if (!taken) throw new Error('that comparison is over');
  return taken;
}

function phaseOf({ request, sas, qr, code, confirmed }: Flow): Comparing['phase'] {
  if ((sas ?? qr)?.isDone()) return 'done';
  // A request counts as done when anybody says so, whatever was proven by then.
  if ((sas ?? qr)?.isCancelled() || request.isCancelled() || request.isDone() || request.timedOut() || sas?.timedOut()) return 'cancelled';
  if (confirmed) return 'waiting';
  if (sas) return sas.canBePresented() && sas.emoji()?.length ? 'compare' : 'begun';
  if (qr?.hasBeenScanned()) return 'taken';
  if (qr?.reciprocated()) return 'fits';
  return code !== undefined ? 'code' : request.isReady() ? 'begun' : 'asked';
}

function cancelInfo({ request, sas, qr }: Flow) {
  return (sas ?? qr)?.cancelInfo() ?? request.cancelInfo;
}

/** Whether the other side broke it off, and said nothing against it. */
function wasLeft(flow: Flow): boolean {
  const info = cancelInfo(flow);
  return info?.cancelCode() === 'm.user' && !info.cancelledbyUs();
}

function deviceOf(request: VerificationRequest): string | null {
  return request.otherDeviceId?.toString() ?? null;
}

/** Whether one of the two leaves emoji out. */
function isByCode(request: VerificationRequest): boolean {
  return [request.ourSupportedMethods, theirs(request)].some((methods) => methods && !methods.includes(VerificationMethod.SasV1));
}

/** What the other side can do; null when that is not known yet, or is more than the library has names for. */
function theirs(request: VerificationRequest): VerificationMethod[] | null {
  try {
    return request.theirSupportedMethods ?? null;
  } catch {
    return null;
  }
}
