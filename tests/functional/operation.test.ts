import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { Api } from '../support/api.ts';
import { createDatabase } from '../support/database.ts';
import { secrets, Service, userToken } from '../support/service.ts';
import { isoTime, onEachDatabase, serve } from '../support/suite.ts';
import { until } from '../support/wait.ts';
import { authorizationFor, deliver, deliverBody, events, roomOf } from '../support/webhooks.ts';

onEachDatabase('health and readiness', (kind) => {
  const served = serve(kind);

  it('/health says that the process serves', async () => {
    const answer = await served.api.get('/health', { as: null });
    expect(answer.status).toBe(200);
    expect(answer.body.status).toBe('ok');
    expect((await served.api.request('HEAD', '/health', { as: null })).status).toBe(200);
  });

  it('/ready shows its checks, and is ready without LiveKit', async () => {
    const { status, body } = await served.api.get('/ready', { as: null });
    expect(status).toBe(200);
    expect(body.status).toBe('ready');
    for (const check of ['database', 'migrations', 'livekit']) expect(body.checks[check], check).toBeTypeOf('object');
    expect(body.checks.webhooks).toMatchObject({ last_accepted_at: null, last_rejected_at: null, last_rejection: null });
  });

  it('/ready tells why the last webhook was refused, and when one was accepted', async () => {
    const webhooks = async () => (await served.api.get('/ready')).body.checks.webhooks;
    const body = JSON.stringify(events.started(roomOf('x')));
    await deliverBody(served.api, body, { authorization: await authorizationFor(body, { key: 'unknown' }) });
    expect(await webhooks()).toMatchObject({ last_accepted_at: null, last_rejection: 'issuer', last_rejected_at: expect.stringMatching(isoTime) });
    await deliverBody(served.api, body, { authorization: await authorizationFor(body, { secret: 'x'.repeat(32) }) });
    expect((await webhooks()).last_rejection).toBe('signature');
    await deliverBody(served.api, body, { authorization: await authorizationFor(`${body} `) });
    expect((await webhooks()).last_rejection).toBe('hash');
    await deliver(served.api, events.started(roomOf('x')));
    expect(await webhooks()).toMatchObject({ last_accepted_at: expect.stringMatching(isoTime), last_rejection: 'hash' });
  });

  it('/ready names the first revision that the schema lacks, and is 503 until it is there', async () => {
    const { database, api } = served;
    const [newest] = await database.query<{ revision: string }>('select max(revision) as revision from call_service_migrations');
    const revision = newest!.revision;
    await database.execute(`update call_service_migrations set revision = 'away' where revision = '${revision}'`);
    const { status, body } = await api.get('/ready', { as: null });
    expect({ status, is: body.status }).toEqual({ status: 503, is: 'not_ready' });
    expect(body.checks.database).toMatchObject({ status: 'ok' });
    expect(body.checks.migrations).toMatchObject({ status: 'failed', detail: expect.stringMatching(`${revision}.*migrate upgrade`) });
    await database.execute(`update call_service_migrations set revision = '${revision}' where revision = 'away'`);
    expect((await api.get('/ready', { as: null })).status).toBe(200);
  });
});

onEachDatabase('the log', (kind) => {
  const served = serve(kind, { LOG_LEVEL: 'debug' });

  it('has one access line a request, with its id, method, path, status and duration', async () => {
    await served.api.get('/calls/not-a-uuid', { headers: { 'x-request-id': 'log-1' } });
    const line = await until(() => served.service.linesOf('log-1').find((entry) => entry.status === 422));
    expect(line).toMatchObject({ method: 'GET', path: '/calls/not-a-uuid', status: 422 });
    expect(Object.values(line).some((value) => typeof value === 'number' && value !== 422)).toBe(true);
    expect(served.service.linesOf('log-1').filter((entry) => entry.status === 422)).toHaveLength(1);
  });

  it('is JSON, line by line', async () => {
    await served.api.get('/%0A{"event":"forged"}', { headers: { 'user-agent': 'x"}\\n{' } });
    await served.api.get('/health', { headers: { 'x-request-id': 'log-2' } });
    await until(() => served.service.linesOf('log-2').length > 0);
    expect(served.service.logs.filter((line) => 'unparsed' in line)).toEqual([]);
    expect(served.service.logs.some((line) => line.event === 'forged')).toBe(false);
  });

  it('never has a key, a secret, a token or a password', async () => {
    const token = userToken('secretive');
    const { body: call } = await served.api.startCall({}, { as: token });
    await served.api.startCall({ caller_id: 'x' }, { as: null, headers: { 'x-api-key': secrets.otherKey } });
    await served.api.startCall({ caller_id: 'x' }, { as: `${secrets.backendKey}-wrong` });
    await served.api.get('/calls', { as: `${token}wrong` });
    const body = JSON.stringify({ ...events.started(roomOf(call.call_id)), odd: true });
    const authorization = await authorizationFor(body);
    await deliverBody(served.api, body, { authorization });
    await deliverBody(served.api, `${body} `, { authorization });
    await served.api.get('/health', { headers: { 'x-request-id': 'log-3' } });
    await until(() => served.service.linesOf('log-3').length > 0);
    const forbidden = [...Object.values(secrets).filter((secret) => secret.length > 20), token, call.livekit_token, authorization];
    for (const secret of forbidden) expect(served.service.output.includes(secret)).toBe(false);
  });
});

onEachDatabase('stopping', (kind) => {
  it('lets what runs finish, accepts nothing new and exits 0', async () => {
    const database = await createDatabase(kind);
    const service = await Service.start(database);
    const api = new Api(service.port);
    const calls = Array.from({ length: 20 }, () => api.startCall({ caller_id: 'x' }));
    await Promise.any(calls);
    const stopped = service.stop();
    const statuses = await Promise.all(calls.map((call) => call.then(({ status }) => status, () => 'refused')));
    await stopped;
    expect(statuses.every((status) => status === 201 || status === 503 || status === 'refused')).toBe(true);
    const committed = await database.query(`select call_id from calls`);
    expect(committed.length).toBeGreaterThanOrEqual(statuses.filter((status) => status === 201).length);
    await expect(api.get('/health')).rejects.toThrow();
    api.close();
    await database.remove();
  });

  it('does not wait for idle connections', async () => {
    const database = await createDatabase(kind);
    const service = await Service.start(database);
    const idle = connect({ host: '127.0.0.1', port: service.port });
    await new Promise((resolve) => idle.once('connect', resolve));
    idle.on('error', () => undefined);
    const api = new Api(service.port);
    await api.get('/health');
    const before = Date.now();
    await service.stop();
    expect(Date.now() - before).toBeLessThan(8_000);
    idle.destroy();
    api.close();
    await database.remove();
  });

  it('keeps everything it has answered, also when it is killed', async () => {
    const database = await createDatabase(kind);
    const service = await Service.start(database);
    const api = new Api(service.port);
    const { body: call } = await api.startCall({ caller_id: 'x' });
    const { body: ended } = await api.end(call.call_id);
    await service.kill();
    await service.restart();
    const again = new Api(service.port);
    expect((await again.call(call.call_id)).body).toMatchObject({ status: 'ended', ended_at: ended.ended_at });
    api.close();
    again.close();
    await service.stop();
    await database.remove();
  });
});
