import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Api } from '../support/api.ts';
import { createDatabase, PostgresDatabase } from '../support/database.ts';
import { FakeLiveKit } from '../support/fake-livekit.ts';
import { parseMetrics, readMetrics, valueOf, type MetricsPage } from '../support/metrics.ts';
import { Cluster } from '../support/postgres.ts';
import { freePort, run } from '../support/process.ts';
import { runService, secrets, Service, userToken } from '../support/service.ts';
import { expectProblem, onEachDatabase, serve } from '../support/suite.ts';
import { until } from '../support/wait.ts';
import { authorizationFor, connectionFor, deliver, deliverBody, events, roomOf } from '../support/webhooks.ts';

const text = 'text/plain; version=0.0.4; charset=utf-8';

/** How much a sample has grown since `before`. */
async function growth(api: Api, before: MetricsPage, name: string, labels: Record<string, string> = {}): Promise<number> {
  return (valueOf(await readMetrics(api), name, labels) ?? 0) - (valueOf(before, name, labels) ?? 0);
}

describe('/metrics on the main port', () => {
  const served = serve('sqlite');

  it('is for service keys', async () => {
    const { api } = served;
    for (const options of [{}, { as: null, headers: { 'x-api-key': secrets.otherKey } }]) {
      const answer = await api.get('/metrics', options);
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toBe(text);
    }
    const missing = await api.get('/metrics', { as: null });
    expectProblem(missing, 401, 'unauthorized');
    expect(missing.headers['www-authenticate']).toBe('Bearer');
    expectProblem(await api.get('/metrics', { as: 'wrong' }), 401, 'unauthorized');
    expectProblem(await api.get('/metrics', { as: userToken('alice') }), 403, 'forbidden');
    expectProblem(await api.post('/metrics'), 405, 'method_not_allowed');
  });

  it('is what Prometheus reads, without complaint', async () => {
    const { text: page } = await served.api.get('/metrics');
    const { code, stdout, stderr } = await run('promtool', ['check', 'metrics'], { input: page });
    expect({ code, output: stdout + stderr }).toEqual({ code: 0, output: '' });
  });

  it('has exactly the series that docs/reference/metrics.md lists', async () => {
    await served.api.startCall({ caller_id: 'ada' });
    await deliver(served.api, events.started(roomOf('x')));
    const page = await readMetrics(served.api);
    const labelsOf = (name: string): string => {
      const own = page.samples.filter((sample) => sample.name.replace(/_(bucket|sum|count)$/, '') === name || sample.name === name);
      return [...new Set(own.flatMap(({ labels }) => Object.keys(labels)))].filter((label) => label !== 'le').join(', ');
    };
    const published = [...page.families].map(([name, { type }]) => `${name} ${type} ${labelsOf(name)}`);
    const reference = await readFile(new URL('../../docs/reference/metrics.md', import.meta.url), 'utf8');
    const rows = [...reference.matchAll(/^\| `([a-z_]+)` \| (\w+) \|([^|]*)\|/gm)];
    const documented = rows.map(([, name, type, labels]) => `${name} ${type} ${labels!.replace(/`/g, '').trim()}`);
    expect(published.sort()).toEqual(documented.sort());
  });
});

onEachDatabase('requests in the metrics', (kind) => {
  const served = serve(kind);

  it('are counted by the pattern of their route, method and status, and never by what the client sent', async () => {
    const { api } = served;
    const before = await readMetrics(api);
    const { body: call } = await api.startCall({ caller_id: 'ada' });
    await api.join(call.call_id, 'bob');
    await api.join(call.call_id, 'carol');
    await api.call('not-a-uuid');
    await api.get('/no/such/path');
    await api.request('DELETE', '/calls');
    await api.request('BREW', '/calls');
    await api.request('HEAD', '/health');
    const counts: [string, string, string, number][] = [
      ['/calls', 'POST', '201', 1],
      ['/calls/{call_id}/join/{user_id}', 'POST', '200', 2],
      ['/calls/{call_id}', 'GET', '422', 1],
      ['none', 'GET', '404', 1],
      ['none', 'DELETE', '405', 1],
      ['/health', 'HEAD', '200', 1],
    ];
    for (const [route, method, status, count] of counts) {
      expect(await growth(api, before, 'call_service_http_requests_total', { route, method, status }), route).toBe(count);
    }
    expect(await growth(api, before, 'call_service_http_requests_total', { method: 'OTHER' })).toBe(1);
    expect(await growth(api, before, 'call_service_http_request_duration_seconds_count', { route: '/calls/{call_id}/join/{user_id}' })).toBe(2);
    const page = await readMetrics(api);
    for (const { labels } of page.samples) expect(JSON.stringify(labels)).not.toMatch(/not-a-uuid|such|bob|BREW/);
    expect(page.samples.some(({ labels }) => JSON.stringify(labels).includes(call.call_id))).toBe(false);
  });

  it('have durations in buckets that end with all of them', async () => {
    const page = await readMetrics(served.api);
    const route = '/calls/{call_id}/join/{user_id}';
    const buckets = page.samples.filter(({ name, labels }) => name === 'call_service_http_request_duration_seconds_bucket' && labels.route === route);
    const counts = buckets.map(({ value }) => value);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(buckets.at(-1)!.labels.le).toBe('+Inf');
    expect(counts.at(-1)).toBe(valueOf(page, 'call_service_http_request_duration_seconds_count', { route }));
    expect(valueOf(page, 'call_service_http_request_duration_seconds_sum', { route })).toBeGreaterThan(0);
  });

  it('in flight is the scrape itself; connections are counted while they are open', async () => {
    const page = await readMetrics(served.api);
    expect(valueOf(page, 'call_service_http_requests_in_flight')).toBe(1);
    const others = Array.from({ length: 3 }, () => new Api(served.service.port));
    await Promise.all(others.map((other) => other.get('/health')));
    const open = async (): Promise<number> => valueOf(await readMetrics(served.api), 'call_service_http_connections')!;
    expect(await open()).toBeGreaterThanOrEqual(4);
    for (const other of others) other.close();
    await until(async () => (await open()) <= 1, { what: 'the closed connections are not counted' });
  });
});

onEachDatabase('calls, webhooks and LiveKit in the metrics', (kind) => {
  let livekit: FakeLiveKit;
  beforeAll(async () => {
    livekit = await FakeLiveKit.start();
  });
  afterAll(() => livekit.stop());
  const served = serve(kind, () => ({ LIVEKIT_URL: livekit.url }));

  it('are counted as they come', async () => {
    const { api } = served;
    const before = await readMetrics(api);
    const grows = (name: string, labels: Record<string, string> = {}): Promise<number> => growth(api, before, name, labels);
    const { body: call } = await api.startCall({ caller_id: 'ada' });
    const room = roomOf(call.call_id);
    livekit.rooms.set(room.name, []);
    const joined = events.joined(room, connectionFor(call, 'ada'));
    await deliver(api, events.started(room));
    await deliver(api, joined);
    await deliver(api, joined);
    await deliver(api, events.trackPublished(room, connectionFor(call, 'ada')));
    await deliver(api, { ...events.started(room), event: 'invented_tomorrow' });
    await deliver(api, events.started(roomOf('x')));
    await deliverBody(api, '{"id":"EV_x","event":"room_started"}');
    await deliverBody(api, '{}', { authorization: await authorizationFor('{}', { key: 'unknown' }) });
    await deliverBody(api, '{}', { authorization: await authorizationFor('{ }') });

    const event = (type: string, result: string): Promise<number> => grows('call_service_webhook_events_total', { type, result });
    expect(await event('room_started', 'applied')).toBe(1);
    expect(await event('room_started', 'ignored')).toBe(1);
    expect(await event('participant_joined', 'applied')).toBe(1);
    expect(await event('participant_joined', 'duplicate')).toBe(1);
    expect(await event('other', 'ignored')).toBe(2);
    expect(await event('other', 'malformed')).toBe(1);
    expect(await grows('call_service_webhook_events_total')).toBe(7);
    expect(await grows('call_service_webhooks_rejected_total', { reason: 'issuer' })).toBe(1);
    expect(await grows('call_service_webhooks_rejected_total', { reason: 'hash' })).toBe(1);
    expect(await grows('call_service_webhooks_rejected_total')).toBe(2);

    expect(await grows('call_service_calls_started_total')).toBe(1);
    await until(async () => valueOf(await readMetrics(api), 'call_service_sessions_open', { status: 'active' }) === 1, { timeout: 15_000, what: 'the active session is counted' });
    expect(valueOf(await readMetrics(api), 'call_service_calls_active')).toBe(1);

    await api.end(call.call_id);
    await api.end(call.call_id);
    expect(await grows('call_service_calls_ended_total', { reason: 'ended' })).toBe(1);
    expect(await grows('call_service_calls_ended_total')).toBe(1);
    await until(async () => (await grows('call_service_livekit_intents_total', { kind: 'delete_room', result: 'done' })) === 1);
    await until(async () => valueOf(await readMetrics(api), 'call_service_calls_active') === 0, { timeout: 15_000, what: 'the ended call is not counted any more' });
  });

  it('tell how late webhooks are', async () => {
    const { api } = served;
    const before = await readMetrics(api);
    await deliver(api, events.started(roomOf('x'), Date.now() - 20_000));
    const lag = 'call_service_webhook_lag_seconds';
    expect(await growth(api, before, `${lag}_bucket`, { le: '15' })).toBe(0);
    expect(await growth(api, before, `${lag}_bucket`, { le: '30' })).toBe(1);
    const sum = await growth(api, before, `${lag}_sum`);
    expect(sum).toBeGreaterThanOrEqual(20);
    expect(sum).toBeLessThan(30);
    const accepted = valueOf(await readMetrics(api), 'call_service_webhook_last_accepted_timestamp_seconds')!;
    expect(Math.abs(accepted - Date.now() / 1000)).toBeLessThan(20);
  });

  it('tell what LiveKit refuses, and how long it has been waiting', async () => {
    const { api } = served;
    const before = await readMetrics(api);
    livekit.behaviour = 'internal_error';
    const { body: call } = await api.startCall({ caller_id: 'ada' });
    await api.end(call.call_id);
    await until(async () => (await growth(api, before, 'call_service_livekit_intents_total', { result: 'refused' })) >= 1);
    await until(
      async () => {
        const page = await readMetrics(api);
        return valueOf(page, 'call_service_outbox_intents') === 1 && valueOf(page, 'call_service_outbox_oldest_age_seconds')! > 0;
      },
      { timeout: 15_000, what: 'the outbox has one, of some age' },
    );
    livekit.behaviour = 'normal';
    await until(async () => valueOf(await readMetrics(api), 'call_service_outbox_intents') === 0, { timeout: 25_000, what: 'the outbox is empty' });
    expect(valueOf(await readMetrics(api), 'call_service_outbox_oldest_age_seconds')).toBe(0);
  }, 60_000);

  it('tell whether LiveKit answers', async () => {
    const reachable = async (): Promise<number | undefined> => valueOf(await readMetrics(served.api), 'call_service_livekit_reachable');
    expect(await reachable()).toBe(1);
    await livekit.stop();
    const { body: call } = await served.api.startCall({ caller_id: 'ada' });
    await served.api.end(call.call_id);
    await until(async () => (await reachable()) === 0);
    await livekit.listen();
    await until(async () => (await reachable()) === 1);
  });

  it('tell how commands share commits', async () => {
    const { api } = served;
    const before = await readMetrics(api);
    await Promise.all(Array.from({ length: 20 }, () => api.startCall({ caller_id: 'ada' })));
    expect(await growth(api, before, 'call_service_database_batch_size_sum', { access: 'write' })).toBeGreaterThanOrEqual(20);
    const batches = await growth(api, before, 'call_service_database_batch_size_count', { access: 'write' });
    expect(batches).toBeGreaterThan(0);
    // Whatever goes on in the background waits now and then.
    await until(async () => valueOf(await readMetrics(api), 'call_service_database_queue_depth') === 0);
    expect(valueOf(await readMetrics(api), 'call_service_database_up')).toBe(1);
  });
});

describe('the listener for metrics', () => {
  it('answers /metrics and /health without a key, and nothing else', async () => {
    const database = await createDatabase('sqlite');
    const service = await Service.start(database, { METRICS_PORT: '0' });
    const port = Number(service.logs.find((line) => line.event === 'listening_for_metrics')?.port);
    const api = new Api(port, null);
    const page = await api.get('/metrics');
    expect({ status: page.status, type: page.headers['content-type'] }).toEqual({ status: 200, type: text });
    expect(valueOf(parseMetrics(page.text), 'call_service_build_info')).toBe(1);
    expect((await api.get('/health')).body).toEqual({ status: 'ok' });
    for (const path of ['/', '/calls', '/ready', '/openapi.json', '/docs', '/users/x', '/webhooks/livekit']) {
      expectProblem(await api.get(path, { as: secrets.backendKey }), 404, 'route_not_found');
      expectProblem(await api.post(path, {}, { as: secrets.backendKey }), 404, 'route_not_found');
    }
    const main = new Api(service.port);
    expectProblem(await main.get('/metrics', { as: null }), 401, 'unauthorized');
    await service.stop();
    await expect(api.get('/health')).rejects.toThrow();
    api.close();
    main.close();
    await database.remove();
  });

  it('is refused where it makes no sense', async () => {
    const port = String(await freePort());
    for (const changes of [{ PORT: port, METRICS_PORT: port }, { METRICS_PORT: 'x' }, { METRICS_PORT: '65536' }, { METRICS_PORT: '1', METRICS_HOST: 'http://x' }]) {
      const { code, stderr } = await runService(['serve'], 'sqlite:////tmp/never-made.db', changes);
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^call-service: METRICS_(HOST|PORT): /) });
    }
  });
});

describe('without the database', () => {
  it('a scrape is answered at once, says so, and leaves out what it does not know', async () => {
    const cluster = await Cluster.create();
    const service = await Service.start(new PostgresDatabase(cluster.url('postgres'), cluster.url('postgres'), 'postgres'));
    const api = new Api(service.port);
    await until(async () => valueOf(await readMetrics(api), 'call_service_database_up') === 1);
    await cluster.pause();
    await until(async () => valueOf(await readMetrics(api), 'call_service_database_up') === 0, { timeout: 25_000, what: 'the database is known to be away' });
    const page = await readMetrics(api);
    for (const name of ['call_service_calls_active', 'call_service_sessions_open', 'call_service_outbox_intents', 'call_service_outbox_oldest_age_seconds']) {
      expect(valueOf(page, name), name).toBeUndefined();
    }
    expect(valueOf(page, 'call_service_database_errors_total', { kind: 'timeout' })).toBeGreaterThan(0);
    await cluster.resume();
    await until(async () => valueOf(await readMetrics(api), 'call_service_calls_active') === 0, { timeout: 25_000, what: 'calls are counted again' });
    api.close();
    await service.stop();
    await cluster.remove();
  }, 90_000);
});

