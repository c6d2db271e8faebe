import { expect } from 'vitest';
import { databaseKinds } from '../support/database.ts';
import { expectInvariants } from '../support/invariants.ts';
import type { Random } from '../support/random.ts';
import { until } from '../support/wait.ts';
import { clockStep, type Fault } from './faults.ts';
import type { Holding } from './holding.ts';
import type { Ledger } from './ledger.ts';
import type { Load } from './load.ts';
import type { LiveKitInPlay, World } from './world.ts';

export const seconds = Number(process.env.CHAOS_SECONDS ?? 25);
export const seed = Number(process.env.CHAOS_SEED ?? 1 + Math.floor(Math.random() * 1_000_000));
export const kinds = process.env.CHAOS_DATABASE ? databaseKinds.filter((kind) => kind === process.env.CHAOS_DATABASE) : databaseKinds;

/** Milliseconds in which the database has to equal LiveKit again. */
export const patience = 10_000;

export const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** One or two of those that are possible, and asked for. */
export function choose<LiveKit extends LiveKitInPlay>(faults: readonly Fault<LiveKit>[], world: World<LiveKit>, random: Random): Fault<LiveKit>[] {
  const only = process.env.CHAOS_FAULTS?.split(',');
  const possible = faults.filter(({ name, isPossible }) => (isPossible?.(world) ?? true) && (only?.includes(name) ?? true));
  if (possible.length === 0) throw new Error(`there is no such fault: ${only?.join()}`);
  const first = random.pick(possible);
  const second = random.pick(possible);
  return first === second || random.chance(0.5) ? [first] : [first, second];
}

export async function strike<LiveKit extends LiveKitInPlay>(
  world: World<LiveKit>,
  chosen: readonly Fault<LiveKit>[],
  random: Random,
  ledger: Ledger,
): Promise<void> {
  await Promise.all(
    chosen.map(async (fault) => {
      await sleep(random.between(0, 800));
      await fault.begin(world, random, ledger);
      await sleep(random.between(...(fault.lasts ?? [1_000, 5_000])));
    }),
  );
  for (const fault of chosen) await fault.end?.(world, random);
  await world.recover();
}

/** What the services wrote of the calls that a failure names. */
export function whatWasSaid({ parts }: World<LiveKitInPlay>, failure: string): string {
  const calls = [...new Set(failure.match(/[0-9a-f]{8}-[0-9a-f-]{27}/g))].slice(0, 3);
  const lines = parts.services.flatMap(({ output }) => output.split('\n'));
  return calls.map((call) => lines.filter((line) => line.includes(call)).slice(-60).join('\n')).join('\n---\n');
}

/** Median and maximum. */
export function summary(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  return `${sorted[Math.floor(sorted.length / 2)] ?? '-'} ms (median), ${sorted.at(-1) ?? '-'} ms (max)`;
}

export function tally(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, number]) => `${number} x ${name}`).join(', ');
}

/** After the load's end: what was promised is kept, nothing is broken, nothing leaks. Tells the report, and stops everything. */
export async function settle(world: World<LiveKitInPlay>, ledger: Ledger, load: Load, holding: Holding, report: string[]): Promise<void> {
  const api = await until(() => world.api(0));
  const slack = 1_500 + (world.parts.clock === undefined ? 0 : clockStep * 1_000);
  const breaches = await ledger.breaches(world.parts.database, async (call) => (await api.call(call)).body, slack);
  holding.look(await world.holdings());
  console.log([...report, holding.report].join('\n  '));
  await world.stopServices();
  expect(breaches, `seed ${seed}\n${whatWasSaid(world, breaches.join())}`).toEqual([]);
  expect(load.faults, `seed ${seed}`).toEqual([]);
  expect(ledger.promises).toBeGreaterThan(10);
  await expectInvariants(world.parts.database);
  holding.expectNoLeak();
  await world.close();
}
