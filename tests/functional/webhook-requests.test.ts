import { describe, expect, it } from 'vitest';
import { nowSeconds, signJwt } from '../support/jwt.ts';
import { secrets, userToken } from '../support/service.ts';
import { expectProblem, onEachDatabase, serve } from '../support/suite.ts';
import { until } from '../support/wait.ts';
import { authorizationFor, deliver, deliverBody, events, roomOf, sha256 } from '../support/webhooks.ts';

const key = secrets.livekitKey;
const secret = secrets.livekitSecret;

function claimsFor(body: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
  const now = nowSeconds();
  return { iss: key, nbf: now, iat: now, exp: now + 300, sha256: sha256(body), ...changes };
}

const signed = (body: string, changes: Record<string, unknown> = {}): string => signJwt(claimsFor(body, changes), secret);

const forged: Record<string, (body: string) => string | undefined> = {
  'no Authorization': () => undefined,
  'an empty one': () => '',
  'no token': () => 'nonsense',
  'another secret': (body) => signJwt(claimsFor(body), 'x'.repeat(32)),
  'another key': (body) => signed(body, { iss: 'otherkey' }),
  'no key': (body) => signed(body, { iss: undefined }),
  'the hash of another body': (body) => signed(`${body} `),
  'no hash': (body) => signed(body, { sha256: undefined }),
  'an empty hash': (body) => signed(body, { sha256: '' }),
  'a hash in hex': (body) => signed(body, { sha256: Buffer.from(sha256(body), 'base64').toString('hex') }),
  'a hash that is a number': (body) => signed(body, { sha256: 5 }),
  'no expiry': (body) => signed(body, { exp: undefined }),
  'an expiry too long ago': (body) => signed(body, { nbf: nowSeconds() - 2000, exp: nowSeconds() - 16 * 60 }),
  'a beginning too far ahead': (body) => signed(body, { nbf: nowSeconds() + 90 }),
  'alg none': (body) => signJwt(claimsFor(body), '', { alg: 'none' }),
  'alg HS512': (body) => signJwt(claimsFor(body), secret, { alg: 'HS512' }),
  'no signature': (body) => signed(body).replace(/[^.]*$/, ''),
  'a changed signature': (body) => signed(body).replace(/(.)(.{5})$/, (_all, one: string, rest: string) => (one === 'A' ? 'B' : 'A') + rest),
  'a service key': () => `Bearer ${secrets.backendKey}`,
  'a user token': () => userToken('ada'),
  'a participant\'s token': () => signJwt({ iss: key, sub: 'ada', nbf: nowSeconds(), exp: nowSeconds() + 600, video: { roomJoin: true } }, secret),
};

