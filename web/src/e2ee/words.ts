import { nameOf } from '../store/select';
import { store } from '../store/store';
import { joinNames } from '../sessions/readers';

const devices = (count: number) => (count === 1 ? '1 device' : `${count} devices`);
const people = (count: number) => (count === 1 ? '1 person' : `${count} people`);

function names(users: string[]): string {
  const { users: known } = store.getState();
  return joinNames(users.map((id) => nameOf(known[id])));
}

/** What the screens of encryption say. They promise nothing that it does not do. */
export const words = {
  notReady: 'encryption is not ready yet',
  changedRefusal: (users: string[]) => `the keys of ${names(users)} are not the ones they were; look at who can read this first`,
  unsignedRefusal: 'this device is not confirmed yet, so nobody would believe what it sends',
  fileTooLarge: 'files in encrypted sessions can have up to 100 MB',
  fileBroken: 'The file cannot be opened: it is gone, or not the one that was sent.',

  readers: 'Who can read this',
  readersLead: 'The people of this session, by the devices below. The server stores ciphertext only.',
  readersTrust: 'Who is in the session, the server says. New people are shown here before you write; that they are who you think, comparing emoji tells.',
  signal: 'Encrypted with Olm and Megolm, of the Signal protocol’s family. Not safe from a future quantum computer. In the browser you also trust this server for the program that does it.',
  devices,
  states: {
    verified: ['Compared', 'You compared emoji with them.'],
    first: ['Not compared', 'Trusted since you first saw them.'],
    changed: ['Keys changed', 'They have other keys than before. Nothing is sent until you decide.'],
    none: ['Cannot read yet', 'They have not opened Parlor with encryption yet.'],
    me: ['You', ''],
  } as Record<string, [string, string]>,
  signed: 'confirmed by its owner',
  unsigned: 'not confirmed: gets no keys',
  thisDevice: 'this device',
  nameless: 'Device',
  compare: 'Compare',
  compareWith: (name: string) => `Compare with ${name}`,
  approve: 'Go on with the new keys',
  approveHint: (name: string) => `This happens when ${name} has lost every device and began anew. It also happens when somebody else pretends to be ${name}. Ask them by another way before you go on.`,
  summary: ({ people: readers, devices: count, compared, without }: { people: number; devices: number; compared: number; without: number }) =>
    [people(readers), devices(count), compared === 0 ? 'none compared' : compared >= readers - 1 ? 'all compared' : `${compared} compared`, ...(without ? [`${without} cannot read yet`] : [])].join(', '),
  summaryAlone: (count: number) => `Only you, ${devices(count)}`,
  looking: 'Looking who can read this',
  onlyThese: 'Only people in this session can read this.',
  stripUnsigned: 'This device is not confirmed yet. It cannot read or write here.',
  stripChanged: (users: string[]) => `The keys of ${names(users)} changed. Nothing is sent until you decide.`,
  stripFailed: 'Encryption does not start in this browser. Loading the page anew may help.',
  stripInsecure: 'Encryption needs an https address.',
  stripStarting: 'Encryption is starting.',
  confirmDevice: 'Confirm this device',
  look: 'Look',

  lead: 'Encrypted sessions can be read on the devices of their people, and nowhere else. The server stores ciphertext.',
  thisDeviceTitle: 'This device',
  deviceSigned: 'Confirmed with your keys. It can read and write in encrypted sessions.',
  deviceUnsigned: 'Not confirmed. Others do not send it keys until you confirm it with another device, or with the recovery key.',
  accountNone: 'Your keys are being made.',
  recoveryTitle: 'Recovery key',
  recoveryNone: 'There is none. If you lose all your devices, what was said in encrypted sessions is lost to you.',
  recoveryOn: (done: number, all: number) => (done >= all ? 'On. The keys of your messages are backed up, sealed by your recovery key.' : `On. ${done} of ${all} keys are backed up.`),
  recoveryOffHere: 'There is one, and this device does not take part in its backup yet.',
  recoveryMake: 'Make a recovery key',
  recoveryAnew: 'Make a new one',
  recoveryAnewHint: 'The one you have opens nothing any more after that.',
  recoveryUse: 'Use the recovery key',
  recoveryUseLead: 'It confirms this device, and brings the keys of earlier messages.',
  recoveryField: 'Recovery key or passphrase',
  recoveryWrong: 'That is not the recovery key of this account.',
  recoveryMissing: 'This account has no recovery key.',
  recoveryDone: (count: number) => (count ? `This device is confirmed. ${count === 1 ? 'The key of 1 chain of messages was' : `The keys of ${count} chains of messages were`} brought back.` : 'This device is confirmed.'),
  recoveryLead: 'Whoever has it and your password can read your encrypted sessions. The server never sees it, and it is shown once.',
  passphrase: 'A passphrase that opens it as well',
  passphraseHint: 'At least 12 characters, better a sentence. Leave it empty for the key alone.',
  passphraseShort: 'Use at least 12 characters.',
  keyShown: 'Your recovery key',
  keyKeep: 'Write it down or save it where only you find it. It is not shown again.',
  keySave: 'Save as a file',
  keyFile: 'parlor-recovery-key.txt',
  keyKept: 'I have kept it',
  confirmOther: 'Confirm with another device',
  reset: 'Begin anew',
  resetSure: 'Begin anew with other keys?',
  resetHint: 'For when every device and the recovery key are lost. Messages whose keys are not on this device stay closed, and others see that your keys changed.',
  yourDevices: 'Your devices',

  asks: (name: string) => `${name} wants to compare emoji`,
  asksOwn: 'Another device of yours wants to be confirmed',
  answer: 'Compare',
  later: 'Not now',
  compareTitle: 'Compare emoji',
  waitingFor: (name: string) => `Waiting for ${name} to answer on their device.`,
  waitingOwn: 'Waiting for your other device. Open Parlor on it.',
  begun: 'Agreeing on what to show.',
  compareLead: (name: string) => `Look at both screens, or read these to ${name} over the phone. Are they the same, in this order?`,
  compareLeadOwn: 'Look at both screens. Are these the same, in this order?',
  same: 'They are the same',
  differ: 'They differ',
  waitingSame: 'Waiting for the other side to say the same.',
  compared: (name: string) => `You and ${name} see the same. Nobody stands between you.`,
  comparedOwn: 'Both of your devices see the same. They are confirmed.',
  cancelled: 'The comparison was broken off.',
  cancelledDiffer: 'They differ. Somebody may be between you: do not send anything here that matters before you have met, or spoken.',
  cancelledTimeout: 'Nobody answered in time.',
  done: 'Done',

  findTitle: 'In encrypted sessions',
  findCovers: (count: number, since: string) => `This browser looked through ${count === 1 ? 'the 1 message' : `the ${count} messages`} that it has opened, back to ${since}. The server cannot search them.`,
  findNone: 'This browser has opened no encrypted message yet. The server cannot search them.',
  findNothing: 'Nothing in the encrypted messages that this browser has opened.',

  signOutTitle: 'Sign out without a recovery key?',
  signOutLead: 'Signing out removes the keys from this browser. Without a recovery key or another confirmed device, what was said in your encrypted sessions can never be read again by you.',
};
