import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { expect, it } from 'vitest';
import { rawExchange, parseRaw, type Options } from '../support/api.ts';
import { nowSeconds, signJwt } from '../support/jwt.ts';
import { secrets, userToken } from '../support/service.ts';
import { expectProblem, onEachDatabase, serve } from '../support/suite.ts';
import { until } from '../support/wait.ts';
import { authorizationFor } from '../support/webhooks.ts';

const later = (): number => nowSeconds() + 600;
const claims = (more: object = {}): object => ({ sub: 'user', exp: later(), ...more });

function rs256(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const input = [{ alg: 'RS256', typ: 'JWT' }, claims()].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`;
}

function withRawPayload(payload: string): string {
  const input = `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.${Buffer.from(payload).toString('base64url')}`;
  return `${input}.${createHmac('sha256', secrets.jwtSecret).update(input).digest('base64url')}`;
}

const flipped = (token: string): string => token.slice(0, -6) + (token.at(-6) === 'A' ? 'B' : 'A') + token.slice(-5);

const refused: Record<string, () => Options | Promise<Options>> = {
  'no credential': () => ({ as: null }),
  'an empty bearer': () => ({ as: null, headers: { authorization: 'Bearer ' } }),
  'another scheme': () => ({ as: null, headers: { authorization: `Basic ${secrets.backendKey}` } }),
  'a key without its scheme': () => ({ as: null, headers: { authorization: secrets.backendKey } }),
  'an unknown key': () => ({ as: 'unknown-key-0123456789-0123456789-0123456789' }),
  'the beginning of a key': () => ({ as: secrets.backendKey.slice(0, -1) }),
  'a key and more': () => ({ as: `${secrets.backendKey}0` }),
  'the name of a key': () => ({ as: 'backend' }),
  'a name with its key': () => ({ as: `backend:${secrets.backendKey}` }),
  'an unknown X-API-Key': () => ({ as: null, headers: { 'x-api-key': 'unknown' } }),
  'two keys that differ': () => ({ headers: { 'x-api-key': secrets.otherKey } }),
  'a user token as X-API-Key': () => ({ as: null, headers: { 'x-api-key': userToken('user') } }),
  'a user token and a key': () => ({ as: userToken('user'), headers: { 'x-api-key': secrets.backendKey } }),
  'a token signed with another secret': () => ({ as: signJwt(claims(), 'another-secret-0123456789-0123456789-0123') }),
  'a token with a changed signature': () => ({ as: flipped(userToken('user')) }),
  'a token without a signature': () => ({ as: userToken('user').replace(/[^.]*$/, '') }),
  'a token of two parts': () => ({ as: userToken('user').replace(/\.[^.]*$/, '') }),
  'an expired token': () => ({ as: userToken('user', { exp: nowSeconds() - 40 }) }),
  'a token without exp': () => ({ as: signJwt({ sub: 'user' }, secrets.jwtSecret) }),
  'a token whose exp is text': () => ({ as: userToken('user', { exp: String(later()) }) }),
  'a token without sub': () => ({ as: signJwt({ exp: later() }, secrets.jwtSecret) }),
  'a token whose sub is a number': () => ({ as: signJwt({ sub: 7, exp: later() }, secrets.jwtSecret) }),
  'a token with an empty sub': () => ({ as: userToken('') }),
  'a token whose sub is no user id': () => ({ as: userToken('..') }),
  'a token whose sub is too long': () => ({ as: userToken('x'.repeat(129)) }),
  'a token that is not valid yet': () => ({ as: userToken('user', { nbf: nowSeconds() + 40 }) }),
  'alg none': () => ({ as: signJwt(claims(), '', { alg: 'none' }) }),
  'alg HS512': () => ({ as: signJwt(claims(), secrets.jwtSecret, { alg: 'HS512' }) }),
  'alg RS256': () => ({ as: rs256() }),
  'an unknown crit': () => ({ as: signJwt(claims(), secrets.jwtSecret, { alg: 'HS256', crit: ['b64'], b64: false }) }),
  'claims that are no object': () => ({ as: withRawPayload('[]') }),
  'claims that are no JSON': () => ({ as: withRawPayload('{"sub":') }),
  'a LiveKit token': async () => ({ as: await authorizationFor('') }),
};

onEachDatabase('credentials', (kind) => {
  const served = serve(kind);

  it.each(Object.entries(refused))('refuses %s', async (_name, make) => {
    const problem = expectProblem(await served.api.post('/calls', { caller_id: 'user' }, await make()), 401, 'unauthorized');
    const reference = await served.api.get(`/calls/not-a-uuid`, { as: null });
    expect(reference.headers['www-authenticate']).toMatch(/^Bearer/);
    expect(problem.detail).toBe(reference.body.detail);
  });

  it('logs the cause that it does not tell', async () => {
    const refusal = (as: string, id: string) => served.api.get('/calls/x', { as, headers: { 'x-request-id': id } });
    const expired = await refusal(userToken('user', { exp: nowSeconds() - 4000 }), 'refused-1');
    const unsigned = await refusal(flipped(userToken('user')), 'refused-2');
    expect(expired.body.detail).toBe(unsigned.body.detail);
    const logged = async (id: string) => JSON.stringify(await until(() => served.service.linesOf(id).find(({ status }) => status === 401)));
    expect(await logged('refused-1')).toMatch(/expired/i);
    expect(await logged('refused-2')).toMatch(/signature/i);
  });

  it('accepts a service key as bearer, as X-API-Key, and as both', async () => {
    const both = { 'x-api-key': secrets.backendKey };
    expect((await served.api.startCall({ caller_id: 'user' })).status).toBe(201);
    expect((await served.api.startCall({ caller_id: 'user' }, { as: null, headers: both })).status).toBe(201);
    expect((await served.api.startCall({ caller_id: 'user' }, { headers: both })).status).toBe(201);
    expect((await served.api.startCall({ caller_id: 'user' }, { as: null, headers: { authorization: `bearer ${secrets.otherKey}` } })).status).toBe(201);
  });

  it('refuses a credential that is given twice', async () => {
    const authorization = `Authorization: Bearer ${secrets.backendKey}\r\n`;
    const seen = await rawExchange(served.service.port, `GET /calls/x HTTP/1.1\r\nHost: x\r\n${authorization}${authorization}\r\n`);
    expect([400, 401]).toContain(parseRaw(seen).status);
  });

  it('accepts user tokens by the current and the previous secret, with 30 s of leeway', async () => {
    const tokens = [
      userToken('user'),
      userToken('user', {}, secrets.previousJwtSecret),
      userToken('user', { exp: nowSeconds() - 15 }),
      userToken('user', { nbf: nowSeconds() + 15 }),
      userToken('user', { iss: 'anybody', aud: 'anything', jku: 'https://evil.example' }),
      signJwt(claims(), secrets.jwtSecret, { alg: 'HS256', kid: 'unknown', jku: 'https://evil.example' }),
      userToken('ユーザー/1'),
    ];
    for (const as of tokens) expect((await served.api.startCall({}, { as })).status, as).toBe(201);
  });

  it('does not open the webhook to keys and tokens, nor the API to webhook signatures', async () => {
    for (const as of [secrets.backendKey, userToken('user'), null]) {
      expectProblem(await served.api.post('/webhooks/livekit', {}, { as }), 401, 'webhook_unauthorized');
    }
    expectProblem(await served.api.startCall({ caller_id: 'x' }, { as: await authorizationFor('{}') }), 401, 'unauthorized');
  });

  it('asks nobody at /health and /ready', async () => {
    for (const as of [null, 'wrong']) {
      expect((await served.api.get('/health', { as })).status).toBe(200);
      expect((await served.api.get('/ready', { as })).status).toBe(200);
    }
  });

  it('comes after the route and before body and content', async () => {
    expectProblem(await served.api.get('/nothing', { as: null }), 404, 'route_not_found');
    expectProblem(await served.api.get('/calls/x/end', { as: null }), 405, 'method_not_allowed');
    expectProblem(await served.api.post('/calls', '{broken', { as: null }), 401, 'unauthorized');
    expectProblem(await served.api.post('/calls', 'x', { as: null, headers: { 'content-type': 'text/plain' } }), 401, 'unauthorized');
    expectProblem(await served.api.get('/calls/not-a-uuid', { as: null }), 401, 'unauthorized');
  });
});

onEachDatabase('issuer and audience', (kind) => {
  const served = serve(kind, { AUTH_JWT_ISSUER: 'https://login.example', AUTH_JWT_AUDIENCE: 'calls', AUTH_API_KEYS: undefined });

  it('are required where they are configured', async () => {
    const right = { iss: 'https://login.example', aud: 'calls' };
    const status = async (more: object) => (await served.api.startCall({}, { as: userToken('user', more as Record<string, unknown>) })).status;
    expect(await status(right)).toBe(201);
    expect(await status({ ...right, aud: ['other', 'calls'] })).toBe(201);
    expect(await status({ ...right, iss: 'https://login.example/' })).toBe(401);
    expect(await status({ ...right, aud: 'other' })).toBe(401);
    expect(await status({ ...right, aud: ['other'] })).toBe(401);
    expect(await status({ iss: right.iss })).toBe(401);
    expect(await status({ aud: right.aud })).toBe(401);
  });

  it('leave no service key where none is configured', async () => {
    expectProblem(await served.api.startCall({ caller_id: 'x' }), 401, 'unauthorized');
  });
});