onEachDatabase('the signature of a webhook', (kind) => {
  const served = serve(kind);
  const newEvent = () => JSON.stringify(events.started(roomOf('00000000-0000-7000-8000-000000000000')));

  it.each(Object.entries(forged))('is refused with %s', async (_name, authorize) => {
    const body = newEvent();
    const authorization = authorize(body);
    const headers = { 'content-type': 'application/webhook+json', ...(authorization === undefined ? {} : { authorization }) };
    const answer = await served.api.post('/webhooks/livekit', body, { as: null, headers });
    expectProblem(answer, 401, 'webhook_unauthorized');
    expect((await served.api.get('/ready')).body.checks.webhooks.last_rejected_at).not.toBeNull();
  });

  it('is refused for a body that was changed on the way, and counted as hash', async () => {
    const body = newEvent();
    const answer = await deliverBody(served.api, body.replace('room_started', 'room_finished'), { authorization: await authorizationFor(body) });
    expectProblem(answer, 401, 'webhook_unauthorized');
    expect((await served.api.get('/ready')).body.checks.webhooks.last_rejection).toBe('hash');
  });

  it('is told apart as expired', async () => {
    const body = newEvent();
    const authorization = signed(body, { nbf: nowSeconds() - 2000, exp: nowSeconds() - 1000 });
    expectProblem(await deliverBody(served.api, body, { authorization }), 401, 'webhook_unauthorized');
    expect((await served.api.get('/ready')).body.checks.webhooks.last_rejection).toBe('expired');
  });

  it('is taken from LiveKit, bare and as bearer, and with the leeway of its retries', async () => {
    const accepted: ((body: string) => string)[] = [
      (body) => signed(body),
      (body) => `Bearer ${signed(body)}`,
      (body) => signed(body, { nbf: nowSeconds() - 1100, exp: nowSeconds() - 14 * 60 }),
      (body) => signed(body, { nbf: nowSeconds() + 45 }),
      (body) => signed(body, { nbf: undefined }),
    ];
    for (const authorize of accepted) {
      const body = newEvent();
      expect((await deliverBody(served.api, body, { authorization: authorize(body) })).status).toBe(200);
    }
  });

  it('covers the raw bytes, not their meaning', async () => {
    const body = newEvent().replaceAll(',', ', ');
    expect((await deliverBody(served.api, body)).status).toBe(200);
    expect((await deliverBody(served.api, ` ${body}\n`)).status).toBe(200);
  });

  it('comes before size, type and content', async () => {
    expectProblem(await served.api.post('/webhooks/livekit', 'x', { as: null, headers: { 'content-type': 'text/plain' } }), 401, 'webhook_unauthorized');
  });

  describe('the request', () => {
    it('may be application/json too, and nothing else', async () => {
      for (const type of ['application/webhook+json', 'application/json', 'application/webhook+json; charset=utf-8']) {
        expect((await deliverBody(served.api, newEvent(), { 'content-type': type })).status).toBe(200);
      }
      expectProblem(await deliverBody(served.api, newEvent(), { 'content-type': 'text/plain' }), 415, 'unsupported_media_type');
      expectProblem(await deliverBody(served.api, newEvent(), { 'content-encoding': 'gzip' }), 415, 'unsupported_media_type');
    });

    it('may be 4 MiB long', async () => {
      const event = events.started(roomOf('00000000-0000-7000-8000-000000000000'));
      const sized = (length: number) => {
        const rest = JSON.stringify({ ...event, padding: '' }).length;
        return JSON.stringify({ ...event, padding: 'x'.repeat(length - rest) });
      };
      const limit = 4 * 1024 * 1024;
      expect((await deliverBody(served.api, sized(limit))).status).toBe(200);
      expectProblem(await deliverBody(served.api, sized(limit + 1)), 413, 'body_too_large');
    });

    const room = { sid: 'RM_1', name: 'call_00000000-0000-7000-8000-000000000000' };
    const malformed: Record<string, string | Buffer> = {
      'nothing': '',
      'no JSON': 'event=room_started',
      'a list': '[]',
      'no object': '"room_started"',
      'an empty object': '{}',
      'no id': JSON.stringify({ event: 'room_started', room, createdAt: '1' }),
      'no event': JSON.stringify({ id: 'EV_1', room, createdAt: '1' }),
      'no room': JSON.stringify({ event: 'room_started', id: 'EV_2', createdAt: '1' }),
      'no participant': JSON.stringify({ event: 'participant_joined', id: 'EV_3', room, createdAt: '1' }),
      'a room of a wrong type': JSON.stringify({ event: 'room_started', id: 'EV_4', room: 5, createdAt: '1' }),
      'a time of a wrong type': JSON.stringify({ event: 'room_started', id: 'EV_5', room, createdAt: 'yesterday' }),
      'a time beyond all calendars': JSON.stringify({ event: 'room_started', id: 'EV_6', room, createdAt: '99999999999999999999' }),
      'bytes that are not UTF-8': Buffer.from([...Buffer.from('{"event":"'), 0xff, ...Buffer.from('"}')]),
      'deep nesting': `{"event":"room_started","x":${'['.repeat(5000)}${']'.repeat(5000)}}`,
    };

    it.each(Object.entries(malformed))('that is signed but has %s is ignored, and logged', async (name, body) => {
      const id = `malformed-${name.replaceAll(/[^a-z]/gi, '-')}`;
      const answer = await deliverBody(served.api, body, { 'x-request-id': id });
      expect({ status: answer.status, body: answer.body }).toEqual({ status: 200, body: { result: 'ignored' } });
      await until(() => served.service.linesOf(id).length > 0);
    });
  });
});

onEachDatabase('other signers of webhooks', (kind) => {
  const extra = { key: 'rotated', secret: 'rotated-secret-0123456789-0123456789-01' };
  const own = 'webhook-secret-0123456789-0123456789-01';
  const served = serve(kind, {
    LIVEKIT_WEBHOOK_SECRET: own,
    LIVEKIT_WEBHOOK_API_KEY: 'webhookkey',
    LIVEKIT_WEBHOOK_EXTRA_KEYS: `${extra.key}:${extra.secret},another:another-secret-0123456789-0123456789-01`,
  });

  it('are taken where they are configured, each with its own secret', async () => {
    const status = async (signing: { key?: string; secret?: string }) => {
      const body = JSON.stringify(events.started(roomOf('x')));
      return (await deliverBody(served.api, body, { authorization: await authorizationFor(body, signing) })).status;
    };
    expect(await status({ secret: own })).toBe(200);
    expect(await status({ key: 'webhookkey', secret: own })).toBe(200);
    expect(await status(extra)).toBe(200);
    expect(await status({})).toBe(401);
    expect(await status({ key: 'webhookkey', secret: extra.secret })).toBe(401);
    expect(await status({ key: extra.key, secret: own })).toBe(401);
    expect(await status({ key: 'another', secret: extra.secret })).toBe(401);
  });

  it('does not change with which secret tokens are signed', async () => {
    expect((await served.api.startCall({ caller_id: 'x' })).status).toBe(201);
    expect((await deliver(served.api, events.started(roomOf('x')))).status).toBe(401);
  });
});
