import { CollectStrategy, DeviceId, EncryptionAlgorithm, EncryptionSettings, HistoryVisibility, OlmMachine, RoomId, RoomSettings, StoreHandle, UserId } from '@matrix-org/matrix-sdk-crypto-wasm';
import type { Encrypted } from '../../wire';
import type { FindAnswer, Opened, Payload, Reader, Status, ToOpen } from '../types';
import { Comparisons } from './comparing';
import { Driver } from './driver';
import { Findings } from './findings';
import { Names, plainId } from './ids';
import { Opener, TYPE } from './opening';
import { writePayload } from './payload';
import { People } from './people';
import { Recovery } from './recovery';
import { accountOf, databasesOf, storeName } from './places';
import { Sessions, type Settings } from './settled';
import { forgetOthers, Vault } from './vault';
import { Vouching } from './vouching';
import { codeOf, type WhoAmI, type Wire } from './wire';

/** Why something is not sealed. */
export class Refusal extends Error {
  constructor(readonly code: 'device_not_signed' | 'identity_changed', readonly users: string[] = []) {
    super(code);
  }
}

export interface Ears {
  /** What `status` says, or who can read, may be different now. */
  changed(): void;
  /** Keys came for messages of these sessions. */
  keys(sessions: string[]): void;
}

/** Everything of one device's encryption: it alone has the keys. */
export class Engine {
  private readonly names: Names;
  private readonly locks = new Map<string, Promise<unknown>>();
  private readonly driver: Driver;
  private readonly people: People;
  private readonly comparisons: Comparisons;
  private readonly recovery: Recovery;
  private readonly findings: Findings;
  private readonly opener: Opener;
  private readonly sessions: Sessions;
  private readonly vouching: Vouching;
  private hasRecovery = false;

  private constructor(
    private readonly me: WhoAmI,
    private readonly machine: OlmMachine,
    private readonly vault: Vault,
    private readonly wire: Wire,
    private readonly ears: Ears,
  ) {
    this.names = new Names(me.server_name);
    this.driver = new Driver(machine, wire, vault, async (events) => {
      await this.comparisons.hear(events);
    });
    this.people = new People(machine, this.driver, wire, this.names);
    this.comparisons = new Comparisons(machine, this.driver, this.names, () => ears.changed());
    this.recovery = new Recovery(machine, this.driver, wire, () => ears.changed());
    this.findings = new Findings(vault);
    this.sessions = new Sessions(vault);
    this.vouching = new Vouching(machine, this.people, wire, vault, plainId(me.user_id));
    this.opener = new Opener(machine, this.names, vault, this.findings, (session) => this.joinedAt(session), (user) => this.people.track([user]));
  }

  static account(me: WhoAmI): string {
    return accountOf(me.user_id, me.device_id);
  }

  /** Opens what this device keeps, and brings the server's view of it up to date. */
  static async start(wire: Wire, ears: Ears): Promise<Engine> {
    const me = await wire.call<WhoAmI>('GET', '/e2ee');
    const account = Engine.account(me);
    const vault = await Vault.open(account);
    const store = await StoreHandle.openWithKey(storeName(account), vault.storeKey);
    const machine = await OlmMachine.initFromStore(new UserId(me.user_id), new DeviceId(me.device_id), store);
    // As long as this is held the database cannot be deleted.
    store.free();
    const engine = new Engine(me, machine, vault, wire, ears);
    try {
      await engine.begin();
    } catch (error) {
      await engine.stop();
      throw error;
    }
    void forgetOthers(account);
    return engine;
  }

  private async begin(): Promise<void> {
    this.listen();
    await this.driver.drain();
    await this.driver.send(this.machine.queryKeysForUsers([new UserId(this.me.user_id)]));
    await this.makeAccount();
    this.hasRecovery = await this.recovery.exists();
    await this.recovery.resume();
  }

  /** Listens to the server until it is stopped; `failed` says whether to go on. */
  run(failed: (error: unknown) => boolean): Promise<void> {
    return this.driver.run(failed);
  }

  /** Everything that the server has for this device now. */
  catchUp(): Promise<void> {
    return this.driver.drain();
  }

  private listen(): void {
    void this.machine.registerRoomKeyUpdatedCallback(async (keys) => {
      this.opener.forgetRestored();
      this.ears.keys([...new Set(keys.map(({ roomId }) => plainId(roomId.toString())))]);
      void this.recovery.save();
    });
    void this.machine.registerRoomKeysWithheldCallback(async (keys) => this.ears.keys(keys.map(({ roomId }) => plainId(roomId.toString()))));
    void this.machine.registerUserIdentityUpdatedCallback(async () => this.ears.changed());
    void this.machine.registerDevicesUpdatedCallback(async () => this.ears.changed());
    void this.machine.registerReceiveSecretCallback(async (name, value) => {
      if (name !== 'm.megolm_backup.v1') return;
      await this.recovery.restore(value).catch(() => 0);
      await this.machine.deleteSecretsFromInbox(name);
      this.ears.changed();
    });
  }

