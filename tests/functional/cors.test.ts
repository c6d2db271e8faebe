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
    for (const origin of ['https://evil.example', 'https://app.example.evil', 'http://app.example', 'null', 'https://app.example:8443']) {
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
});

onEachDatabase('CORS, not configured', (kind) => {
  const served = serve(kind);

  it('sends no header', async () => {
    const { headers } = await served.api.get('/health', { headers: { origin: 'https://app.example' } });
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });
});
