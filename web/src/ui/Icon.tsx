const PATHS = {
  rooms: 'M4 6.5A2.5 2.5 0 0 1 6.5 4h8A2.5 2.5 0 0 1 17 6.5v5a2.5 2.5 0 0 1-2.5 2.5H9l-4 3.2V14A2.5 2.5 0 0 1 4 11.5zM20 9v9.5L17 16h-5',
  compass: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM15.5 8.5l-2 5-5 2 2-5z',
  search: 'M10.5 4.5a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15 15l4.5 4.5',
  go: 'M5 12h13.5M13 6.5l5.5 5.5-5.5 5.5',
  settings: 'M4 7h9M17 7h3M4 17h3M11 17h9M13 7a2 2 0 1 0 4 0 2 2 0 0 0-4 0zM7 17a2 2 0 1 0 4 0 2 2 0 0 0-4 0z',
  plus: 'M12 5.5v13M5.5 12h13',
  back: 'M14.5 5.5L8 12l6.5 6.5',
  close: 'M6.5 6.5l11 11M17.5 6.5l-11 11',
  more: 'M6 12h.01M12 12h.01M18 12h.01',
  people: 'M9 11.5a3.3 3.3 0 1 0 0-6.6 3.3 3.3 0 0 0 0 6.6zM3.5 19c.4-3 2.6-4.7 5.5-4.7s5.1 1.7 5.5 4.7M15.5 5.3a3.2 3.2 0 0 1 0 6M17 14.6c2 .6 3.2 2.1 3.5 4.4',
  smile: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM8.5 14c.8 1.3 2 2 3.5 2s2.700-.7 3.5-2M9 9.700h.01M15 9.700h.01',
  send: 'M12 19V5.5M6 11.5l6-6 6 6',
  reply: 'M9.5 6.5L4.5 11.5l5 5M5 11.5h8.5a6 6 0 0 1 6 6',
  quote: 'M5 6v12M10 8.500h9M10 12h9M10 15.500h6',
  attach: 'M17.500 11.500l-5.800 5.800a3.700 3.700 0 0 1-5.200-5.200l6.800-6.800a2.500 2.500 0 0 1 3.500 3.500l-6.700 6.700a1.200 1.200 0 0 1-1.700-1.700l5.600-5.600',
  download: 'M12 4.500V15M7 10.500l5 5 5-5M5 19.500h14',
  play: 'M8.500 5.500v13l10.500-6.500z',
  retry: 'M18.500 8A7.500 7.500 0 1 0 19.500 12.500M19 4.500V8.500h-4',
  thread: 'M5 5.500h14v9.500H11l-4 3.500v-3.500H5zM9 9h6M9 12h4',
  pin: 'M9.500 4.500h5l-.7 5.500 3.200 3v1.500H7V13l3.200-3zM12 14.500V20',
  forward: 'M14.500 6.500l5 5-5 5M19 11.500h-8.500a6 6 0 0 0-6 6',
  edit: 'M5 19l.8-3.7L16 5.1a1.7 1.7 0 0 1 2.4 0l.5.5a1.7 1.7 0 0 1 0 2.4L8.7 18.2z',
  trash: 'M5 7h14M10 4.5h4M7 7l.8 11a1.5 1.5 0 0 0 1.5 1.4h5.4a1.5 1.5 0 0 0 1.5-1.4L17 7',
  lock: 'M7 11h10a1.5 1.5 0 0 1 1.5 1.5v5A1.5 1.5 0 0 1 17 19H7a1.5 1.5 0 0 1-1.5-1.5v-5A1.5 1.5 0 0 1 7 11zM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
  key: 'M8.5 11.5a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM11.4 12.7L19.5 4.6M16 8l2.5 2.5',
  link: 'M10 14a3.5 3.5 0 0 0 5 0l3.5-3.5a3.5 3.5 0 0 0-5-5L12.5 6.5M14 10a3.5 3.5 0 0 0-5 0l-3.5 3.5a3.5 3.5 0 0 0 5 5l1-1',
  down: 'M12 5.5V18M6 12.5l6 6 6-6',
  up: 'M12 18.5V6M6 11.5l6-6 6 6',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  alert: 'M12 4.5l8 14H4zM12 10v4M12 16.5h.01',
  leave: 'M13.5 5H6.5A1.5 1.5 0 0 0 5 6.5v11A1.5 1.5 0 0 0 6.5 19h7M10 12h10M16.5 8.5L20 12l-3.5 3.5',
  globe: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM3.8 12h16.4M12 3.5c2.4 2.3 3.6 5.1 3.6 8.5s-1.2 6.2-3.6 8.5c-2.4-2.3-3.6-5.1-3.6-8.5S9.6 5.8 12 3.5z',
  copy: 'M9 9h8.5A1.5 1.5 0 0 1 19 10.5V19H9zM15 9V5H5v10h4',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The house mark: a doorway, and the last of the sun in it. */
export function Mark({ size = 32 }: { size?: number }) {
  return (
    <svg className="mark" width={size} height={size} viewBox="0 0 64 64" aria-hidden="true" focusable="false">
      <rect width="64" height="64" rx="18" className="mark-ground" />
      <path d="M17 48V31a15 15 0 0 1 30 0v17z" className="mark-door" />
      <path d="M22.5 48a9.5 9.5 0 0 1 19 0z" className="mark-sun" />
    </svg>
  );
}