  /** The first device of an account makes its keys. */
  private async makeAccount(): Promise<void> {
    if (await this.machine.getIdentity(new UserId(this.me.user_id))) return;
    const { hasMaster } = await this.machine.crossSigningStatus();
    try {
      await this.bootstrap(!hasMaster);
    } catch (error) {
      // Another device was faster: its keys are the account's.
      if (codeOf(error) !== 'unauthorized' && codeOf(error) !== 'forbidden') throw error;
      await this.driver.send(this.machine.queryKeysForUsers([new UserId(this.me.user_id)]));
    }
  }

  private async bootstrap(fresh: boolean, password?: string): Promise<void> {
    const { uploadKeysRequest, uploadSigningKeysRequest, uploadSignaturesRequest } = await this.machine.bootstrapCrossSigning(fresh);
    if (uploadKeysRequest) await this.driver.send(uploadKeysRequest);
    await this.driver.uploadIdentity(uploadSigningKeysRequest, password);
    await this.driver.send(uploadSignaturesRequest);
    await this.driver.send(this.machine.queryKeysForUsers([new UserId(this.me.user_id)]));
  }

  async status(): Promise<Status> {
    const identity = await this.machine.getIdentity(new UserId(this.me.user_id));
    const keys = await this.machine.crossSigningStatus();
    const counts = await this.machine.roomKeyCounts();
    const saves = await this.machine.isBackupEnabled();
    return {
      user_id: plainId(this.me.user_id),
      device_id: this.me.device_id,
      account: !identity ? 'none' : keys.hasSelfSigning && keys.hasMaster ? 'mine' : 'elsewhere',
      signed: await this.isSigned(),
      recovery: !this.hasRecovery ? 'none' : saves ? 'on' : 'off-here',
      saved: { done: saves ? counts.backedUp : 0, all: counts.total },
      comparing: this.comparisons.shown(),
      devices: await this.people.devices(plainId(this.me.user_id)),
    };
  }

  private async isSigned(): Promise<boolean> {
    const device = await this.machine.getDevice(new UserId(this.me.user_id), new DeviceId(this.me.device_id));
    return device?.isCrossSignedByOwner() ?? false;
  }

  async open(messages: ToOpen[]): Promise<Opened[]> {
    const opened: Opened[] = [];
    for (const message of messages) opened.push(await this.opener.open(message));
    return opened;
  }

  /** Seals what one says for those who are in the session now, and let in. */
  seal(session: string, payload: Payload, settings: Settings, version: number | null): Promise<{ encrypted: Encrypted; membership_version: number }> {
    return this.alone(session, async () => {
      const { letIn: users, version: seen } = await this.look(session, version);
      await this.driver.flush();
      const next = { users, settings, stirs: this.driver.stirs, now: performance.now(), time: Date.now() };
      const held = this.sessions.take(session, next);
      const looked = held ?? { ...next, ...(await this.meet(users)), began: null, uses: 0 };
      if (!held) await this.share(this.names.session(session), users, settings);
      const encrypted = await this.encrypt(session, payload);
      await this.sessions.keep(session, looked, encrypted, Date.now());
      return { encrypted, membership_version: seen };
    });
  }

  /** The next one is sealed by another key: it is not known whom the server let have this one. */
  discard(session: string): Promise<void> {
    return this.alone(session, async () => {
      this.sessions.drop(session);
      await this.machine.invalidateGroupSession(new RoomId(this.names.session(session)));
    });
  }

  /** Sees sessions: of one that is new to this device, those who are there now are let in. The sooner that is, the fewer can have been put there. */
  async see(sessions: string[]): Promise<void> {
    for (const session of sessions) {
      await this.alone(session, async () => {
        if (!(await this.vouching.knows(session))) await this.look(session, null);
      });
    }
  }

  /** Who is in a session now, and who of them is let in. */
  private async look(session: string, version: number | null): Promise<{ users: string[]; letIn: string[]; version: number }> {
    const seen = await this.people.of(session, version);
    const users = seen.seats.map(({ user_id }) => user_id);
    const { users: letIn, changed } = await this.vouching.look(session, { users, version: seen.version });
    if (changed) this.ears.changed();
    return { users, letIn, version: seen.version };
  }

  /** Begins the roll of a session that was made here: those are let in who were named. */
  beginRoll(session: string, named: string[]): Promise<void> {
    return this.alone(session, () => this.vouching.begin(session, named));
  }

  /** Says for everybody to see that these people are let in; whoever adds them says it before. */
  async letIn(session: string, users: string[]): Promise<void> {
    if (!(await this.isSigned())) throw new Refusal('device_not_signed');
    await this.vouching.letIn(session, users);
    this.ears.changed();
  }

  /** Makes sure that everybody is who they were, as far as is known now. */
  private async meet(users: string[]): Promise<{ stirs: number; looked: number }> {
    await this.people.track(users);
    const met = { stirs: this.driver.stirs, looked: performance.now() };
    if (!(await this.isSigned())) throw new Refusal('device_not_signed');
    const changed = await this.people.changed(users);
    if (changed.length) throw new Refusal('identity_changed', changed);
    return met;
  }

