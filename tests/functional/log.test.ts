import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Api, rawExchange } from '../support/api.ts';
import { createDatabase, SqliteDatabase } from '../support/database.ts';
import { FakeLiveKit } from '../support/fake-livekit.ts';
import { check, freePort, Running } from '../support/process.ts';
import { binary, environmentFor, secrets, userToken, type LogLine, type Service } from '../support/service.ts';
import { isoTime, onEachDatabase, serve } from '../support/suite.ts';
import { until, within } from '../support/wait.ts';
import { authorizationFor, connectionFor, connectionOf, deliver, deliverBody, events, roomOf } from '../support/webhooks.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentId = '00f067aa0ba902b7';
const traceparent = `00-${traceId}-${parentId}-01`;

/** The lines of a request, once its access line is there. */
async function linesOf(service: Service, requestId: string): Promise<LogLine[]> {
  await until(() => service.linesOf(requestId).some((line) => line.event === 'request'), { what: `the access line of ${requestId}` });
  return service.linesOf(requestId);
}

it('stops nobody if whoever reads it does not', async () => {
  const database = await SqliteDatabase.create();
  const pipe = join(database.directory, 'pipe');
  await check('mkfifo', [pipe]);
  const unread = await open(pipe, 'r+');
  const port = await freePort();
  const env = environmentFor(database.url, { PORT: String(port) });
  const service = new Running(binary, ['serve'], { env, cwd: '/tmp', stdio: ['ignore', unread.fd, 'pipe'] });
  const api = new Api(port);
  await until(async () => (await api.get('/health')).status === 200, { timeout: 30_000, what: 'it answers' });
  // Far more than the pipe holds, and the service for it.
  const agent = `"user_agent ${'x'.repeat(900)}`;
  for (let round = 0; round < 300; round += 1) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => api.get('/health', { headers: { 'user-agent': agent } })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  }
  api.close();
  service.signal('SIGTERM');
  expect((await within(service.finished(), 15_000, 'the end')).code).toBe(0);
  await unread.close();
  await database.remove();
});

