/** Every key there is, as the page of shortcuts shows it. */
export interface Binding {
  keys: string[];
  what: string;
  where: 'Anywhere' | 'In the messages' | 'In the field';
}

export const isMac = /Mac|iPhone|iPad/.test(navigator.platform);
const MOD = isMac ? '⌘' : 'Ctrl';

export const BINDINGS: Binding[] = [
  { keys: [MOD, 'K'], what: 'Go to a room, a session, a person, a command', where: 'Anywhere' },
  { keys: [MOD, 'F'], what: 'Search here; once more for the browser’s own', where: 'Anywhere' },
  { keys: ['/'], what: 'Search here', where: 'Anywhere' },
  { keys: [MOD, 'Shift', 'F'], what: 'Search everywhere', where: 'Anywhere' },
  { keys: ['Alt', '↓'], what: 'Next room', where: 'Anywhere' },
  { keys: ['Alt', '↑'], what: 'Previous room', where: 'Anywhere' },
  { keys: ['Alt', 'Shift', '↓'], what: 'Next room with something new', where: 'Anywhere' },
  { keys: ['Alt', 'Shift', '↑'], what: 'Previous room with something new', where: 'Anywhere' },
  { keys: ['Ctrl', 'Alt', '→'], what: 'Next session', where: 'Anywhere' },
  { keys: ['Ctrl', 'Alt', '←'], what: 'Previous session', where: 'Anywhere' },
  { keys: ['F6'], what: 'Next part of the page', where: 'Anywhere' },
  { keys: [MOD, '.'], what: 'People of the session', where: 'Anywhere' },
  { keys: [MOD, ','], what: 'Settings', where: 'Anywhere' },
  { keys: ['?'], what: 'This list', where: 'Anywhere' },
  { keys: ['J'], what: 'Next message', where: 'In the messages' },
  { keys: ['K'], what: 'Previous message', where: 'In the messages' },
  { keys: ['Home'], what: 'First message that is loaded', where: 'In the messages' },
  { keys: ['End'], what: 'Newest message', where: 'In the messages' },
  { keys: ['Shift', 'J'], what: 'Oldest unread message', where: 'In the messages' },
  { keys: ['Esc'], what: 'Mark read and go to the newest', where: 'In the messages' },
  { keys: ['R'], what: 'Reply', where: 'In the messages' },
  { keys: ['T'], what: 'Answer in a thread', where: 'In the messages' },
  { keys: ['>'], what: 'Quote', where: 'In the messages' },
  { keys: [':'], what: 'React', where: 'In the messages' },
  { keys: ['+'], what: 'React with 👍', where: 'In the messages' },
  { keys: ['E'], what: 'Edit', where: 'In the messages' },
  { keys: ['Del'], what: 'Delete', where: 'In the messages' },
  { keys: ['Enter'], what: 'Send', where: 'In the field' },
  { keys: ['Shift', 'Enter'], what: 'New line', where: 'In the field' },
  { keys: ['↑'], what: 'Edit your last message, when the field is empty', where: 'In the field' },
  { keys: ['@'], what: 'Name somebody', where: 'In the field' },
  { keys: [':'], what: 'Emoji by name', where: 'In the field' },
  { keys: [MOD, 'B'], what: 'Bold', where: 'In the field' },
  { keys: [MOD, 'I'], what: 'Italic', where: 'In the field' },
  { keys: [MOD, 'E'], what: 'Code', where: 'In the field' },
  { keys: [MOD, 'Shift', 'L'], what: 'Link', where: 'In the field' },
];
