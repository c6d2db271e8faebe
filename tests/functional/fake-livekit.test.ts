import { RoomServiceClient } from 'livekit-server-sdk';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { FakeLiveKit, fakeBinary } from '../support/fake-livekit.ts';
import { nowSeconds, signJwt } from '../support/jwt.ts';
import { run } from '../support/process.ts';
import { secrets } from '../support/service.ts';
import { until } from '../support/wait.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

const receiver = await WebhookReceiver.start();
const fake = await FakeLiveKit.start({ webhookUrl: receiver.url, retryWait: 20, seed: 7 });
const rooms = new RoomServiceClient(fake.httpUrl, secrets.livekitKey, secrets.livekitSecret);
afterAll(() => fake.close());
afterEach(() => {
  fake.clearFaults();
  fake.autoCreate = true;
  receiver.status = 200;
  receiver.retryAfter = undefined;
});

let last = 0;
const newRoom = (): string => `room-${(last += 1)}`;
const admin = (room: string): string =>
  `Bearer ${signJwt({ iss: secrets.livekitKey, exp: nowSeconds() + 60, video: { roomCreate: true, roomList: true, roomAdmin: true, room } }, secrets.livekitSecret)}`;

async function ask(method: string, body: { room?: string; names?: string[]; name?: string }, timeout = 5_000) {
  const headers = { 'content-type': 'application/json', authorization: admin(body.room ?? '') };
  const url = `${fake.httpUrl}/twirp/livekit.RoomService/${method}`;
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal: AbortSignal.timeout(timeout) });
  return { status: response.status, text: await response.text() };
}
/** A room in which ada came and went: three webhooks. */
const visit = (room: string): void => {
  fake.join({ room, identity: 'ada' });
  fake.leave(room, 'ada');
};
const visited = ['room_started', 'participant_joined', 'participant_left'];
const deliveriesOf = (room: string) => fake.deliveries.filter((delivery) => delivery.room === room);

