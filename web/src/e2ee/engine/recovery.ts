import { BackupDecryptionKey, RoomId } from '@matrix-org/matrix-sdk-crypto-wasm';
import type { OlmMachine } from '@matrix-org/matrix-sdk-crypto-wasm';
import { random, toBase64 } from './bytes';
import type { Driver, Request } from './driver';
import { readRecoveryKey, writeRecoveryKey } from './recoveryKey';
import { describeKey, isKeyOf, keyOfPassphrase, openSecret, ROUNDS_MIN, sealSecret, type KeyDescription, type SealedSecret } from './secrets';
import { codeOf, type Wire } from './wire';

/** The account's keys and those of its messages, kept on the server sealed by a recovery key that only its owner has. */

const MASTER = 'm.cross_signing.master';
const SELF = 'm.cross_signing.self_signing';
const USERS = 'm.cross_signing.user_signing';
const BACKUP = 'm.megolm_backup.v1';
const DEFAULT = 'm.secret_storage.default_key';
const ALGORITHM = 'm.megolm_backup.v1.curve25519-aes-sha2';
const KEY = (id: string) => `m.secret_storage.key.${id}`;

interface Version {
  version: string;
  algorithm: string;
  auth_data: { public_key: string; signatures?: unknown };
}

interface Backed {
  rooms: Record<string, { sessions: Record<string, { session_data: { ephemeral: string; mac: string; ciphertext: string } }> }>;
}

export class Recovery {
  private saving: Promise<void> | null = null;

  constructor(
    private readonly machine: OlmMachine,
    private readonly driver: Driver,
    private readonly wire: Wire,
    /** More keys are in the backup now. */
    private readonly saved: () => void,
  ) {}

  private async data<T>(type: string): Promise<T | null> {
    try {
      return await this.wire.call<T>('GET', `/e2ee/account_data/${type}`);
    } catch (error) {
      if (codeOf(error) === 'not_found') return null;
      throw error;
    }
  }

  private put(type: string, value: unknown): Promise<void> {
    return this.wire.call('PUT', `/e2ee/account_data/${type}`, value);
  }

  /** Whether somebody made a recovery key for this account. */
  async exists(): Promise<boolean> {
    return Boolean((await this.data<{ key?: string }>(DEFAULT))?.key);
  }

  private async version(): Promise<Version | null> {
    try {
      return await this.wire.call<Version>('GET', '/e2ee/room_keys/version');
    } catch (error) {
      if (codeOf(error) === 'not_found') return null;
      throw error;
    }
  }

  /** Makes a recovery key, and begins a backup; an earlier key opens nothing any more. With words of one's own, they open it as well. */
  async create(passphrase?: string): Promise<string> {
    const held = await this.machine.exportCrossSigningKeys();
    const { masterKey, self_signing_key: self, userSigningKey: users } = held ?? {};
    if (!masterKey || !self || !users) throw new Error('this device does not have the keys of the account');
    const stretch = { algorithm: 'm.pbkdf2' as const, salt: toBase64(random(24)), iterations: ROUNDS_MIN, bits: 256 };
    const key = passphrase ? await keyOfPassphrase(passphrase, stretch) : random(32);
    const backup = await this.beginBackup();
    const id = toBase64(random(16)).replace(/[^A-Za-z0-9]/g, '');
    for (const [name, secret] of [[MASTER, masterKey], [SELF, self], [USERS, users], [BACKUP, backup.toBase64()]] as const) {
      await this.put(name, { encrypted: { [id]: await sealSecret(key, name, secret) } });
    }
    await this.put(KEY(id), { ...(await describeKey(key)), ...(passphrase ? { passphrase: stretch } : {}) });
    await this.put(DEFAULT, { key: id });
    void this.save();
    return writeRecoveryKey(key);
  }

  private async beginBackup(): Promise<BackupDecryptionKey> {
    const key = BackupDecryptionKey.createRandomKey();
    const { publicKeyBase64: public_key } = key.megolmV1PublicKey;
    const signatures = await this.machine.sign(JSON.stringify({ public_key }));
    const auth_data = { public_key, signatures: JSON.parse(signatures.asJSON()) };
    const { version } = await this.wire.call<{ version: string }>('POST', '/e2ee/room_keys/version', { algorithm: ALGORITHM, auth_data });
    await this.machine.disableBackup();
    await this.machine.enableBackupV1(public_key, version);
    await this.machine.saveBackupDecryptionKey(key, version);
    return key;
  }

