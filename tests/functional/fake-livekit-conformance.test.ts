import { AccessToken, type ClaimGrants, RoomServiceClient, type VideoGrant } from 'livekit-server-sdk';
import { afterAll, describe, expect, it } from 'vitest';
import { RtcClient } from '../support/clients.ts';
import { FakeLiveKit } from '../support/fake-livekit.ts';
import { LiveKit } from '../support/livekit.ts';
import { secrets } from '../support/service.ts';
import { until } from '../support/wait.ts';
import { type Received, WebhookReceiver } from '../support/webhook-receiver.ts';

/** Somebody in a room. */
interface Person {
  leave(): Promise<void>;
}

interface Server {
  httpUrl: string;
  enter(token: string): Promise<Person>;
  close(): Promise<unknown>;
}

async function startReal(webhookUrl: string): Promise<Server> {
  const server = await LiveKit.start({ webhookUrl });
  return { httpUrl: server.httpUrl, enter: (token) => RtcClient.connect(server.url, token), close: () => server.kill() };
}

async function startFake(webhookUrl: string): Promise<Server> {
  const server = await FakeLiveKit.start({ webhookUrl });
  const enter = async (token: string): Promise<Person> => {
    server.join({ token });
    const { video, sub } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());
    return { leave: async () => server.leave(video.room, sub) };
  };
  return { httpUrl: server.httpUrl, enter, close: () => server.close() };
}

const token = (video: VideoGrant | undefined, more: { identity?: string; key?: string; secret?: string; attributes?: Record<string, string> } = {}) => {
  const { key = secrets.livekitKey, secret = secrets.livekitSecret, ...options } = more;
  const made = new AccessToken(key, secret, { ttl: 60, ...options });
  if (video) made.addGrant(video);
  return made.toJwt();
};
const everything = (room: string): VideoGrant => ({ roomCreate: true, roomList: true, roomAdmin: true, room });

/** Every member of a message with its kind of value; sorted, because the order says nothing. */
const shapeOf = (message: Record<string, unknown>): string[] =>
  Object.entries(message)
    .map(([name, value]) => `${name}: ${Array.isArray(value) ? 'list' : typeof value}`)
    .sort();