describe('a request to RoomService', () => {
  it.each([
    ['internal_error', 500, /^{"code":"unknown"/],
    ['unavailable', 503, /^{"code":"unavailable"/],
    ['unauthorized', 401, /^invalid authorization token$/],
    ['garbage', 200, /^<!doctype html>/],
    ['half', 200, /^{"rooms":\[.*[^}]$/],
    ['empty_list', 200, /^{"rooms":\[\]}$/],
  ])('fails by %s', async (fault, status, text) => {
    const name = newRoom();
    await rooms.createRoom({ name });
    fake.failRequests(fault, { method: 'ListRooms', times: 1 });
    const answer = await ask('ListRooms', { names: [name] });
    expect([answer.status, answer.text]).toEqual([status, expect.stringMatching(text)]);
    expect((await rooms.listRooms([name])).length).toBe(1);
    expect(fake.calls.at(-2)).toMatchObject({ method: 'ListRooms', fault, status });
  });

  it('hangs, and is not carried out', async () => {
    const name = newRoom();
    fake.failRequests('hang', { method: 'CreateRoom' });
    await expect(ask('CreateRoom', { name }, 200)).rejects.toThrow(/timeout/);
    expect(fake.rooms.has(name)).toBe(false);
  });

  it('is carried out, but its answer is lost', async () => {
    const name = newRoom();
    fake.failRequests('lose_answer', { method: 'CreateRoom' });
    await expect(ask('CreateRoom', { name }, 200)).rejects.toThrow(/timeout/);
    expect(fake.rooms.has(name)).toBe(true);
  });

  it('takes its time', async () => {
    const name = newRoom();
    fake.failRequests('delay', { method: 'CreateRoom', milliseconds: 300 });
    const before = Date.now();
    await rooms.createRoom({ name });
    expect(Date.now() - before).toBeGreaterThanOrEqual(300);
  });

  it('fails for one room and method only, and as often as told', async () => {
    const [one, other] = [newRoom(), newRoom()];
    fake.failRequests('unavailable', { method: 'ListParticipants', room: one, times: 2 });
    const answers: number[] = [];
    for (const room of [other, one, one, one]) answers.push((await ask('ListParticipants', { room })).status);
    expect(answers).toEqual([200, 503, 503, 200]);
  });

  it('finds nobody who listens, until somebody does', async () => {
    await fake.stop();
    await expect(ask('ListRooms', {})).rejects.toThrow(/fetch failed/);
    await fake.listen();
    expect((await ask('ListRooms', {})).status).toBe(200);
  });
});

describe('a webhook', () => {
  it('is dropped', async () => {
    const room = newRoom();
    fake.failWebhooks('drop', { event: 'participant_joined' });
    visit(room);
    await receiver.waitFor(room, ['room_started', 'participant_left']);
    expect(deliveriesOf(room).map(({ event, outcome }) => [event, outcome])).toContainEqual(['participant_joined', 'dropped']);
  });

  it('comes twice, with the same id', async () => {
    const room = newRoom();
    fake.failWebhooks('duplicate', { event: 'participant_joined', times: 1 });
    visit(room);
    await receiver.waitFor(room, ['room_started', 'participant_joined', 'participant_joined', 'participant_left']);
    const [, first, second] = receiver.of(room);
    expect(second!.text).toBe(first!.text);
  });

  it('is overtaken by the next of its room', async () => {
    const room = newRoom();
    fake.failWebhooks('reorder', { event: 'participant_joined', milliseconds: 60_000 });
    visit(room);
    await receiver.waitFor(room, ['room_started', 'participant_left', 'participant_joined']);
  });

  it('is overtaken by none, but comes late, if there is no next', async () => {
    const room = newRoom();
    fake.failWebhooks('reorder', { event: 'participant_left', milliseconds: 50 });
    visit(room);
    await receiver.waitFor(room, visited);
  });

  it('is late, and so are those behind it', async () => {
    const room = newRoom();
    fake.failWebhooks('delay', { event: 'participant_joined', milliseconds: 300 });
    visit(room);
    await receiver.waitFor(room, visited);
    const [started, joined] = receiver.of(room);
    expect(joined!.at - started!.at).toBeGreaterThanOrEqual(250);
  });

  it.each(['wrong_secret', 'wrong_hash'])('is forged: %s', async (fault) => {
    const room = newRoom();
    fake.failWebhooks(fault, { event: 'participant_joined' });
    visit(room);
    await receiver.waitFor(room, visited);
    const [started, joined, left] = receiver.of(room);
    await receiver.verify(started!);
    await expect(receiver.verify(joined!)).rejects.toThrow();
    await receiver.verify(left!);
  });

  it('is sent five times, ever later, with one token, and then given up for the next', async () => {
    const room = newRoom();
    receiver.status = 500;
    await rooms.createRoom({ name: room });
    const tries = await until(() => receiver.of(room).length === 5 && receiver.of(room));
    receiver.status = 200;
    await rooms.deleteRoom(room);
    await receiver.waitFor(room, [...Array.from({ length: 5 }, () => 'room_started'), 'room_finished']);
    const gaps = tries.slice(1).map(({ at }, index) => at - tries[index]!.at);
    [20, 40, 80, 160].forEach((wait, index) => expect(gaps[index]).toBeGreaterThanOrEqual(wait - 5));
    expect(new Set(tries.map(({ authorization }) => authorization)).size).toBe(1);
    expect(deliveriesOf(room).map(({ attempt, status }) => [attempt, status])).toEqual([
      ...[1, 2, 3, 4, 5].map((attempt) => [attempt, 500]),
      [1, 200],
    ]);
  });

  it.each([400, 401, 404, 501])('that is answered %i counts as sent', async (status) => {
    const room = newRoom();
    receiver.status = status;
    visit(room);
    await receiver.waitFor(room, visited);
  });

  it.each([429, 503])('is sent again when Retry-After says, after %i', async (status) => {
    const room = newRoom();
    receiver.status = status;
    receiver.retryAfter = '1';
    await rooms.createRoom({ name: room });
    const tries = await until(() => receiver.of(room).length >= 2 && receiver.of(room));
    receiver.status = 200;
    expect(tries[1]!.at - tries[0]!.at).toBeGreaterThanOrEqual(950);
  });
});

describe('participants', () => {
  it('who never had media are aborted', async () => {
    const room = newRoom();
    fake.join({ room, identity: 'ada', media: false });
    expect(fake.rooms.get(room)).toMatchObject([{ identity: 'ada', state: 'JOINING' }]);
    fake.abort(room, 'ada');
    await receiver.waitFor(room, ['room_started', 'participant_connection_aborted']);
    expect(receiver.of(room)[1]!.body.participant.disconnectReason).toBe('SIGNAL_CLOSE');
  });

  it('whose media comes later are told of then', async () => {
    const room = newRoom();
    fake.join({ room, identity: 'ada', media: false });
    fake.activate(room, 'ada');
    await receiver.waitFor(room, ['room_started', 'participant_joined']);
    expect(() => fake.abort(room, 'ada')).toThrow(/409/);
  });

  it('who crash are missed later', async () => {
    const room = newRoom();
    fake.join({ room, identity: 'ada' });
    fake.crash(room, 'ada', 1);
    await receiver.waitFor(room, visited);
    expect(receiver.of(room)[2]!.body.participant.disconnectReason).toBe('CONNECTION_TIMEOUT');
  });

  const joinToken = (room: string, claims: object = {}): string =>
    signJwt({ iss: secrets.livekitKey, sub: 'ada', exp: nowSeconds() + 60, video: { room, roomJoin: true }, ...claims }, secrets.livekitSecret);

  it('make the room by their token\'s configuration, and close it behind them', async () => {
    const room = newRoom();
    fake.join({ token: joinToken(room, { roomConfig: { emptyTimeout: 7, departureTimeout: 1, maxParticipants: 1 } }) });
    expect((await rooms.listRooms([room]))[0]).toMatchObject({ emptyTimeout: 7, departureTimeout: 1, maxParticipants: 1 });
    expect(() => fake.join({ room, identity: 'bob' })).toThrow(/500 .*connection closed by media/);
    fake.leave(room, 'ada');
    await receiver.waitFor(room, [...visited, 'room_finished']);
  });

  it.each([
    ['no room, where none is created', {}, /404 .*requested room does not exist/],
    ['an expired token', { exp: nowSeconds() - 61 }, /401 .*token is expired/],
    ['a token for later', { nbf: nowSeconds() + 120 }, /401 .*not valid yet/],
    ['a token of another key', { iss: 'stranger' }, /401 .*invalid API key/],
    ['a claim of a wrong type', { video: { room: 'r', roomJoin: 'true' } }, /401 .*wrong type/],
    ['no identity', { sub: '' }, /400 .*identity cannot be empty/],
  ])('are refused with %s', (_name, claims, refusal) => {
    fake.autoCreate = false;
    const room = newRoom();
    expect(() => fake.join({ token: joinToken(room, claims) })).toThrow(refusal);
    expect(fake.rooms.has(room)).toBe(false);
  });
});

describe('the fake', () => {
  it('comes back empty, and tells nobody', async () => {
    const room = newRoom();
    visit(room);
    await receiver.waitFor(room, visited);
    fake.restartEmpty();
    expect([...fake.rooms.keys()]).toEqual([]);
    const fence = newRoom();
    visit(fence);
    await receiver.waitFor(fence, visited);
    expect(receiver.eventsOf(room)).toEqual(visited);
  });

  it('makes the same choices by the same seed', async () => {
    const choices = async (seed: number): Promise<string> => {
      const own = await FakeLiveKit.start({ webhookUrl: receiver.url, seed });
      own.failWebhooks('drop', { percent: 50 });
      const sids = Array.from({ length: 40 }, (_, index) => own.join({ room: `seeded-${index}`, identity: 'ada' }).sid);
      const told = await until(() => own.deliveries.length === 80 && own.deliveries);
      await own.close();
      const dropped = told.filter(({ outcome }) => outcome === 'dropped').map(({ id }) => id);
      expect(dropped.length).toBeGreaterThan(20);
      expect(dropped.length).toBeLessThan(60);
      return [...sids, ...dropped].join();
    };
    const first = await choices(42);
    expect(await choices(42)).toBe(first);
    expect(await choices(43)).not.toBe(first);
  });

  it.each([
    ['POST', 'join', '{"room":"r"', 400, 'malformed_json'],
    ['POST', 'join', '{"room":"r","identty":"ada"}', 422, 'validation_failed'],
    ['POST', 'join', '{"room":"r"}', 422, undefined],
    ['POST', 'join', '{"room":"r","identity":"ada","attributes":{"a":1}}', 422, undefined],
    ['POST', 'leave', '{"room":"nowhere","identity":"ada"}', 404, undefined],
    ['POST', 'faults/webhooks', '{"fault":"hang"}', 422, 'validation_failed'],
    ['POST', 'faults/requests', '{"fault":"drop"}', 422, 'validation_failed'],
    ['POST', 'faults/requests', '{"fault":"hang","percent":0}', 422, 'validation_failed'],
    ['POST', 'faults/requests', '{"fault":"hang","times":0}', 422, 'validation_failed'],
    ['PATCH', 'settings', '{"webhook_url":"nonsense"}', 422, undefined],
    ['DELETE', 'faults/x', undefined, 404, undefined],
    ['DELETE', 'rooms/nowhere', undefined, 404, undefined],
    ['GET', 'requests?after=x', undefined, 400, undefined],
    ['PUT', 'join', '{}', 405, undefined],
    ['GET', 'nothing', undefined, 404, undefined],
  ])('refuses %s /control/%s %s', async (method, path, body, status, code) => {
    const response = await fetch(`http://127.0.0.1:${fake.controlPort}/control/${path}`, { method, ...(body === undefined ? {} : { body }) });
    expect([response.status, response.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
    expect(await response.json()).toMatchObject({ status, title: expect.any(String), detail: expect.any(String), ...(code ? { code } : {}) });
  });

  it.each([
    [['--port', 'x'], /--port/],
    [['--nonsense'], /--nonsense/],
    [['--webhook-url', 'nonsense', '--port', '0', '--control-port', '0'], /webhook URL/],
    [['--port', String(fake.port), '--control-port', '0'], /cannot listen/],
  ])('does not start with %j', async (args, text) => {
    const { code, stdout, stderr } = await run(fakeBinary, args);
    expect(code).toBe(2);
    expect(stdout + stderr).toMatch(text);
  });

  it('explains itself', async () => {
    const { code, stdout } = await run(fakeBinary, ['--help']);
    expect(code).toBe(0);
    for (const option of ['--port', '--control-port', '--key', '--secret', '--webhook-url', '--seed']) expect(stdout).toContain(option);
  });
});