onEachDatabase('the log of events', (kind) => {
  let livekit: FakeLiveKit;
  beforeAll(async () => {
    livekit = await FakeLiveKit.start();
  });
  afterAll(() => livekit.stop());
  const served = serve(kind, () => ({ LIVEKIT_URL: livekit.url }));
  const find = (event: string, members: LogLine): LogLine | undefined =>
    served.service.logs.find((line) => line.event === event && Object.entries(members).every(([name, value]) => line[name] === value));

  it('tells of starting, joining, leaving and ending by the API, with request, trace and who', async () => {
    const { api, service } = served;
    const headers = (id: string) => ({ headers: { 'x-request-id': id, traceparent } });
    const common = (id: string) => ({ request_id: id, trace_id: traceId, parent_id: parentId, level: 'info', time: expect.stringMatching(isoTime) });
    const { body: call } = await api.startCall({ caller_id: 'ada' }, headers('a-start'));
    const { call_id } = call;
    const { body: joined } = await api.join(call_id, 'bob', undefined, headers('a-join'));
    await api.join(call_id, 'bob', undefined, headers('a-again'));
    await api.leave(call_id, 'bob', undefined, headers('a-leave'));
    await api.leave(call_id, 'bob', undefined, headers('a-left'));
    await api.end(call_id, { user_id: 'ada' }, headers('a-end'));
    await api.end(call_id, undefined, headers('a-ended'));

    const domain = async (id: string) => (await linesOf(service, id)).filter((line) => line.event !== 'request');
    const session = { call_id, session_id: joined.session_id, user_id: 'bob', cause: 'api' };
    expect(await domain('a-start')).toEqual([
      { ...common('a-start'), event: 'call_started', call_id, user_id: 'ada', cause: 'api' },
      { ...common('a-start'), event: 'session_created', call_id, session_id: call.session_id, user_id: 'ada', cause: 'api' },
    ]);
    expect(await domain('a-join')).toEqual([{ ...common('a-join'), event: 'session_created', ...session }]);
    expect(await domain('a-again')).toEqual([{ ...common('a-again'), event: 'session_token_renewed', ...session }]);
    expect(await domain('a-leave')).toEqual([{ ...common('a-leave'), event: 'session_left', ...session, end_reason: 'left' }]);
    expect(await domain('a-left')).toEqual([]);
    expect(await domain('a-end')).toEqual([
      { ...common('a-end'), event: 'call_ended', call_id, cause: 'api', end_reason: 'ended', ended_by: 'ada', ended_by_type: 'user', lasted_seconds: expect.any(Number) },
    ]);
    expect(await domain('a-ended')).toEqual([]);
    await until(() => find('intent_done', { call_id, intent: 'delete_room' }));
  });

  it('tells of webhooks, and of what they changed', async () => {
    const { api, service } = served;
    const { body: call } = await api.startCall({ caller_id: 'ada' });
    const { call_id } = call;
    const room = roomOf(call_id);
    const ada = connectionFor(call, 'ada');
    const carol = connectionOf('carol');
    const left = events.left(room, ada, 'CLIENT_INITIATED');
    const joined = events.joined(room, carol);
    const finished = events.finished(room, Date.now() + 1000);
    const unknown = events.started(roomOf('01939c5e-8e3a-7c31-9b6e-0123456789ab'));
    const agent = events.joined(room, connectionOf('bot', Date.now(), { kind: 'AGENT' }));
    for (const event of [events.started(room), events.joined(room, ada), joined, joined, left, unknown, agent, events.started(roomOf('x')), finished]) await deliver(api, event);

    const of = async (id: string) => {
      const first = await until(() => service.logs.find((line) => line.event_id === id), { what: `a line of ${id}` });
      return (await linesOf(service, String(first.request_id))).filter((line) => line.event !== 'request');
    };
    const applied = (id: string, type: string) => expect.objectContaining({ event: 'webhook_applied', event_id: id, type, call_id, cause: 'webhook' });
    const session = { call_id, cause: 'webhook', user_id: 'carol', participant_sid: carol.sid };
    expect((await of(joined.id)).slice(0, 3)).toEqual([
      applied(joined.id, 'participant_joined'),
      expect.objectContaining({ event: 'session_created', event_id: joined.id, ...session }),
      expect.objectContaining({ event: 'session_joined', event_id: joined.id, ...session }),
    ]);
    await until(() => find('webhook_duplicate', { event_id: joined.id, call_id }));
    expect(await of(left.id)).toEqual([
      applied(left.id, 'participant_left'),
      expect.objectContaining({ event: 'session_left', session_id: call.session_id, user_id: 'ada', end_reason: 'left', disconnect_reason: 'client_initiated', cause: 'webhook' }),
    ]);
    expect(await of(finished.id)).toEqual([
      applied(finished.id, 'room_finished'),
      expect.objectContaining({ event: 'session_left', user_id: 'carol', end_reason: 'call_ended' }),
      expect.objectContaining({ event: 'call_ended', call_id, cause: 'webhook', end_reason: 'room_finished' }),
    ]);
    expect(find('webhook_ignored', { event_id: unknown.id, reason: 'unknown_call' })).toBeDefined();
    expect(find('webhook_ignored', { event_id: agent.id, reason: 'participant_kind' })).toBeDefined();
    expect(find('webhook_ignored', { reason: 'room' })).toBeDefined();
  });

  it('tells why webhooks are refused or make no sense', async () => {
    const { api } = served;
    await deliverBody(api, '{}', { authorization: await authorizationFor('{}', { key: 'unknown' }), 'x-request-id': 'w-issuer' });
    await deliverBody(api, '{}', { authorization: await authorizationFor('{ }'), 'x-request-id': 'w-hash' });
    await deliverBody(api, '{"id":"EV_1","event":"room_started"}', { 'x-request-id': 'w-malformed' });
    const of = async (id: string) => (await linesOf(served.service, id))[0];
    expect(await of('w-issuer')).toMatchObject({ event: 'webhook_refused', reason: 'issuer', level: 'warning' });
    expect(await of('w-hash')).toMatchObject({ event: 'webhook_refused', reason: 'hash' });
    expect(await of('w-malformed')).toMatchObject({ event: 'webhook_malformed', reason: expect.stringContaining('room'), level: 'warning' });
  });

  it('tells what LiveKit refused', async () => {
    livekit.behaviour = 'internal_error';
    const { body: call } = await served.api.startCall({ caller_id: 'ada' });
    await served.api.end(call.call_id);
    const line = await until(() => find('intent_refused', { call_id: call.call_id }));
    expect(line).toMatchObject({ intent: 'delete_room', attempts: 1, error: expect.any(String), next_try_ms: expect.any(Number) });
    livekit.behaviour = 'normal';
    await until(() => find('intent_done', { call_id: call.call_id }));
  });
});