  /** Gives everybody the key who has not got it. */
  private async share(name: string, users: string[], settings: Settings): Promise<void> {
    const verifiedOnly = await this.remember(name, settings);
    const claim = await this.machine.getMissingSessions(this.people.ids(users));
    if (claim) await this.driver.send(claim);
    const how = new EncryptionSettings();
    how.sharingStrategy = verifiedOnly ? CollectStrategy.onlyTrustedDevices() : CollectStrategy.identityBasedStrategy();
    how.historyVisibility = HistoryVisibility.Joined;
    how.rotationPeriod = BigInt(settings.period_ms) * 1_000n;
    how.rotationPeriodMessages = BigInt(settings.messages);
    for (const request of await this.machine.shareRoomKey(new RoomId(name), this.people.ids(users), how)) await this.driver.send(request);
  }

  private async encrypt(session: string, payload: Payload): Promise<Encrypted> {
    const name = new RoomId(this.names.session(session));
    const sealed = JSON.parse(await this.machine.encryptRoomEvent(name, TYPE, writePayload(payload))) as Encrypted;
    await this.driver.flush();
    return sealed;
  }

  /** Whether compared people only are given keys: what the server said first holds, whatever it says later. */
  private async remember(name: string, { period_ms, messages, verified_only }: Settings): Promise<boolean> {
    const known = await this.machine.getRoomSettings(new RoomId(name));
    if (known) return known.onlyAllowTrustedDevices;
    const settings = new RoomSettings();
    settings.algorithm = EncryptionAlgorithm.MegolmV1AesSha2;
    settings.onlyAllowTrustedDevices = verified_only;
    settings.sessionRotationPeriodMs = period_ms;
    settings.sessionRotationPeriodMessages = messages;
    await this.machine.setRoomSettings(new RoomId(name), settings);
    return verified_only;
  }

  /** One at a time in a session: a key must not be used by two at once. */
  private alone<T>(session: string, work: () => Promise<T>): Promise<T> {
    const next = (this.locks.get(session) ?? Promise.resolve()).then(work);
    this.locks.set(session, next.catch(() => {}));
    return next;
  }

  private async joinedAt(session: string): Promise<string | null> {
    const { seats } = await this.people.lately(session);
    return seats.find(({ user_id }) => user_id === plainId(this.me.user_id))?.joined_at ?? null;
  }

  async readers(session: string, version: number | null): Promise<Reader[]> {
    const { users, letIn } = await this.alone(session, () => this.look(session, version));
    return this.people.readers(users, letIn);
  }

  async approve(user: string): Promise<void> {
    await this.people.approve(user);
    this.ears.changed();
  }

  compare(user: string, device: string | null): Promise<string> {
    return this.comparisons.ask(user, device);
  }

  /** Goes on by a code instead of emoji; says in which flow. */
  compareByCode(flow: string): Promise<string> {
    return this.comparisons.useCode(flow);
  }

  takeCode(flow: string, text: string): Promise<void> {
    return this.comparisons.take(flow, text);
  }

  answerCompare(flow: string): Promise<void> {
    return this.comparisons.answer(flow);
  }

  async confirmCompare(flow: string): Promise<void> {
    await this.comparisons.confirm(flow);
    await this.machine.requestMissingSecretsIfNeeded();
    await this.driver.flush();
  }

  cancelCompare(flow: string, differs: boolean): Promise<void> {
    return this.comparisons.cancel(flow, differs);
  }

  async dismissCompare(flow: string): Promise<void> {
    this.comparisons.dismiss(flow);
  }

  async createRecovery(passphrase?: string): Promise<string> {
    const key = await this.recovery.create(passphrase);
    this.hasRecovery = true;
    this.ears.changed();
    return key;
  }

  async useRecovery(text: string): Promise<number> {
    const count = await this.recovery.use(text);
    this.opener.forgetRestored();
    this.ears.changed();
    return count;
  }

  /** New keys for the account: everybody who compared before has to compare again. */
  async reset(password: string): Promise<void> {
    await this.bootstrap(true, password);
    await this.wire.call('PUT', '/e2ee/account_data/m.secret_storage.default_key', {});
    await this.machine.disableBackup();
    this.hasRecovery = false;
    this.ears.changed();
  }

  find(text: string): Promise<FindAnswer> {
    return this.findings.find(text);
  }

  async drop(message: string): Promise<void> {
    await this.findings.drop(message);
  }

  async dropSession(session: string): Promise<void> {
    await this.findings.dropSession(session);
  }

  async stop(): Promise<void> {
    this.driver.stop();
    await this.findings.save().catch(() => {});
    await Promise.allSettled(this.locks.values());
    this.machine.close();
    this.vault.close();
  }

  /** Lets go of everything, and tells what is to be deleted: that works when this worker is gone. */
  async forget(): Promise<string[]> {
    await this.stop();
    return databasesOf(Engine.account(this.me));
  }
}
