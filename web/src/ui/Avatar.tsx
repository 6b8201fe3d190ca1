import { memo, useState } from 'react';
import { fileUrl, useTicket } from '../files/ticket';
import { useParlor } from '../store/store';

interface Props {
  id: string;
  name: string;
  size?: 'tiny' | 'small' | 'medium' | 'large' | 'huge';
  online?: boolean;
  room?: boolean;
}

const HUES = 8;

/** Somebody's picture, else a coloured disc with initials; a room's is square and plain. */
export const Avatar = memo(function Avatar({ id, name, size = 'medium', online = false, room = false }: Props) {
  const picture = useParlor((state) => (room ? null : (state.users[id]?.picture_id ?? null)));
  return (
    <span className={`avatar avatar-${size}${room ? ' avatar-room' : ''}`} data-hue={hueOf(id)} aria-hidden="true">
      {initials(name, room || size === 'tiny' ? 1 : 2)}
      {picture && <Face key={picture} id={picture} />}
      {online && <span className="avatar-here" />}
    </span>
  );
});

/** Over the initials, which are there until it is, and when it cannot be had. */
function Face({ id }: { id: string }) {
  const { ticket, refused } = useTicket();
  const [broken, setBroken] = useState(false);
  if (!ticket || broken) return null;
  return <img className="avatar-picture" src={fileUrl(id, 'picture', ticket)} alt="" decoding="async" draggable={false} onError={() => setBroken(!refused())} />;
}

function hueOf(id: string): number {
  let sum = 0;
  for (let at = 0; at < id.length; at += 1) sum = (sum * 31 + id.charCodeAt(at)) >>> 0;
  return sum % HUES;
}

function initials(name: string, most: number): string {
  const words = name.split(/[\s._-]+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const picked = most === 1 ? words.slice(0, 1) : words.length > 1 ? [words[0]!, words.at(-1)!] : words;
  const letters = picked.map((word) => [...word].find((letter) => /[\p{L}\p{N}]/u.test(letter)) ?? '');
  return letters.join('').toUpperCase() || '·';
}
