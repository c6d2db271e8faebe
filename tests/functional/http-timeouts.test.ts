import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.ts';
import { secrets } from '../support/service.ts';
import { serve } from '../support/suite.ts';
import { until } from '../support/wait.ts';

describe.concurrent('a client that is slow', { timeout: 120_000 }, () => {
  const served = serve('sqlite');

  /** Sends a part of a request and never the rest; how long the service kept the connection, and what it said. */
  function sendPart(part: string): Promise<{ after: number; seen: string }> {
    return new Promise((resolve, reject) => {
      const begun = Date.now();
      let seen = '';
      const socket = connect({ host: '127.0.0.1', port: served.service.port }, () => socket.write(part));
      socket.on('data', (chunk) => (seen += chunk.toString('latin1')));
      socket.on('error', (error) => (seen === '' && Date.now() - begun < 1_000 ? reject(error) : undefined));
      socket.on('close', () => resolve({ after: Date.now() - begun, seen }));
    });
  }

  it('has 10 seconds for its header', async () => {
    const { after, seen } = await sendPart('GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    expect(after).toBeGreaterThan(9_000);
    expect(after).toBeLessThan(15_000);
    expect(seen).not.toContain('200');
  });

  it('has 30 seconds for its body', async () => {
    const head = `POST /calls HTTP/1.1\r\nHost: x\r\nX-API-Key: ${secrets.backendKey}\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n`;
    const { after, seen } = await sendPart(`${head}{"caller_id`);
    expect(after).toBeGreaterThan(28_000);
    expect(after).toBeLessThan(38_000);
    expect(seen).not.toContain('201');
  });

  it('has 10 seconds for its header also when it sends it byte by byte', async () => {
    const client = await RawClient.open(served.service.port);
    const begun = Date.now();
    client.send('G');
    const trickle = setInterval(() => client.send('x'), 500);
    const { seen } = await client.toEnd(20_000);
    clearInterval(trickle);
    expect(Date.now() - begun).toBeGreaterThan(9_000);
    expect(seen).toBe('');
    client.close();
  });

  it('has 75 seconds between two requests', async () => {
    const client = await RawClient.open(served.service.port);
    client.send('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.until((seen) => seen.includes('"ok"'), 'an answer');
    const begun = Date.now();
    expect((await client.toEnd(90_000)).ending).toBe('closed');
    expect(Date.now() - begun).toBeGreaterThan(73_000);
    client.close();
  });

  it('is given up when it does not read its answers, and keeps no more than one of them', async () => {
    const client = await RawClient.open(served.service.port);
    client.pause();
    const one = `GET /nothing HTTP/1.1\r\nHost: x\r\nX-Request-Id: unread\r\n\r\n`;
    const taken = client.sendAll(one.repeat(200_000));
    const given = await until(() => served.service.linesOf('unread').find((line) => line.sent === false), {
      timeout: 90_000,
      what: 'the service gives the client up',
    });
    expect(given.status).toBe(404);
    expect(served.service.linesOf('unread').length).toBeLessThan(200_000);
    client.close();
    await taken;
  });

  it('does not keep others waiting', async () => {
    const slow = connect({ host: '127.0.0.1', port: served.service.port }, () => slow.write('GET /hea'));
    for (let index = 0; index < 20; index += 1) expect((await served.api.get('/health')).status).toBe(200);
    slow.destroy();
  });
});
