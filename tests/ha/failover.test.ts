import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Api } from '../support/api.ts';
import type { Database } from '../support/database.ts';
import { expectInvariants } from '../support/invariants.ts';
import { Service } from '../support/service.ts';
import { until } from '../support/wait.ts';
import { Cluster } from './cluster.ts';
import { Load } from './load.ts';
import type { Node } from './node.ts';

const name = 'calls';
const users = 12;
/** From the new primary on. */
const longestRecovery = 10_000;

let cluster: Cluster;
let database: Database;
let replicas: Service[];
let load: Load;

beforeAll(async () => {
  cluster = await Cluster.start();
  const primary = await cluster.isWhole();
  await primary.query(`create database ${name}`);
  // libpq asks no further host when one says that it does not have the database.
  for (const node of cluster.nodes) await until(() => node.query('select 1', name), { what: `${node.name} has the database` });
  database = {
    kind: 'postgresql',
    url: cluster.url(name),
    query: async <Row>(sql: string) => (await (await cluster.isWhole()).query(sql, name)) as Row[],
    execute: async (sql) => void (await (await cluster.isWhole()).query(sql, name)),
    remove: async () => undefined,
  };
  replicas = await Promise.all([1, 2].map(() => Service.start(database)));
}, 180_000);

afterAll(async () => {
  for (const replica of replicas ?? []) await replica.stop();
});

beforeEach(async () => {
  await cluster.isWhole();
  load = new Load(replicas.map(({ port }) => port), users);
  await load.flows(10_000);
}, 120_000);

/** Ends the load, and holds the database against its ledger. */
afterEach(async () => {
  await load.flows(10_000);
  await load.stop();
  const primary = await cluster.isWhole();
  expect(load.faults).toEqual([]);
  expect(await load.lost(primary, name)).toEqual([]);
  await expectInvariants(database);
  console.log(`  ${load.writes} writes acknowledged, ${load.refused} refused, 0 lost`);
}, 120_000);

const readiness = async (service: Service): Promise<number> => {
  const api = new Api(service.port);
  try {
    return (await api.get('/ready')).status;
  } finally {
    api.close();
  }
};

/** After the primary went: another one, and all writes soon after it is one. Which it is. */
async function recovers(gone: Node, fault: string, since: number): Promise<Node> {
  const others = cluster.nodes.filter((node) => node !== gone);
  const unready = until(async () => (await readiness(replicas[0]!)) === 503, { timeout: 15_000, what: 'the service is not ready' });
  const successor = await until(() => cluster.primaryAmong(others), { timeout: 60_000, interval: 50, what: 'there is a new primary' }).catch((error) => {
    throw new Error(others.map(({ name, output }) => `${name}:\n${output.slice(-6000)}`).join('\n'), { cause: error });
  });
  const electedAt = Date.now();
  await unready;
  await load.flows(longestRecovery);
  await until(async () => (await readiness(replicas[0]!)) === 200, { timeout: longestRecovery, what: 'the service is ready' });
  const { firstDone, lastRefused } = load.around(electedAt);
  const seconds = (from: number, to: number): string => `${((to - from) / 1000).toFixed(1)} s`;
  console.log(
    `  ${fault}: a new primary after ${seconds(since, electedAt)}; ` +
      `from then on the first write is acknowledged after ${seconds(electedAt, firstDone!)}, ` +
      (lastRefused === undefined ? 'none is refused' : `the last one refused after ${seconds(electedAt, lastRefused)}`),
  );
  expect((lastRefused ?? electedAt) - electedAt).toBeLessThan(longestRecovery);
  return successor;
}

it('the primary and all of its machine are killed, and come back', async () => {
  const primary = await cluster.isWhole();
  const since = Date.now();
  await primary.kill();
  const successor = await recovers(primary, 'killed', since);
  await cluster.restart(primary);
  expect(await cluster.isWhole()).toBe(successor);
}, 240_000);

it('the primary hands over, as before maintenance', async () => {
  const primary = await cluster.isWhole();
  const since = Date.now();
  const handedOver = cluster.switchOver();
  await recovers(primary, 'handed over', since);
  await handedOver;
}, 240_000);

it('the primary and its Patroni freeze, and thaw when there is another', async () => {
  const primary = await cluster.isWhole();
  const since = Date.now();
  await primary.freeze();
  try {
    await recovers(primary, 'frozen', since);
  } finally {
    await primary.thaw();
  }
  // It believes for a moment that it still is the primary.
  await until(async () => !(await primary.isPrimary()), { timeout: 60_000, what: 'the thawed one gives way' });
  await cluster.isWhole();
}, 240_000);
