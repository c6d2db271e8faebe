import { expect, it } from 'vitest';
import { onEachDatabase, serve } from '../support/suite.ts';

const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type' };

onEachDatabase('CORS', (kind) => {
  const listed = serve(kind, { CORS_ALLOW_ORIGINS: 'https://app.example,https://other.example' });

  it('answers the preflight of a listed origin without a credential', async () => {
    const headers = { origin: 'https://app.example', ...preflight };
    const answer = await listed.api.request('OPTIONS', '/calls', { as: null, headers });
    expect([200, 204]).toContain(answer.status);
    expect(answer.headers['access-control-allow-origin']).toBe('https://app.example');
    expect(answer.headers['access-control-allow-methods']).toContain('POST');
    expect(String(answer.headers['access-control-allow-headers']).toLowerCase()).toContain('authorization');
    expect(String(answer.headers['access-control-allow-headers']).toLowerCase()).toContain('content-type');
    expect(answer.headers.vary?.toLowerCase()).toContain('origin');
  });

  it('answers preflights on every path, so that a page can read what the path itself answers', async () => {
    const headers = { origin: 'https://app.example', ...preflight };
    const known: [string, string][] = [
      ['/calls', 'POST'],
      ['/calls/not-a-uuid', 'GET, HEAD'],
      ['/calls/x/join/y', 'POST'],
      ['/health', 'GET, HEAD'],
      ['/webhooks/livekit', 'POST'],
    ];
    for (const [path, methods] of known) {
      const answer = await listed.api.request('OPTIONS', path, { as: null, headers });
      expect(answer.status, path).toBe(204);
      for (const method of methods.split(', ')) expect(answer.headers['access-control-allow-methods']).toContain(method);
    }
    for (const path of ['/nothing', '/calls/x/y/z/z', '/%ff']) {
      const answer = await listed.api.request('OPTIONS', path, { as: null, headers });
      expect(answer.status, path).toBe(204);
      expect(answer.headers).toMatchObject({ 'access-control-allow-origin': 'https://app.example', 'access-control-allow-methods': expect.stringContaining('POST') });
    }
  });

  it('allows and exposes the headers that the service knows', async () => {
    const headers = { origin: 'https://app.example', ...preflight };
    const asked = await listed.api.request('OPTIONS', '/calls', { as: null, headers });
    const allowed = String(asked.headers['access-control-allow-headers']).toLowerCase().split(/ *, */);
    expect(allowed).toEqual(expect.arrayContaining(['authorization', 'x-api-key', 'content-type', 'x-request-id', 'traceparent']));
    expect(Number(asked.headers['access-control-max-age'])).toBeGreaterThan(0);
    const answer = await listed.api.get('/health', { headers: { origin: 'https://app.example' } });
    const exposed = String(answer.headers['access-control-expose-headers']).toLowerCase().split(/ *, */);
    expect(exposed).toEqual(expect.arrayContaining(['x-request-id', 'location', 'retry-after']));
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
  });

  it('tells caches that answers differ, also without an origin', async () => {
    for (const headers of [{}, { origin: 'https://app.example' }, { origin: 'https://evil.example' }]) {
      expect((await listed.api.get('/health', { headers })).headers.vary).toBe('Origin');
    }
  });

  it('is no preflight without what makes one', async () => {
    const origin = 'https://app.example';
    expect((await listed.api.request('OPTIONS', '/calls', { as: null, headers: { origin } })).status).toBe(405);
    expect((await listed.api.request('OPTIONS', '/calls', { as: null, headers: preflight })).status).toBe(405);
    expect((await listed.api.request('OPTIONS', '/nothing', { as: null, headers: { origin } })).status).toBe(404);
  });

  it('is on answers and on errors', async () => {
    const headers = { origin: 'https://other.example' };
    const answers = [
      await listed.api.startCall({ caller_id: 'x' }, { headers }),
      await listed.api.startCall({}, { headers }),
      await listed.api.startCall({}, { headers, as: null }),
      await listed.api.get('/nothing', { headers }),
      await listed.api.get('/calls/x/end', { headers }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([201, 422, 401, 404, 405]);
    for (const answer of answers) {
      expect(answer.headers['access-control-allow-origin']).toBe('https://other.example');
      expect(String(answer.headers['access-control-expose-headers']).toLowerCase()).toContain('x-request-id');
    }
  });

  it('is not there for other origins', async () => {
    for (const origin of ['https://evil.example', 'https://app.example.evil', 'http://app.example', 'null', 'https://app.example:8443', 'https://APP.example', 'https://app.example/', '*', '']) {
      const headers = { origin, ...preflight };
      expect((await listed.api.get('/health', { headers })).headers['access-control-allow-origin']).toBeUndefined();
      const answer = await listed.api.request('OPTIONS', '/calls', { as: null, headers });
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    }
  });
});

onEachDatabase('CORS for every origin', (kind) => {
  const served = serve(kind, { CORS_ALLOW_ORIGINS: '*' });

  it('allows any, without cookies', async () => {
    const { headers } = await served.api.get('/health', { headers: { origin: 'https://anything.example' } });
    expect(headers['access-control-allow-origin']).toBe('*');
    expect(headers['access-control-allow-credentials']).toBeUndefined();
  });

  it('is on answers to requests without an origin, because caches give them to everybody', async () => {
    const { headers } = await served.api.get('/health');
    expect(headers).toMatchObject({ 'access-control-allow-origin': '*' });
    expect(headers.vary).toBeUndefined();
  });

  it('answers the preflight of a page that has no origin', async () => {
    const answer = await served.api.request('OPTIONS', '/calls', { as: null, headers: { origin: 'null', ...preflight } });
    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({ 'access-control-allow-origin': '*', 'access-control-allow-methods': expect.stringContaining('POST') });
  });
});

onEachDatabase('CORS, not configured', (kind) => {
  const served = serve(kind);

  it('sends no header', async () => {
    const { headers } = await served.api.get('/health', { headers: { origin: 'https://app.example' } });
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });
});
