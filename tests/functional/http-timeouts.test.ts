import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { secrets } from '../support/service.ts';
import { serve } from '../support/suite.ts';

describe.concurrent('a client that is slow', { timeout: 60_000 }, () => {
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

  it('does not keep others waiting', async () => {
    const slow = connect({ host: '127.0.0.1', port: served.service.port }, () => slow.write('GET /hea'));
    for (let index = 0; index < 20; index += 1) expect((await served.api.get('/health')).status).toBe(200);
    slow.destroy();
  });
});