  /** The key that was written down, or the words one chose: whichever opens what the server keeps. */
  private async key(text: string): Promise<{ id: string; key: Uint8Array<ArrayBuffer> }> {
    const id = (await this.data<{ key: string }>(DEFAULT))?.key;
    const description = id ? await this.data<KeyDescription>(KEY(id)) : null;
    if (!id || !description) throw new RecoveryError('none');
    const written = readRecoveryKey(text);
    if (written && (await isKeyOf(written, description))) return { id, key: written };
    if (description.passphrase) {
      const key = await keyOfPassphrase(text, description.passphrase);
      if (await isKeyOf(key, description)) return { id, key };
    }
    throw new RecoveryError('wrong');
  }

  private async secret(name: string, id: string, key: Uint8Array<ArrayBuffer>): Promise<string | null> {
    const sealed = (await this.data<{ encrypted?: Record<string, SealedSecret> }>(name))?.encrypted?.[id];
    return sealed ? openSecret(key, name, sealed) : null;
  }

  /** Takes the account's keys out of what the server keeps, signs this device with them, and fetches the keys of earlier messages. */
  async use(text: string): Promise<number> {
    const { id, key } = await this.key(text);
    const [master, self, users] = [await this.secret(MASTER, id, key), await this.secret(SELF, id, key), await this.secret(USERS, id, key)];
    if (!master || !self || !users) throw new RecoveryError('none');
    await this.machine.importCrossSigningKeys(master, self, users);
    await this.signDevice();
    const backup = await this.secret(BACKUP, id, key);
    return backup ? this.restore(backup) : 0;
  }

  /** Signs this device with the account's keys, which are here. */
  async signDevice(): Promise<void> {
    const device = await this.machine.getDevice(this.machine.userId, this.machine.deviceId);
    if (device) await this.driver.send((await device.verify()) as Request);
    const own = await this.machine.getIdentity(this.machine.userId);
    if (own && !own.isVerified()) await this.driver.send((await own.verify()) as Request);
    await this.driver.send(this.machine.queryKeysForUsers([this.machine.userId]));
  }

  /** Joins the backup that this key belongs to; another one, which somebody put in its place, is left alone. */
  async restore(backupKey: string): Promise<number> {
    const key = BackupDecryptionKey.fromBase64(backupKey);
    const info = await this.version();
    if (!info || info.algorithm !== ALGORITHM || info.auth_data.public_key !== key.megolmV1PublicKey.publicKeyBase64) return 0;
    await this.machine.enableBackupV1(info.auth_data.public_key, info.version);
    await this.machine.saveBackupDecryptionKey(key, info.version);
    const count = await this.fetchKeys(key, info.version);
    void this.save();
    return count;
  }

  private async fetchKeys(key: BackupDecryptionKey, version: string): Promise<number> {
    const { rooms } = await this.wire.call<Backed>('GET', `/e2ee/room_keys/keys?version=${encodeURIComponent(version)}`);
    const found = new Map<RoomId, Map<string, unknown>>();
    for (const [room, { sessions }] of Object.entries(rooms ?? {})) {
      const keys = new Map<string, unknown>();
      for (const [session, { session_data: data }] of Object.entries(sessions)) {
        try {
          keys.set(session, JSON.parse(key.decryptV1(data.ephemeral, data.mac, data.ciphertext)));
        } catch {
          // Damaged, or put there by somebody who has not the key: the others are good all the same.
        }
      }
      if (keys.size) found.set(new RoomId(room), keys);
    }
    if (!found.size) return 0;
    const result = await this.machine.importBackedUpRoomKeys(found, () => {}, version);
    return result.importedCount;
  }

  /** Goes on with the backup that was begun here earlier. */
  async resume(): Promise<void> {
    const { decryptionKey, backupVersion } = await this.machine.getBackupKeys();
    if (!decryptionKey || !backupVersion) return;
    const info = await this.version();
    const public_key = decryptionKey.megolmV1PublicKey.publicKeyBase64;
    if (info?.version !== backupVersion || info.auth_data.public_key !== public_key) return void (await this.machine.disableBackup());
    await this.machine.enableBackupV1(public_key, backupVersion);
    void this.save();
  }

  /** Sends the keys that are not in the backup yet. */
  save(): Promise<void> {
    this.saving ??= this.saveAll().then((any) => void (any && this.saved()), () => {}).finally(() => {
      this.saving = null;
    });
    return this.saving;
  }

  /** Whether there were any. */
  private async saveAll(): Promise<boolean> {
    if (!(await this.machine.isBackupEnabled())) return false;
    for (let turn = 0; turn < TURNS_MAX; turn += 1) {
      const request = await this.machine.backupRoomKeys();
      if (!request) return turn > 0;
      await this.driver.send(request);
    }
    return true;
  }
}

const TURNS_MAX = 500;

export class RecoveryError extends Error {
  constructor(readonly code: 'none' | 'wrong') {
    super(code === 'none' ? 'there is no recovery key for this account' : 'that is not the recovery key');
  }
}
