import { afterAll, beforeAll, expect, it } from 'vitest';
import { Api } from '../support/api.ts';
import { createDatabase } from '../support/database.ts';
import { Service, userToken } from '../support/service.ts';
import { until } from '../support/wait.ts';

// What a page costs is what PostgreSQL reads for it: that must not depend on how much there is.
const calls = 20_000;
const users = 40;
const page = 10;
/** Two pages' rows with what belongs to them, and what the metrics count in between: the open calls and sessions, about 200 a time. */
const most = 800;

const database = await createDatabase('postgresql');
const service = await Service.start(database);
const api = new Api(service.port);

/** Made by SQL, so without a timeline: some of u9's calls are active, the others ended, each with a session of its caller and one of user 0. */
const fill = `
  INSERT INTO users (user_id, created_at) SELECT 'u' || n, now() FROM generate_series(0, ${users}) n;
  INSERT INTO calls (call_id, caller_id, status, started_at, ended_at, end_reason)
    SELECT md5('call' || n)::uuid, 'u' || 1 + n % ${users}, CASE WHEN n % 320 = 8 THEN 'active' ELSE 'ended' END,
      timestamptz '2026-01-01' + n * interval '1 minute',
      CASE WHEN n % 320 <> 8 THEN timestamptz '2026-01-01' + (n + 1) * interval '1 minute' END, CASE WHEN n % 320 <> 8 THEN 'ended' END
    FROM generate_series(1, ${calls}) n;
  INSERT INTO sessions (session_id, call_id, user_id, name, status, created_at, left_at, end_reason, end_evidence)
    SELECT md5(s || c.call_id::text)::uuid, c.call_id, CASE s WHEN 'own' THEN c.caller_id ELSE 'u0' END, s,
      CASE c.status WHEN 'ended' THEN 'ended' ELSE 'pending' END, c.started_at, c.ended_at,
      CASE c.status WHEN 'ended' THEN 'call_ended' END, CASE c.status WHEN 'ended' THEN 'api' END
    FROM calls c CROSS JOIN (VALUES ('own'), ('other')) v(s);
  ANALYZE`;

interface Reads {
  scans: number;
  rows: number;
}

async function readsSoFar(): Promise<Reads> {
  const [sum] = await database.query<Reads>(
    'SELECT sum(coalesce(idx_scan, 0) + seq_scan)::int8 AS scans, sum(coalesce(idx_tup_fetch, 0) + seq_tup_read)::int8 AS rows FROM pg_stat_user_tables',
  );
  return sum!;
}

/** PostgreSQL's counters are told some time after the fact: their standstill is awaited where nothing else is running. */
async function settled(since: Reads): Promise<Reads> {
  return until(async () => {
    const seen = await readsSoFar();
    return seen.scans > since.scans && seen;
  }, { what: 'PostgreSQL counts what was read' });
}

beforeAll(() => database.execute(fill));

afterAll(async () => {
  api.close();
  await service.stop();
  await database.remove();
});

const middle = encodeURIComponent('2026-01-08T00:00:00.000Z');
const lists: [string, string, string?][] = [
  ['all calls', '/calls?'],
  ['active calls', '/calls?status=active&'],
  ['ended calls', '/calls?status=ended&'],
  ['the calls of a caller', '/calls?caller_id=u7&'],
  ['the active calls of a caller', '/calls?caller_id=u9&status=active&'],
  ['the calls of a user', '/calls?user_id=u0&'],
  ['the active calls of a user', '/calls?user_id=u0&status=active&'],
  ['calls in a span of time', `/calls?started_before=${middle}&`],
  ['the calls of a caller in a span of time', `/calls?caller_id=u7&started_before=${middle}&`],
  ['the calls of a user in a span of time', `/calls?user_id=u0&started_before=${middle}&`],
  ["a user's own calls", '/calls?', 'u0'],
  ['the calls that a user started, seen by itself', '/calls?caller_id=u7&', 'u7'],
];

it.each(lists)('two pages of %s read about two pages', async (_name, path, user) => {
  const as = user === undefined ? {} : { as: userToken(user) };
  const before = await readsSoFar();
  let cursor = '';
  for (let pages = 0; pages < 2; pages++) {
    const { body, text } = await api.get(`${path}limit=${page}${cursor}`, as);
    expect(body.data, text).toHaveLength(page);
    cursor = `&cursor=${encodeURIComponent(body.next_cursor)}`;
  }
  const { rows } = await settled(before);
  expect(rows - before.rows, 'rows read').toBeLessThan(most);
});