describe('the access line', () => {
  const served = serve('sqlite');

  it('has the route, the call, the user, who asked, and why it was refused', async () => {
    const { api, service } = served;
    const id = '01939c5e-8e3a-7c31-9b6e-0123456789ab';
    await api.join(id, 'zoë/1', undefined, { as: userToken('zoë/1'), headers: { 'x-request-id': 'l-1', traceparent } });
    expect((await linesOf(service, 'l-1')).at(-1)).toEqual({
      time: expect.stringMatching(isoTime),
      level: 'info',
      event: 'request',
      request_id: 'l-1',
      trace_id: traceId,
      parent_id: parentId,
      method: 'POST',
      route: '/calls/{call_id}/join/{user_id}',
      path: `/calls/${id}/join/zo%C3%AB%2F1`,
      call_id: id,
      user_id: 'zoë/1',
      status: 404,
      code: 'call_not_found',
      duration_ms: expect.any(Number),
      caller: 'zoë/1',
      caller_type: 'user',
      sent: true,
    });
    await api.get('/calls', { as: null, headers: { 'x-request-id': 'l-2' } });
    expect((await linesOf(service, 'l-2')).at(-1)).toMatchObject({ status: 401, code: 'unauthorized', cause: 'no credential' });
    await api.get('/health', { headers: { 'x-request-id': 'l-3', traceparent: traceparent.toUpperCase() } });
    expect(Object.keys((await linesOf(service, 'l-3')).at(-1)!)).not.toContain('trace_id');
  });

  it('is one line whatever a client sends', async () => {
    const { api, service } = served;
    const nasty = ['%0a{"event":"forged"}', '%E2%80%A8x', '%1b[31mred', '%c2%9b', 'a"b', '\\n', '%F0%9F%92%A9', '%00'];
    for (const part of nasty) {
      await api.get(`/calls/${part}`);
      await api.post(`/calls/01939c5e-8e3a-7c31-9b6e-0123456789ab/join/${part}`);
    }
    // Bytes that are no UTF-8, and a request that is no HTTP.
    await rawExchange(service.port, Buffer.from('GET /calls/\xff\xfe\x9b HTTP/1.1\r\nHost: x\r\n\r\n', 'latin1'));
    await rawExchange(service.port, 'GET / HTTP/1.1\r\nHost: x\r\nBad Header: {"event":"forged"}\r\n\r\n');
    await api.get('/health', { headers: { 'x-request-id': 'l-nasty' } });
    await linesOf(service, 'l-nasty');
    expect(service.logs.filter((line) => 'unparsed' in line || line.event === 'forged')).toEqual([]);
    expect([...service.output.replace(/\n/g, '')].filter((c) => c < ' ' || (c >= '\x7f' && c <= '\x9f') || c === '\u2028')).toEqual([]);
  });

  it('is short whatever a client sends', async () => {
    await served.api.get(`/${'long/'.repeat(2000)}`, { headers: { 'x-request-id': 'l-long' } });
    const line = (await linesOf(served.service, 'l-long')).at(-1)!;
    expect(String(line.path).length).toBeLessThanOrEqual(1025);
    expect(String(line.path)).toMatch(/…$/);
  });
});

