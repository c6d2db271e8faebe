import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, type JsonWebKey } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { algorithms, IdentityProvider, Signer, type Algorithm } from '../support/identity-provider.ts';
import { nowSeconds, signJwt } from '../support/jwt.ts';
import { secrets, userToken } from '../support/service.ts';
import { expectProblem, serve } from '../support/suite.ts';
import { until } from '../support/wait.ts';

const issuer = 'https://login.example';
const claims = { iss: issuer, aud: 'calls' };

/** Signs exactly this header and payload, as texts. */
function signRaw(header: string, payload: string, key: Parameters<typeof sign>[2]): string {
  const input = `${Buffer.from(header).toString('base64url')}.${Buffer.from(payload).toString('base64url')}`;
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
}

describe('user tokens by a JWK set', () => {
  const signers = {} as Record<Algorithm, Signer>;
  let provider: IdentityProvider;
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const raw = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const shared = 'shared-by-jwks-0123456789-0123456789-012';

  beforeAll(async () => {
    for (const algorithm of algorithms) signers[algorithm] = await Signer.make(algorithm, `kid-${algorithm}`);
    provider = await IdentityProvider.start(signers.RS256, signers.ES256, signers.EdDSA);
    provider.keys.push(
      { ...weak.publicKey.export({ format: 'jwk' }), kty: 'RSA', kid: 'weak' },
      { kty: 'oct', k: Buffer.from(shared).toString('base64url'), kid: 'shared' },
      { ...raw.publicKey.export({ format: 'jwk' }), kty: 'RSA', kid: 'raw' },
    );
  });
  const served = serve('sqlite', () => ({ AUTH_JWKS_URL: provider.url, AUTH_JWT_ISSUER: issuer, AUTH_JWT_AUDIENCE: 'calls' }));

  const start = (as: string) => served.api.startCall({}, { as });

  it.each(algorithms)('are accepted by %s', async (algorithm) => {
    const answer = await start(await signers[algorithm].token({ ...claims, sub: `user-${algorithm}`, name: 'Zoë' }));
    expect(answer.status, answer.text).toBe(201);
    expect(answer.body.caller_id).toBe(`user-${algorithm}`);
    const details = await served.api.call(answer.body.call_id);
    expect(details.body.sessions[0]?.name).toBe('Zoë');
  });

  it('are accepted beside HS256 and service keys', async () => {
    expect((await start(userToken('user', claims))).status).toBe(201);
    expect((await start(userToken('user', claims, secrets.previousJwtSecret))).status).toBe(201);
    expect((await served.api.startCall({ caller_id: 'user' })).status).toBe(201);
  });

  it('have 30 s of leeway, and aud may be a list', async () => {
    for (const more of [{ exp: nowSeconds() - 15 }, { nbf: nowSeconds() + 15 }, { aud: ['other', 'calls'] }]) {
      expect((await start(await signers.ES256.token({ ...claims, ...more }))).status, JSON.stringify(more)).toBe(201);
    }
  });

  it('need no kid where exactly one key fits', async () => {
    expect((await start(await signers.ES256.token(claims, { kid: undefined }))).status).toBe(201);
    expect((await start(await signers.EdDSA.token(claims, { kid: undefined }))).status).toBe(201);
    expectProblem(await start(await signers.RS256.token(claims, { kid: undefined })), 401, 'unauthorized');
  });

  const pem = (signer: Signer) => createPublicKey({ key: signer.jwk as JsonWebKey, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  const der = (signer: Signer) => createPublicKey({ key: signer.jwk as JsonWebKey, format: 'jwk' }).export({ type: 'spki', format: 'der' });
  const body = { ...claims, sub: 'user', exp: nowSeconds() + 600 };
  const hmac = (secret: string | Buffer, kid: string) => signJwt(body, secret as string, { alg: 'HS256', kid });
  const rawBody = JSON.stringify(body);
  // The right key's signature, but in ASN.1 as other formats have it.
  const derSigned = async (): Promise<string> => {
    const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', signers.ES256.privateKey));
    const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
    return signRaw('{"alg":"ES256","kid":"kid-ES256"}', rawBody, key);
  };

  const refused: Record<string, () => string | Promise<string>> = {
    'another issuer': () => signers.RS256.token({ ...claims, iss: 'https://evil.example' }),
    'no issuer': () => signers.RS256.token({ aud: 'calls' }),
    'another audience': () => signers.EdDSA.token({ ...claims, aud: 'mail' }),
    'an expired token': () => signers.EdDSA.token({ ...claims, exp: nowSeconds() - 40 }),
    'no exp': () => signers.EdDSA.token({ ...claims, exp: undefined }),
    'a token of tomorrow': () => signers.EdDSA.token({ ...claims, nbf: nowSeconds() + 40 }),
    'no sub': () => signers.EdDSA.token({ ...claims, sub: undefined }),
    'a sub that is no user id': () => signers.EdDSA.token({ ...claims, sub: '..' }),
    'an ES256 signature in ASN.1': derSigned,
    'a kid of another algorithm': () => signers.RS256.token(claims, { kid: 'kid-ES256' }),
    'alg none with a known kid': () => signJwt(body, '', { alg: 'none', kid: 'kid-RS256' }),
    'a PEM of a public key as HMAC secret': () => hmac(pem(signers.RS256), 'kid-RS256'),
    'a DER of a public key as HMAC secret': () => hmac(der(signers.ES256), 'kid-ES256'),
    'a JWK as HMAC secret': () => hmac(JSON.stringify(signers.RS256.jwk), 'kid-RS256'),
    'a modulus as HMAC secret': () => hmac(Buffer.from(signers.RS256.jwk.n ?? '', 'base64url'), 'kid-RS256'),
    'an oct key of the set': () => hmac(shared, 'shared'),
    'an RSA key of 1024 bits': () => signRaw('{"alg":"RS256","kid":"weak"}', rawBody, weak.privateKey),
    'crit': () => signRaw('{"alg":"RS256","kid":"raw","crit":["exp"],"exp":1}', rawBody, raw.privateKey),
    'a header that names alg twice': () => signRaw('{"alg":"none","alg":"RS256","kid":"raw"}', rawBody, raw.privateKey),
    'a payload that names sub twice': () => signRaw('{"alg":"RS256","kid":"raw"}', rawBody.replace('{', '{"sub":"admin",'), raw.privateKey),
    'a kid that is no text': () => signRaw('{"alg":"RS256","kid":7}', rawBody, raw.privateKey),
  };

  it.each(Object.entries(refused))('are refused for %s', async (_name, make) => {
    expectProblem(await start(await make()), 401, 'unauthorized');
  });

  it('and the raw key that the refused ones are signed with is good by itself', async () => {
    expect((await start(signRaw('{"alg":"RS256","kid":"raw"}', rawBody, raw.privateKey))).status).toBe(201);
  });

  it('never make the service follow jku, jwk, x5u or x5c', async () => {
    const evil = await Signer.make('RS256', 'kid-RS256');
    const header = { jku: `http://127.0.0.1:${provider.port}/evil`, x5u: `http://127.0.0.1:${provider.port}/evil`, jwk: evil.jwk };
    expectProblem(await start(await evil.token(claims, header)), 401, 'unauthorized');
    expect((await start(await signers.RS256.token(claims, header))).status).toBe(201);
    expect(provider.strayRequests).toBe(0);
  });

  it('are refused with the cause in the log only', async () => {
    const as = await signers.RS256.token(claims, { kid: 'kid-ES256' });
    const answer = await served.api.get('/calls/x', { as, headers: { 'x-request-id': 'mixed-up' } });
    expect(answer.text).not.toMatch(/algorithm/i);
    const line = await until(() => served.service.linesOf('mixed-up').find(({ status }) => status === 401));
    expect(line.cause).toMatch(/algorithm/);
  });

  it('have the keys that are not used named in the log', () => {
    const reasons = served.service.logs.filter(({ event }) => event === 'jwks_key_not_used').map(({ reason }) => String(reason));
    expect(reasons.join('\n')).toMatch(/key weak: .*2048[^]*key shared: .*kty/);
  });

  it('show their keys in /ready', async () => {
    const { status, body: ready } = await served.api.get('/ready');
    expect(status).toBe(200);
    expect(ready.checks.jwks).toMatchObject({ status: 'ok', keys: 4, last_error: null });
    expect(Date.now() - Date.parse(ready.checks.jwks.fetched_at)).toBeLessThan(60_000);
  });
});

describe('without a JWK set', () => {
  const served = serve('sqlite');

  it('/ready does not speak of one, and its algorithms are refused', async () => {
    expect((await served.api.get('/ready')).body.checks).not.toHaveProperty('jwks');
    for (const algorithm of algorithms) {
      const as = await (await Signer.make(algorithm, 'kid')).token();
      expectProblem(await served.api.startCall({}, { as }), 401, 'unauthorized');
    }
  });
});
