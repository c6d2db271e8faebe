import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseRaw, rawExchange } from '../support/api.ts';
import { secrets } from '../support/service.ts';
import { expectFaults, expectProblem, onEachDatabase, serve } from '../support/suite.ts';

onEachDatabase('HTTP', (kind) => {
  const served = serve(kind);
  const raw = async (text: string | Buffer) => parseRaw(await rawExchange(served.service.port, text));
  const key = `X-API-Key: ${secrets.backendKey}\r\n`;

  describe('routes', () => {
    it('are unknown for other paths', async () => {
      const unknown = ['/', '/call', '/calls/', '/calls//end', `/calls/${randomUUID()}/`, `/calls/${randomUUID()}/join`, '//calls', '/CALLS', '/webhooks', '/health/x'];
      for (const path of unknown) expectProblem(await served.api.post(path, {}), 404, 'route_not_found');
    });

    it('say which methods they have', async () => {
      const id = randomUUID();
      const cases: [string, string, string[]][] = [
        ['GET', `/calls/${id}/end`, ['POST']],
        ['GET', `/calls/${id}/join/bob`, ['POST']],
        ['DELETE', `/calls/${id}/leave/bob`, ['POST']],
        ['POST', `/calls/${id}`, ['GET', 'HEAD']],
        ['GET', '/webhooks/livekit', ['POST']],
        ['POST', '/health', ['GET', 'HEAD']],
        ['PUT', '/ready', ['GET', 'HEAD']],
        ['PATCH', '/calls', ['POST']],
      ];
      for (const [method, path, methods] of cases) {
        const answer = await served.api.request(method, path);
        expectProblem(answer, 405, 'method_not_allowed');
        const allow = String(answer.headers.allow).split(/ *, */);
        expect(allow, path).toEqual(expect.arrayContaining(methods));
        expect(allow).not.toContain(method);
      }
    });

    it('ignore the query where they take none', async () => {
      expect((await served.api.get('/health?x=1')).status).toBe(200);
    });

    it('name the path in the problem', async () => {
      const path = `/calls/${randomUUID()}`;
      expect((await served.api.get(`${path}?x=1`)).body.instance).toBe(path);
    });
  });

  describe('user ids in paths', () => {
    const ids = ['a/b', 'ä ö', '100%', 'a+b', 'ユーザー', '🙂', '...', 'a?b#c', '%2F', 'x'.repeat(128), 'é'.repeat(128)];

    it.each(ids)('are percent-encoded: %s', async (user) => {
      const { body: call } = await served.api.startCall({ caller_id: 'x' });
      const answer = await served.api.join(call.call_id, user);
      expect(answer.status, answer.text).toBe(200);
      expect(answer.body.user_id).toBe(user);
      expect((await served.api.leave(call.call_id, user)).body.user_id).toBe(user);
    });

    it('may have more encoded than needed', async () => {
      const { body: call } = await served.api.startCall({ caller_id: 'x' });
      const answer = await served.api.post(`/calls/${call.call_id}/join/%62%6f%62`);
      expect(answer.body.user_id).toBe('bob');
    });

    it('are refused where they are no user ids', async () => {
      const { body: call } = await served.api.startCall({ caller_id: 'x' });
      const join = (encoded: string) => served.api.post(`/calls/${call.call_id}/join/${encoded}`);
      for (const encoded of ['.', '..', '%2e', '%2E%2E', 'a%00b', 'a%0a', '%20a', 'a%20', '%C2%A0a']) {
        expectFaults(await join(encoded), { '?user_id': 'format' });
      }
      expectFaults(await join('x'.repeat(129)), { '?user_id': 'length' });
    });

    it('are malformed with broken encoding or without UTF-8', async () => {
      const { body: call } = await served.api.startCall({ caller_id: 'x' });
      for (const encoded of ['%', '%2', '%zz', 'a%', '%ff', '%C0%AF', '%ED%A0%80']) {
        expectProblem(await served.api.post(`/calls/${call.call_id}/join/${encoded}`), 400, 'malformed_request');
      }
    });
  });

  describe('X-Request-Id', () => {
    it('is the request\'s own where it is a good one', async () => {
      for (const id of ['a', 'My.Request_id-7', 'x'.repeat(64)]) {
        expect((await served.api.get('/health', { headers: { 'x-request-id': id } })).headers['x-request-id']).toBe(id);
      }
    });

    it('is a new one where it is none', async () => {
      const seen = new Set<unknown>();
      for (const headers of [{}, { 'x-request-id': 'with space' }, { 'x-request-id': 'x'.repeat(65) }, { 'x-request-id': 'a"b' }, { 'x-request-id': '' }]) {
        const id = (await served.api.get('/health', { headers })).headers['x-request-id'];
        expect(id).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
        seen.add(id);
      }
      expect(seen.size).toBe(5);
    });

    it('is on errors and on malformed requests too', async () => {
      const answer = await served.api.get('/nothing', { headers: { 'x-request-id': 'err-1' } });
      expect(answer.body.request_id).toBe('err-1');
      expect((await raw('NONSENSE\r\n\r\n')).headers['x-request-id']).toMatch(/^[A-Za-z0-9._-]+$/);
    });
  });

  describe('broken requests', () => {
    const get = (line: string, headers = 'Host: x\r\n') => `${line}\r\n${headers}\r\n`;
    const broken: Record<string, string> = {
      'no HTTP': 'NONSENSE\r\n\r\n',
      'TLS': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
      'an unknown version': get('GET /health HTTP/7.1'),
      'a broken header': get('GET /health HTTP/1.1', 'Host: x\r\nno colon here\r\n'),
      'a space before a colon': get('GET /health HTTP/1.1', 'Host: x\r\nBad : x\r\n'),
      'two lengths that differ': get('POST /calls HTTP/1.1', `Host: x\r\n${'Content-Length: 2\r\nContent-Length: 3\r\n'}`) + '{}',
      'a length that is no number': get('POST /calls HTTP/1.1', 'Host: x\r\nContent-Length: two\r\n'),
      'a negative length': get('POST /calls HTTP/1.1', 'Host: x\r\nContent-Length: -2\r\n'),
    };

    it.each(Object.entries(broken))('are answered 400: %s', async (_name, text) => {
      const answer = await raw(Buffer.from(text, 'latin1'));
      expectProblem(answer, 400, 'malformed_request');
    });

    it('with a chunk of a broken length are answered 400', async () => {
      const text = `POST /calls HTTP/1.1\r\nHost: x\r\n${key}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`;
      expectProblem(await raw(text), 400, 'malformed_request');
    });

    it('never let one request smuggle another', async () => {
      const smuggled = `GET /health HTTP/1.1\r\nHost: x\r\n\r\n`;
      const text = `POST /calls HTTP/1.1\r\nHost: x\r\n${key}Content-Type: application/json\r\nContent-Length: ${smuggled.length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`;
      const seen = await rawExchange(served.service.port, text);
      expect(seen).toMatch(/^HTTP\/1.1 4/);
      expect(seen).not.toContain('"ok"');
    });

    it('with headers beyond 16 KiB are answered 431', async () => {
      const answer = await raw(get('GET /health HTTP/1.1', `Host: x\r\nX-Long: ${'x'.repeat(17 * 1024)}\r\n`));
      expectProblem(answer, 431, 'headers_too_large');
      expect((await raw(get('GET /health HTTP/1.1', `Host: x\r\nX-Long: ${'x'.repeat(14 * 1024)}\r\n`))).status).toBe(200);
    });

    it('are refused by Content-Length before the body is sent', async () => {
      const head = `POST /calls HTTP/1.1\r\nHost: x\r\n${key}Content-Type: application/json\r\nContent-Length: 104857600\r\n\r\n`;
      expectProblem(await raw(head), 413, 'body_too_large');
    });

    it('do not harm the next ones', async () => {
      expect((await served.api.get('/health')).body).toMatchObject({ status: 'ok' });
    });
  });

  describe('connections', () => {
    it('serve several requests in one packet, in order', async () => {
      const one = (id: string) => `GET /health HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${id}\r\n\r\n`;
      const isDone = (seen: string) => seen.split('"ok"').length === 4;
      const seen = await rawExchange(served.service.port, one('first') + one('second') + one('third'), isDone);
      expect([...seen.matchAll(/x-request-id: (\w+)/gi)].map((match) => match[1])).toEqual(['first', 'second', 'third']);
    });

    it('are closed when the client asks for it, and by HTTP/1.0', async () => {
      const untilClosed = () => false;
      const seen = await rawExchange(served.service.port, 'GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', untilClosed);
      expect(seen).toContain('"ok"');
      const old = await rawExchange(served.service.port, 'GET /health HTTP/1.0\r\n\r\n', untilClosed);
      expect(old).toMatch(/^HTTP\/1.[01] 200/);
    });

    it('that ask to be told get 100 before the body', async () => {
      const body = '{"caller_id":"x"}';
      const head = `POST /calls HTTP/1.1\r\nHost: x\r\n${key}Content-Type: application/json\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`;
      const seen = await rawExchange(served.service.port, head, (text) => text.startsWith('HTTP/1.1 100'));
      expect(seen).toMatch(/^HTTP\/1.1 100/);
    });
  });
});