describe.each([
  ['LiveKit itself', startReal],
  ['the fake', startFake],
] as const)('%s', async (_, start) => {
  const receiver = await WebhookReceiver.start();
  const server = await start(receiver.url);
  afterAll(() => server.close());
  const rooms = new RoomServiceClient(server.httpUrl, secrets.livekitKey, secrets.livekitSecret);

  const call = async (method: string, body: unknown, authorization?: string, type = 'application/json') => {
    const headers = { 'content-type': type, ...(authorization === undefined ? {} : { authorization }) };
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(`${server.httpUrl}/twirp/livekit.RoomService/${method}`, { method: 'POST', headers, body: text });
    return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
  };
  const callAs = async (video: VideoGrant, method: string, body: unknown) => call(method, body, `Bearer ${await token(video)}`);

  it('is healthy', async () => {
    const response = await fetch(server.httpUrl);
    expect([response.status, await response.text()]).toEqual([200, 'OK']);
  });

  it('creates a room once, lists it and deletes it', async () => {
    const created = await rooms.createRoom({ name: 'made', emptyTimeout: 77, departureTimeout: 9, maxParticipants: 3, metadata: '{"a":1}' });
    expect(created).toMatchObject({ name: 'made', emptyTimeout: 77, departureTimeout: 9, maxParticipants: 3, metadata: '{"a":1}' });
    const again = await rooms.createRoom({ name: 'made', emptyTimeout: 5 });
    expect([again.sid, again.emptyTimeout]).toEqual([created.sid, 77]);
    await rooms.createRoom({ name: 'another' });
    expect((await rooms.listRooms(['made'])).map(({ sid }) => sid)).toEqual([created.sid]);
    expect((await rooms.listRooms()).map(({ name }) => name).sort()).toEqual(['another', 'made']);
    for (const name of ['made', 'another']) await rooms.deleteRoom(name);
    expect(await rooms.listRooms()).toEqual([]);
    await expect(rooms.deleteRoom('made')).rejects.toMatchObject({ status: 404, code: 'not_found' });
  });

  it('writes a room with all its members, in their spelling', async () => {
    const { status, type, text } = await callAs(everything('spelt'), 'CreateRoom', { name: 'spelt', empty_timeout: '61' });
    const room = JSON.parse(text);
    expect([status, type]).toEqual([200, 'application/json']);
    expect(room).toMatchObject({ empty_timeout: 61, departure_timeout: 20, max_participants: 0, metadata: '', version: null });
    expect(room.enabled_codecs[0]).toEqual({ mime: 'audio/PCMU', fmtp_line: '' });
    expect(Object.keys(room)).toEqual([
      ...['sid', 'name', 'empty_timeout', 'departure_timeout', 'max_participants', 'creation_time', 'creation_time_ms', 'turn_password'],
      ...['enabled_codecs', 'metadata', 'num_participants', 'num_publishers', 'active_recording', 'version'],
    ]);
    expect(room.creation_time_ms).toMatch(/^\d{13}$/);
    await rooms.deleteRoom('spelt');
  });

  it.each([
    ['ListParticipants of an unknown room', 'ListParticipants', { room: 'r' }, 200, { participants: [] }],
    ['GetParticipant', 'GetParticipant', { room: 'r', identity: 'x' }, 404, { code: 'not_found', msg: 'twirp error unknown: participant does not exist' }],
    ['RemoveParticipant', 'RemoveParticipant', { room: 'r', identity: 'x' }, 404, { code: 'not_found', msg: 'twirp error unknown: participant does not exist' }],
    ['DeleteRoom', 'DeleteRoom', { room: 'r' }, 404, { code: 'not_found', msg: 'twirp error unknown: requested room does not exist' }],
    ['a name that is too long', 'CreateRoom', { name: 'n'.repeat(257) }, 400, { code: 'invalid_argument', msg: 'twirp error unknown: room name length exceeds limits: max length 256' }],
    ['what is no JSON', 'ListRooms', '{bad', 400, { code: 'malformed', msg: 'the json request could not be decoded' }],
    ['an empty body', 'ListRooms', '', 400, { code: 'malformed', msg: 'the json request could not be decoded' }],
    ['a wrong type', 'ListRooms', { names: 'r' }, 400, { code: 'malformed', msg: 'the json request could not be decoded' }],
    ['a list', 'ListRooms', [], 400, { code: 'malformed', msg: 'the json request could not be decoded' }],
    ['an unknown member', 'ListRooms', { names: ['r'], nams: 7 }, 200, { rooms: [] }],
    [
      ...['an unknown method', 'Nope', {}, 404],
      { code: 'bad_route', msg: 'no handler for path "/twirp/livekit.RoomService/Nope"', meta: { twirp_invalid_route: 'POST /twirp/livekit.RoomService/Nope' } },
    ],
  ] as [string, string, unknown, number, unknown][])('answers %s', async (_name, method, body, status, answer) => {
    const { text, ...rest } = await callAs(everything('r'), method, body);
    expect({ ...rest, answer: JSON.parse(text) }).toEqual({ status, type: 'application/json', answer });
  });

  it.each([
    ['CreateRoom', { name: 'g' }, { roomList: true, roomAdmin: true, room: 'g' }],
    ['DeleteRoom', { room: 'g' }, { roomList: true, roomAdmin: true, room: 'g' }],
    ['ListRooms', {}, { roomCreate: true, roomAdmin: true, room: 'g' }],
    ['ListParticipants', { room: 'g' }, everything('other')],
    ['GetParticipant', { room: 'g', identity: 'x' }, { roomCreate: true, roomList: true, room: 'g' }],
    ['RemoveParticipant', { room: 'g', identity: 'x' }, { roomJoin: true, room: 'g' }],
  ] as [string, unknown, VideoGrant][])('refuses %s to who has not its grant', async (method, body, grant) => {
    const { status, text } = await call(method, body, `Bearer ${await token(grant, { identity: 'x' })}`);
    expect([status, JSON.parse(text)]).toEqual([401, { code: 'unauthenticated', msg: 'permissions denied' }]);
  });

  it('refuses tokens that are none, in plain text', async () => {
    const answers = async (authorization?: string) => {
      const { status, type, text } = await call('ListRooms', {}, authorization);
      return [status, type?.split(';')[0], text];
    };
    const forged = await token(everything('r'), { secret: 'another-secret-another-secret-another' });
    expect(await answers()).toEqual([401, 'application/json', '{"code":"unauthenticated","msg":"permissions denied"}']);
    expect(await answers('Basic x')).toEqual([401, 'text/plain', 'invalid authorization header. Must start with Bearer ']);
    expect(await answers('Bearer x')).toEqual([401, 'text/plain', 'invalid authorization token']);
    expect(await answers(`Bearer ${await token(everything('r'), { key: 'stranger' })}`)).toEqual([401, 'text/plain', 'invalid API key: stranger']);
    expect(await answers(`Bearer ${forged}`)).toEqual([
      ...[401, 'text/plain'],
      `invalid token: ${forged}, error: token signature is invalid: signature is invalid`,
    ]);
  });

  it.each([
    [200, 'success', { roomJoin: true, room: 'q' }, { identity: 'u' }],
    [400, 'no room name', { roomJoin: true }, { identity: 'u' }],
    [401, 'permissions denied', { roomList: true }, { identity: 'u' }],
    [401, 'invalid API key: stranger', { roomJoin: true, room: 'q' }, { identity: 'u', key: 'stranger' }],
    [400, 'participant identity length exceeds limits: max length 256', { roomJoin: true, room: 'q' }, { identity: 'u'.repeat(257) }],
    [400, 'room name length exceeds limits: max length 256', { roomJoin: true, room: 'q'.repeat(257) }, { identity: 'u' }],
  ])('answers %i %s to whom may come or not', async (status, text, grant, more) => {
    const response = await fetch(`${server.httpUrl}/rtc/validate?access_token=${await token(grant, more)}`);
    expect([response.status, await response.text()]).toEqual([status, text]);
  });

  const claimsOf = ({ authorization }: Received): ClaimGrants & Record<string, unknown> =>
    JSON.parse(Buffer.from(authorization.split('.')[1]!, 'base64url').toString());

  it('tells of a room by webhooks that LiveKit\'s own library verifies', async () => {
    const { sid } = await rooms.createRoom({ name: 'told', emptyTimeout: 50, metadata: 'm' });
    await rooms.deleteRoom('told');
    await receiver.waitFor('told', ['room_started', 'room_finished']);
    for (const webhook of receiver.of('told')) {
      await receiver.verify(webhook);
      expect(webhook.contentType).toBe('application/webhook+json');
      expect([...webhook.headers].sort()).toEqual(['Accept-Encoding', 'Authorization', 'Content-Length', 'Content-Type', 'Host', 'User-Agent']);
      const { room, ...event } = webhook.body;
      expect(shapeOf(event)).toEqual(['createdAt: string', 'event: string', 'id: string']);
      expect(room).toMatchObject({ sid, name: 'told', emptyTimeout: 50, departureTimeout: 20, metadata: 'm' });
      expect(shapeOf(room)).toEqual([
        ...['creationTime: string', 'creationTimeMs: string', 'departureTimeout: number', 'emptyTimeout: number', 'enabledCodecs: list'],
        ...['metadata: string', 'name: string', 'sid: string', 'turnPassword: string'],
      ]);
      const claims = claimsOf(webhook) as { exp: number; nbf: number };
      expect(Object.keys(claims).sort()).toEqual(['exp', 'iat', 'iss', 'nbf', 'sha256']);
      expect(claims.exp - claims.nbf).toBe(300);
    }
  });

  it('tells of people: who comes with a token, comes twice, leaves, is removed, or loses the room', async () => {
    const room = 'people';
    const tokenOf = (identity: string) => token({ roomJoin: true, room }, { identity, attributes: { session_id: `of ${identity}` } });
    const ada = await server.enter(await tokenOf('ada'));
    const seen = await until(async () => (await rooms.listParticipants(room)).find(({ state }) => state === 2), { what: 'ada is active' });
    expect(seen).toMatchObject({ identity: 'ada', attributes: { session_id: 'of ada' } });
    await receiver.waitFor(room, ['room_started', 'participant_joined']);
    await ada.leave();
    await receiver.waitFor(room, ['room_started', 'participant_joined', 'participant_left']);
    await server.enter(await tokenOf('bob'));
    const before = ['room_started', 'participant_joined', 'participant_left', 'participant_joined'];
    await receiver.waitFor(room, before);
    await server.enter(await tokenOf('bob'));
    await receiver.waitFor(room, [...before, 'participant_left', 'participant_joined']);
    await rooms.removeParticipant(room, 'bob');
    await receiver.waitFor(room, [...before, 'participant_left', 'participant_joined', 'participant_left']);
    await expect(rooms.getParticipant(room, 'bob')).rejects.toMatchObject({ status: 404 });
    await server.enter(await tokenOf('cyd'));
    await receiver.waitFor(room, [...before, 'participant_left', 'participant_joined', 'participant_left', 'participant_joined']);
    await rooms.deleteRoom(room);
    await until(() => receiver.eventsOf(room).at(-1) === 'room_finished');

    const people = receiver.of(room).filter(({ body }) => body.participant);
    for (const webhook of people) await receiver.verify(webhook);
    expect(people.map(({ body: { event, participant } }) => [event, participant.identity, participant.disconnectReason])).toEqual([
      ['participant_joined', 'ada', undefined],
      ['participant_left', 'ada', 'CLIENT_INITIATED'],
      ['participant_joined', 'bob', undefined],
      ['participant_left', 'bob', 'DUPLICATE_IDENTITY'],
      ['participant_joined', 'bob', undefined],
      ['participant_left', 'bob', 'PARTICIPANT_REMOVED'],
      ['participant_joined', 'cyd', undefined],
      ['participant_left', 'cyd', 'ROOM_DELETED'],
    ]);
    const { participant } = people[0]!.body;
    expect(participant).toMatchObject({ sid: seen.sid, state: 'ACTIVE', attributes: { session_id: 'of ada' } });
    expect(participant.permission).toEqual({ canSubscribe: true, canPublish: true, canPublishData: true });
    expect(shapeOf(participant)).toEqual(
      expect.arrayContaining(['attributes: object', 'identity: string', 'joinedAt: string', 'joinedAtMs: string', 'sid: string', 'state: string', 'version: number']),
    );
    expect(people[1]!.body.participant).toMatchObject({ sid: seen.sid, state: 'DISCONNECTED' });
  });
});
