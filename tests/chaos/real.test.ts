import { expect, it } from 'vitest';
import type { DatabaseKind } from '../support/database.ts';
import { Random } from '../support/random.ts';
import { Holding } from './holding.ts';
import { Ledger } from './ledger.ts';
import { Load } from './load.ts';
import { half, realFaults } from './real-faults.ts';
import { RealDoors, RealLiveKit } from './real-livekit.ts';
import { choose, kinds, seconds, seed, settle, sleep, strike, summary, tally, whatWasSaid } from './run.ts';
import { Watch } from './watch.ts';
import { World } from './world.ts';

async function play(kind: DatabaseKind): Promise<void> {
  console.log(`chaos with a real LiveKit on ${kind}, seed ${seed}`);
  const random = new Random(seed);
  const start = (webhookUrl: string): Promise<RealLiveKit> => RealLiveKit.start(webhookUrl, new Random(seed + 2));
  // As often as a service asks that was not told otherwise.
  const world = await World.around(kind, start, { RECONCILE_INTERVAL_SECONDS: undefined });
  const { livekit } = world.parts;
  livekit.fate = half;
  const ledger = new Ledger();
  const load = new Load(world, new RealDoors(livekit.url), ledger, new Random(seed + 1), { actors: 4, thinks: [200, 1_500] });
  const watch = new Watch(world, ledger);
  const holding = new Holding(kind);
  const struck: string[] = [];
  const end = Date.now() + seconds * 1000;
  load.begin();
  while (Date.now() < end) {
    await sleep(random.between(3_000, 8_000));
    const chosen = choose(realFaults, world, random);
    watch.faultBegan();
    await strike(world, chosen, random, ledger);
    watch.faultEnded();
    struck.push(...chosen.map(({ name }) => name));
    await watch.settled().catch((error) => {
      throw new Error(`after ${struck.slice(-chosen.length).join(' and ')} (seed ${seed}): ${error.message}\n${whatWasSaid(world, error.message)}`);
    });
    if (watch.breaches.length > 0) throw new Error(`seed ${seed}: ${watch.breaches.join('\n')}\n${whatWasSaid(world, watch.breaches.join())}`);
    holding.look(await world.holdings());
  }
  await load.end();
  await watch.settled();
  await watch.stop();
  expect(livekit.lost).toBeGreaterThan(0);
  await settle(world, ledger, load, holding, [
    `chaos with a real LiveKit on ${kind}, seed ${seed}: ${struck.length} faults, ${ledger.size} calls, ${ledger.stays.length} connections, ${ledger.promises} promises kept`,
    `${livekit.lost} of ${livekit.heard.length} webhooks were lost; the database equalled LiveKit ${summary(watch.times)} after each of ${watch.times.length} changes`,
    `answers: ${tally(load.answers)}`,
    `faults: ${tally(struck)}`,
  ]);
}

it.each(kinds)('LiveKit is real and dies, and half of its webhooks are lost: the database equals it all the same (%s)', play, seconds * 1000 + 240_000);
