import { rooms as roomsApi } from '../net/api';
import { navigate, paths } from '../shell/router';
import { enter } from '../store/app';
import { beginRoll, mayEncrypt, WANTED } from '../store/sealed';

/** Goes to the direct room of these people and oneself, which is made where there is none. */
export async function writeTo(people: string[]): Promise<void> {
  // What two say alone is theirs: sealed from the start, where this server and this browser can.
  const sealed = mayEncrypt();
  const room = await roomsApi.create({ name: '', kind: 'direct', members: people, ...(sealed ? { encryption: WANTED } : {}) });
  if (sealed) await beginRoll(room.main_session_id, people);
  await enter(room);
  navigate(paths.room(room.id));
}
