import { it } from 'vitest';
import type { DatabaseKind } from '../support/database.ts';
import { Random } from '../support/random.ts';
import { FakeDoors } from './fake-doors.ts';
import { fakeFaults } from './fake-faults.ts';
import { Holding } from './holding.ts';
import { Ledger } from './ledger.ts';
import { Load } from './load.ts';
import { choose, kinds, patience, seconds, seed, settle, strike, summary, tally, whatWasSaid } from './run.ts';
import { converge } from './truth.ts';
import { World } from './world.ts';

async function play(kind: DatabaseKind): Promise<void> {
  console.log(`chaos on ${kind}, seed ${seed}`);
  const random = new Random(seed);
  const world = await World.start(kind, seed);
  const ledger = new Ledger();
  const doors = new FakeDoors(world.parts.livekit);
  const load = new Load(world, doors, ledger, new Random(seed + 1));
  const holding = new Holding(kind);
  const struck: string[] = [];
  const times: number[] = [];
  const end = Date.now() + seconds * 1000;
  load.begin();
  while (Date.now() < end) {
    const chosen = choose(fakeFaults, world, random);
    const names = chosen.map(({ name }) => name);
    await strike(world, chosen, random, ledger);
    await load.pause();
    const converged = await converge(world, patience).catch((error) => {
      throw new Error(`after ${names.join(' and ')} (seed ${seed}): ${error.message}\n${whatWasSaid(world, error.message)}`);
    });
    struck.push(...names);
    times.push(converged);
    holding.look(await world.holdings());
    await doors.takeDown(ledger);
    load.goOn();
  }
  await load.pause();
  times.push(await converge(world, patience));
  await load.end();
  await doors.takeDown(ledger);
  await settle(world, ledger, load, holding, [
    `chaos on ${kind}, seed ${seed}: ${times.length} rounds, ${ledger.size} calls, ${ledger.stays.length} connections, ${ledger.promises} promises kept`,
    `the database equalled LiveKit after ${summary(times)}`,
    `answers: ${tally(load.answers)}`,
    `faults: ${tally(struck)}`,
  ]);
}

it.each(kinds)('whatever strikes, what was promised is kept and the database equals LiveKit (%s)', play, seconds * 1000 + 180_000);
