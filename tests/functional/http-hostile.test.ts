import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { answersIn, RawClient } from '../support/raw-client.ts';
import { secrets } from '../support/service.ts';
import { serve } from '../support/suite.ts';
import { until } from '../support/wait.ts';

const key = `X-API-Key: ${secrets.backendKey}\r\n`;
const json = 'Content-Type: application/json\r\n';
const next = 'GET /health HTTP/1.1\r\nHost: x\r\nX-Request-Id: smuggled\r\n\r\n';

describe('hostile clients', () => {
  const served = serve('sqlite', { CORS_ALLOW_ORIGINS: 'https://app.example' });

  const talk = async (bytes: string) => {
    const client = await RawClient.open(served.service.port);
    client.send(bytes);
    const { seen, ending } = await client.toEnd();
    client.close();
    return { answers: answersIn(seen), ending };
  };

  const get = (line: string, headers = 'Host: x\r\n') => `${line}\r\n${headers}\r\n`;
  const post = (headers: string, body: string) => `POST /calls HTTP/1.1\r\nHost: x\r\n${key}${json}${headers}\r\n${body}`;
  const chunked = (body: string) => post('Transfer-Encoding: chunked\r\n', body);

  const shapes: Record<string, string> = {
    'length and coding': post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    'coding and length': post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'),
    'equal lengths': post('Content-Length: 2\r\nContent-Length: 2\r\n', '{}'),
    'a list of lengths': post('Content-Length: 2, 2\r\n', '{}'),
    'a signed length': post('Content-Length: +2\r\n', '{}'),
    'a hexadecimal length': post('Content-Length: 0x2\r\n', '{}'),
    'an empty length': post('Content-Length:\r\n', '{}'),
    'identity': post('Transfer-Encoding: identity\r\n', '{}'),
    'chunked, gzip': post('Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n'),
    'gzip, chunked': post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'),
    'xchunked': post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'),
    'quoted chunked': post('Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n'),
    'chunked twice': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    'chunked behind a vertical tab': post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n'),
    'chunked in HTTP/1.0': `POST /calls HTTP/1.0\r\n${key}${json}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'a space before the colon': post('Content-Length : 2\r\n', '{}'),
    'a folded header': get('GET /health HTTP/1.1', 'Host: x\r\nX: a\r\n b\r\n'),
    'a header line with only LF': get('GET /health HTTP/1.1', 'Host: x\r\nX: a\nY: b\r\n'),
    'a CR in a value': get('GET /health HTTP/1.1', 'Host: x\r\nX: a\rb\r\n'),
    'NUL in a value': get('GET /health HTTP/1.1', 'Host: x\r\nX: a\0b\r\n'),
    'a header without a name': get('GET /health HTTP/1.1', 'Host: x\r\n: a\r\n'),
    'a chunk of negative size': chunked('-2\r\n{}\r\n0\r\n\r\n'),
    'a chunk size beyond 64 bits': chunked('10000000000000002\r\n{}\r\n0\r\n\r\n'),
    'a space behind a chunk size': chunked('2 \r\n{}\r\n0\r\n\r\n'),
    'a prefix of a chunk size': chunked('0x2\r\n{}\r\n0\r\n\r\n'),
    'no chunk size': chunked(';x\r\n{}\r\n0\r\n\r\n'),
    'chunks with only LF': chunked('2\n{}\n0\n\n'),
    'a chunk longer than its size': chunked('1\r\n{}\r\n0\r\n\r\n'),
    'a chunk extension of 10 kB': chunked(`2;a=${'x'.repeat(10_000)}\r\n{}\r\n0\r\n\r\n`),
    'a trailer without a colon': chunked('2\r\n{}\r\n0\r\nno colon\r\n\r\n'),
    'a trailer that is a length': chunked('2\r\n{}\r\n0\r\nContent-Length: 2\r\n\r\n'),
    'a trailer of 40 kB': chunked(`2\r\n{}\r\n0\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`),
    'no Host': get('GET /health HTTP/1.1', ''),
    'two Hosts': get('GET /health HTTP/1.1', 'Host: x\r\nHost: x\r\n'),
    'a Host that is none': get('GET /health HTTP/1.1', 'Host: a/b\r\n'),
    'HTTP/0.9': 'GET /health\r\n\r\n',
    'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'lower-case http': get('GET /health http/1.1'),
    'a fragment': get('GET /health#x HTTP/1.1'),
    'authority-form': get('GET x:80 HTTP/1.1'),
    'CONNECT': get('CONNECT x:80 HTTP/1.1'),
    'asterisk-form with GET': get('GET * HTTP/1.1'),
    'NUL in the target': get('GET /he\0alth HTTP/1.1'),
    'a tab for a space': get('GET\t/health HTTP/1.1'),
    'two spaces': get('GET  /health HTTP/1.1'),
  };

  it.each(Object.entries(shapes))('get one answer, 400, and no connection: %s', async (_name, text) => {
    const { answers, ending } = await talk(text + next);
    expect(answers.map(({ status }) => status)).toEqual([400]);
    expect(answers[0]?.headers).toMatchObject({ connection: 'close', 'content-type': 'application/problem+json' });
    expect(JSON.parse(answers[0]?.body ?? '')).toMatchObject({ code: 'malformed_request', status: 400 });
    expect(ending).toBe('closed');
  });

  const unusual: Record<string, [string, number]> = {
    'empty lines first': [`\r\n\r\n${get('GET /health HTTP/1.1')}`, 200],
    'absolute-form': [get('GET http://other.example/health?x HTTP/1.1'), 200],
    'OPTIONS *': [get('OPTIONS * HTTP/1.1'), 404],
    'OPTIONS without an origin': [get('OPTIONS /health HTTP/1.1'), 405],
    'TRACE': [get('TRACE /health HTTP/1.1'), 405],
    'a lower-case method': [get('get /health HTTP/1.1'), 405],
    'an upgrade to HTTP/2': [get('GET /health HTTP/1.1', 'Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n'), 200],
    'an upgrade to WebSocket': [get('GET /health HTTP/1.1', 'Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'), 200],
    'a doubled slash': [get('GET //health HTTP/1.1'), 404],
    'encoded dots': [get('GET /calls/%2e%2e/health HTTP/1.1'), 404],
    'dots': [get('GET /calls/../health HTTP/1.1'), 404],
    'an encoded slash': [get('GET %2Fhealth HTTP/1.1'), 400],
    'raw UTF-8': [get('GET /h\xc3\xa4 HTTP/1.1'), 404],
    'raw bytes that are not UTF-8': [get('GET /h\xff HTTP/1.1'), 400],
    'a long target': [get(`GET /${'x'.repeat(15_000)} HTTP/1.1`), 404],
    'a target beyond the limit': [get(`GET /${'x'.repeat(20_000)} HTTP/1.1`), 431],
    'Content-Encoding without a body': [get('GET /health HTTP/1.1', 'Host: x\r\nContent-Encoding: gzip\r\n'), 200],
    'an unknown expectation': [get('GET /health HTTP/1.1', 'Host: x\r\nExpect: wonders\r\n'), 200],
    'a length with zeros': [post('Content-Length: 00002\r\n', '{}'), 422],
    'a chunk size with zeros': [chunked('0002\r\n{}\r\n0\r\n\r\n'), 422],
    'a trailer': [chunked('2\r\n{}\r\n0\r\nX-Trailer: x\r\n\r\n'), 422],
  };

  it.each(Object.entries(unusual))('are answered where HTTP allows it: %s', async (_name, [text, status]) => {
    const { answers } = await talk(text.replace(' HTTP/1.1\r\n', ' HTTP/1.1\r\nConnection: close\r\n'));
    expect(answers.map((answer) => answer.status)).toEqual([status]);
    if (status >= 400) expect(JSON.parse(answers[0]?.body ?? '')).toMatchObject({ status });
  });

  it('see their request id and their origin even when their request is broken', async () => {
    const own = 'X-Request-Id: own-1\r\nOrigin: https://app.example\r\n';
    const broken: [string, number][] = [
      [get('GET /health HTTP/1.1', own), 400],
      [get('GET /health HTTP/1.1', `Host: x\r\n${own}no colon\r\n`), 400],
      [get('GET /health HTTP/1.1', `Host: x\r\n${own}X: ${'x'.repeat(20_000)}\r\n`), 431],
      [post(`${own}Transfer-Encoding: chunked\r\n`, 'zz\r\n\r\n'), 400],
      [post(`${own}Transfer-Encoding: chunked\r\n`, 'ffffff\r\n'), 413],
      [post(`${own}Content-Length: 65537\r\n`, ''), 413],
      [post(`${own}Content-Length: 2\r\nContent-Encoding: gzip\r\n`, '{}'), 415],
    ];
    for (const [text, status] of broken) {
      const { answers } = await talk(text);
      expect(answers.map((answer) => answer.status), text.slice(0, 300)).toEqual([status]);
      expect(answers[0]?.headers).toMatchObject({ 'x-request-id': 'own-1', 'access-control-allow-origin': 'https://app.example', vary: 'Origin' });
      const path = text.split(' ')[1];
      expect(JSON.parse(answers[0]?.body ?? '')).toMatchObject({ request_id: 'own-1', instance: path });
    }
    const lines = await until(() => served.service.linesOf('own-1').length >= broken.length && served.service.linesOf('own-1'));
    expect(lines.map((line) => line.status)).toEqual(broken.map(([, status]) => status));
  });

  it('may send their whole body before they read why it is refused', async () => {
    const client = await RawClient.open(served.service.port);
    client.send(post('Content-Length: 8000000\r\n', ''));
    expect(await client.sendAll(Buffer.alloc(8_000_000, 0x20))).toBe(true);
    const { seen, ending } = await client.toEnd();
    expect(answersIn(seen).map(({ status }) => status)).toEqual([413]);
    expect(ending).toBe('closed');
    client.close();
  });

  it('are not asked for a body that will be refused', async () => {
    const expecting = 'Expect: 100-continue\r\nContent-Length: 70000\r\n';
    const refused: [string, number][] = [
      [`POST /calls HTTP/1.1\r\nHost: x\r\n${json}${expecting}\r\n`, 401],
      [`POST /nothing HTTP/1.1\r\nHost: x\r\n${key}${json}${expecting}\r\n`, 404],
      [`POST /health HTTP/1.1\r\nHost: x\r\n${key}${json}${expecting}\r\n`, 405],
      [post(expecting, ''), 413],
      [`POST /calls HTTP/1.1\r\nHost: x\r\n${key}Content-Type: text/plain\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n`, 415],
    ];
    for (const [text, status] of refused) expect((await talk(text)).answers.map((answer) => answer.status)).toEqual([status]);
  });

  it('may send an empty body in chunks where all its members are optional', async () => {
    const { body: call } = await served.api.startCall({ caller_id: 'x' });
    const end = (type: string, body: string) => `POST /calls/${call.call_id}/end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${key}${type}Transfer-Encoding: chunked\r\n\r\n${body}`;
    expect((await talk(end('', '2\r\n{}\r\n0\r\n\r\n'))).answers.map(({ status }) => status)).toEqual([415]);
    expect((await talk(end('Content-Type: text/plain\r\n', '0\r\n\r\n'))).answers.map(({ status }) => status)).toEqual([415]);
    expect((await served.api.call(call.call_id)).body.status).toBe('active');
    expect((await talk(end('', '0\r\n\r\n'))).answers.map(({ status }) => status)).toEqual([200]);
    expect((await served.api.call(call.call_id)).body.status).toBe('ended');
  });

  it('get their answers in order, however many requests they send at once', async () => {
    const ids = Array.from({ length: 200 }, () => randomUUID());
    const paths = ['/health', '/nothing', `/calls/${randomUUID()}`];
    const requests = ids.map((id, i) => `${i % 2 ? 'GET' : 'HEAD'} ${paths[i % 3]} HTTP/1.1\r\nHost: x\r\n${key}X-Request-Id: ${id}\r\n${i === 199 ? 'Connection: close\r\n' : ''}\r\n`);
    const client = await RawClient.open(served.service.port);
    client.send(requests.join(''));
    const { seen } = await client.toEnd();
    const answers = answersIn(seen, ids.map((_, i) => i).filter((i) => i % 2 === 0));
    expect(answers.map(({ headers }) => headers['x-request-id'])).toEqual(ids);
    expect(answers.map(({ status }) => status)).toEqual(ids.map((_, i) => [200, 404, 404][i % 3]));
    client.close();
  });

  it('do nothing any more behind a request that closes the connection', async () => {
    const last = get('GET /health HTTP/1.1', 'Host: x\r\nConnection: close\r\n');
    const { answers } = await talk(last + next);
    expect(answers.map(({ status }) => status)).toEqual([200]);
    expect(served.service.linesOf('smuggled')).toEqual([]);
  });

  it('get the same headers by HEAD as by GET, and no body', async () => {
    for (const path of ['/health', '/nothing', '/calls/not-a-uuid']) {
      const ask = (method: string) => talk(`${method} ${path} HTTP/1.1\r\nHost: x\r\n${key}X-Request-Id: head\r\nConnection: close\r\n\r\n`);
      const whole = (await ask('GET')).answers[0];
      const client = await RawClient.open(served.service.port);
      client.send(`HEAD ${path} HTTP/1.1\r\nHost: x\r\n${key}X-Request-Id: head\r\nConnection: close\r\n\r\n`);
      const head = answersIn((await client.toEnd()).seen, [0])[0];
      client.close();
      const { date: _one, ...expected } = whole?.headers ?? {};
      const { date: _other, ...found } = head?.headers ?? {};
      expect(found).toEqual(expected);
      expect(Number(head?.headers['content-length'])).toBe(Buffer.byteLength(whole?.body ?? ''));
    }
  });

  it('learn no version, and every answer is dated, typed and kept by nobody', async () => {
    for (const path of ['/health', '/nothing', `/calls/${randomUUID()}`]) {
      const { headers } = await served.api.get(path);
      expect(headers.server).toBe('call-service');
      expect(Math.abs(Date.parse(String(headers.date)) - Date.now())).toBeLessThan(60_000);
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['cache-control']).toBe('no-store');
    }
  });

  it('count the body in bytes, not in characters', async () => {
    const { body: call } = await served.api.startCall({ caller_id: 'ユーザー🙂', metadata: { 'ä': 'ö' } });
    const { answers } = await talk(`GET /calls/${call.call_id} HTTP/1.1\r\nHost: x\r\n${key}Connection: close\r\n\r\n`);
    expect(JSON.parse(answers[0]?.body ?? '')).toMatchObject({ caller_id: 'ユーザー🙂', metadata: { 'ä': 'ö' } });
  });
});
