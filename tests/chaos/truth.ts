import type { Database } from '../support/database.ts';
import { until } from '../support/wait.ts';
import type { World } from './world.ts';

interface Presence {
  call_id: string;
  participant_sid: string | null;
}

/** A room of LiveKit's, and who is in it. */
export interface Inside {
  room: { name: string };
  participants: { sid: string; identity: string; state: string }[];
}

export const callOf = (room: string): string => room.slice('call_'.length);

/** In what the database differs from LiveKit, each a line. */
export async function differencesFrom(rooms: readonly Inside[], database: Database): Promise<string[]> {
  const calls = new Map((await database.query<{ call_id: string; status: string }>('select call_id, status from calls')).map(({ call_id, status }) => [call_id, status]));
  const active = await database.query<Presence>(`select call_id, participant_sid from sessions where status = 'active'`);
  const inside = new Map(rooms.map(({ room, participants }) => [callOf(room.name), participants]));
  const found: string[] = [];
  for (const [call, participants] of inside) {
    const status = calls.get(call);
    if (status === 'ended') found.push(`the room of the ended call ${call} is there`);
    const known = new Set(active.filter(({ call_id }) => call_id === call).map(({ participant_sid }) => participant_sid));
    for (const { sid, identity, state } of participants) {
      if (status === 'active' && state === 'ACTIVE' && !known.has(sid)) found.push(`${identity} is in call ${call} by ${sid}, and has no active session`);
    }
  }
  for (const { call_id, participant_sid } of active) {
    if (!inside.get(call_id)?.some(({ sid }) => sid === participant_sid)) found.push(`a session of call ${call_id} is active by ${participant_sid}, who is not there`);
  }
  return found;
}

const differences = ({ parts: { database, livekit } }: World): Promise<string[]> =>
  differencesFrom((livekit.control('GET', 'rooms') as { rooms: Inside[] }).rooms, database);

/** Milliseconds until the database equals LiveKit. */
export async function converge(world: World, timeout: number): Promise<number> {
  const began = Date.now();
  let left: string[] = [];
  await until(
    async () => {
      left = await differences(world);
      return left.length === 0;
    },
    { timeout, interval: 50, what: 'the database equals LiveKit' },
  ).catch((error) => {
    throw new Error(`${error.message}\n${left.join('\n')}`);
  });
  return Date.now() - began;
}
