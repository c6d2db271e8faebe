import { expect, it } from 'vitest';
import type { DatabaseKind } from '../support/database.ts';
import { Random } from '../support/random.ts';
import { until } from '../support/wait.ts';
import { FakeDoors } from './fake-doors.ts';
import { Holding } from './holding.ts';
import { Ledger } from './ledger.ts';
import { Load } from './load.ts';
import { kinds, patience, seconds, seed, settle, sleep, tally, whatWasSaid } from './run.ts';
import { converge } from './truth.ts';
import { World } from './world.ts';

/** What concludes from silence concludes within seconds, if LiveKit can be asked. */
const settings = { CALL_NEVER_JOINED_TIMEOUT_SECONDS: '5', LIVEKIT_TOKEN_TTL_SECONDS: '10', ROOM_DEPARTURE_TIMEOUT_SECONDS: '5' };

/** Milliseconds after the beginning in which what was known before may still be written. */
const underWay = 2_000;

interface Change {
  call_id: string;
  type: string;
  cause: string;
  at: string;
}

/** Ends that nobody asked for and no webhook told of. */
async function conclusions({ parts }: World): Promise<Change[]> {
  return parts.database.query<Change>(
    `select call_id, type, cause, at from timeline where type in ('call.ended', 'session.left') and cause in ('timer', 'reconciler') order by at`,
  );
}

/** Calls that nobody enters, and calls with somebody in them for whom a guest is awaited: timers end both, the call and the wait. */
async function beginSilences(world: World, ledger: Ledger, number: number): Promise<{ deserted: string[]; awaited: string[] }> {
  const api = world.api(0)!;
  const silences = { deserted: [] as string[], awaited: [] as string[] };
  for (let count = 0; count < number; count += 1) {
    silences.deserted.push((await api.startCall({ caller_id: 'nobody' })).body.call_id);
    const call = (await api.startCall({ caller_id: 'host' })).body;
    const { sid } = world.parts.livekit.join({ token: call.livekit_token });
    ledger.seen({ call: call.call_id, user: 'host', sid, from: Date.now() });
    silences.awaited.push((await api.join(call.call_id, 'guest')).body.session_id);
    await until(async () => (await api.call(call.call_id)).body.participant_count === 1, { what: 'the host is there' });
  }
  return silences;
}

/** LiveKit is refused, or takes connections and never answers; none of its webhooks arrives. People come and go in it all the same. */
async function beUnreachable({ parts: { livekit } }: World, random: Random, milliseconds: number, meanwhile: () => Promise<void>): Promise<void> {
  const end = Date.now() + milliseconds;
  livekit.failWebhooks('drop');
  livekit.failRequests('hang');
  while (Date.now() < end) {
    await livekit.stop();
    await meanwhile();
    await sleep(Math.min(random.between(5_000, 30_000), end - Date.now()));
    if (Date.now() >= end) break;
    await livekit.listen();
    await sleep(Math.min(random.between(5_000, 30_000), end - Date.now()));
  }
}

async function play(kind: DatabaseKind): Promise<void> {
  console.log(`outage of LiveKit on ${kind}, seed ${seed}`);
  const random = new Random(seed);
  const world = await World.start(kind, seed, settings);
  const { livekit, database } = world.parts;
  const ledger = new Ledger();
  const doors = new FakeDoors(livekit);
  const load = new Load(world, doors, ledger, new Random(seed + 1), { actors: 8, thinks: [50, 1_500] });
  const holding = new Holding(kind);
  load.begin();
  await sleep(5_000);
  await load.pause();
  await converge(world, patience);
  holding.look(await world.holdings());

  const { deserted, awaited } = await beginSilences(world, ledger, 10);
  load.goOn();
  const began = Date.now();
  await beUnreachable(world, random, seconds * 1000, () => doors.takeDown(ledger));
  await load.pause();
  const open = await database.query<{ call_id: string }>(`select call_id from calls where status = 'active'`);
  const ended = Date.now();
  livekit.clearFaults();
  await livekit.listen();
  const converged = await converge(world, patience).catch((error) => {
    throw new Error(`after the outage (seed ${seed}), with ${open.length} open calls of ${ledger.size}: ${error.message}\n${whatWasSaid(world, error.message)}`);
  });
  const during = (await conclusions(world)).filter(({ at }) => Date.parse(at) > began + underWay && Date.parse(at) < ended);
  expect(during, `seed ${seed}`).toEqual([]);

  const among = (ids: string[]): string => ids.map((id) => `'${id}'`).join();
  await until(
    async () => {
      const calls = await database.query(`select 1 as n from calls where call_id in (${among(deserted)}) and end_reason = 'never_joined'`);
      const guests = await database.query(`select 1 as n from sessions where session_id in (${among(awaited)}) and end_reason = 'never_joined'`);
      return calls.length === deserted.length && guests.length === awaited.length;
    },
    { timeout: 120_000, interval: 500, what: 'what was due is concluded now' },
  );
  const after = (await conclusions(world)).filter(({ at }) => Date.parse(at) >= ended);
  await converge(world, patience);
  load.goOn();
  await load.end();
  await doors.takeDown(ledger);
  await settle(world, ledger, load, holding, [
    `LiveKit was away for ${Math.round((ended - began) / 1000)} s on ${kind}, seed ${seed}: ${ledger.size} calls, ${ledger.stays.length} connections, ${ledger.promises} promises kept`,
    `nothing was concluded meanwhile; ${open.length} calls were open, and the database equalled LiveKit ${converged} ms after its return`,
    `then: ${tally(after.map(({ type, cause }) => `${type} by ${cause}`))}`,
    `answers: ${tally(load.answers)}`,
  ]);
}

it.each(kinds)('LiveKit is away under load: nothing is closed, and soon after its return the database equals it (%s)', play, seconds * 1000 + 400_000);