onEachDatabase('secrets', (kind) => {
  const served = serve(kind, { LOG_LEVEL: 'debug' });

  it('are never in the log, wherever a client puts them', async () => {
    const { api, service } = served;
    const user = userToken('secretive');
    const { body: call } = await api.startCall({}, { as: user });
    const body = JSON.stringify(events.started(roomOf(call.call_id)));
    const webhook = await authorizationFor(body);
    await deliverBody(api, body, { authorization: webhook });
    const places = [user, `${user}broken`, call.livekit_token, webhook, secrets.backendKey, secrets.livekitSecret, secrets.jwtSecret, 'password-0123456789-0123456789-0123456789'];
    for (const secret of places) {
      const text = encodeURIComponent(secret);
      await api.get(`/${text}`);
      await api.get(`/calls/${text}`);
      await api.get(`/calls/${text}/sessions?access_token=${text}`);
      await api.get(`/calls?user_id=x&status=${text}&token=${text}`);
      await api.get(`/calls?cursor=${text}`);
      await api.post(`/calls?api_key=${text}`, { caller_id: 'x', password: secret, [secret]: 1 });
      await api.post('/calls', `{"caller_id": "${secret}`);
      await api.get('/health', { as: secret, headers: { cookie: secret, 'x-api-key': secret, referer: `http://x/?t=${secret}`, traceparent: secret } });
      await api.get('/calls', { as: secret });
      await api.get('/calls', { as: null, headers: { authorization: `Basic ${secret}` } });
      await api.get('/calls', { as: null, headers: { 'x-api-key': secret } });
      await deliverBody(api, body, { authorization: secret });
      await deliverBody(api, JSON.stringify({ id: 'EV_s', event: 'room_started', room: secret }));
    }
    for (const token of [user, call.livekit_token, webhook]) await api.join(call.call_id, token);
    await api.get('/health', { headers: { 'x-request-id': 's-last' } });
    await linesOf(service, 's-last');
    for (const secret of places) {
      // Not even a good part of it: the signature of a token, the second half of a key.
      for (const part of [secret, secret.slice(-24)]) expect(service.output.includes(part), part).toBe(false);
    }
  });
});

describe('LOG_FORMAT=text', () => {
  const listening = async (command: string, args: string[], changes: Record<string, string> = {}): Promise<string> => {
    const database = await createDatabase('sqlite');
    const env = environmentFor(database.url, { LOG_FORMAT: 'text', ...changes });
    const service = new Running(command, args, { env, cwd: '/tmp' });
    await until(() => service.stdout.includes('listening '), { what: `the service listens: ${service.stderr}` });
    service.signal('SIGTERM');
    await service.exited;
    await database.remove();
    return service.stdout;
  };

  it('is aligned for people, and without colours where it goes into a file', async () => {
    const text = await listening(binary, ['serve']);
    expect(text).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z info    listening             port=\d+ version=\S+$/m);
    expect(text).toMatch(/^\S+Z warning configuration         warning="/m);
    expect(text).not.toContain('\x1b');
  });

  it('has colours on a terminal, unless NO_COLOR is set', async () => {
    const onTerminal = ['-qec', `${binary} serve`, '/dev/null'];
    expect(await listening('script', onTerminal)).toMatch(/Z \x1b\[32minfo {3}\x1b\[0m listening {13}\x1b\[2mport=\x1b\[0m/);
    expect(await listening('script', onTerminal, { NO_COLOR: '1' })).not.toContain('\x1b');
  });
});

describe('LOG_LEVEL', () => {
  it('leaves out what is below it', async () => {
    const database = await createDatabase('sqlite');
    const env = environmentFor(database.url, { LOG_LEVEL: 'warning', PORT: String(await freePort()) });
    const service = new Running(binary, ['serve'], { env, cwd: '/tmp' });
    const api = new Api(Number(env.PORT));
    await until(async () => (await api.startCall({ caller_id: 'ada' })).status === 201);
    service.signal('SIGTERM');
    await service.exited;
    const levels = new Set(service.stdout.trim().split('\n').map((line) => JSON.parse(line).level));
    expect([...levels]).toEqual(['warning']);
    api.close();
    await database.remove();
  });
});

it('docs/reference/log-events.md lists the events, and only those', async () => {
  const source = new URL('../../src/', import.meta.url);
  const names = (await readdir(source, { recursive: true })).filter((name) => name.endsWith('.cpp'));
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, source), 'utf8')));
  const calls = /(?:log::(?:debug|info|warning|error)|tell_session|tell_result|log_unexpected|log_failure)\(\s*"([^"]+)"|(?:log::write|append_line)\([^;]*?,\s*"([^"]+)"/g;
  const written = new Set(texts.flatMap((text) => [...text.matchAll(calls)].map((match) => match[1] ?? match[2])));
  const reference = await readFile(new URL('../../docs/reference/log-events.md', import.meta.url), 'utf8');
  const listed = new Set([...reference.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]));
  expect([...listed].sort()).toEqual([...written].sort());
});
