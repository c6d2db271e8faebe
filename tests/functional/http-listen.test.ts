import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createDatabase, type Database } from '../support/database.ts';
import { freePort, Running } from '../support/process.ts';
import { RawClient } from '../support/raw-client.ts';
import { binary, environmentFor, runService, Service } from '../support/service.ts';
import { until } from '../support/wait.ts';

const health = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';

async function expectHealthy(port: number, host?: string): Promise<void> {
  const client = await RawClient.open(port, host);
  client.send(health);
  await client.until((seen) => seen.includes('"ok"'), 'an answer');
  client.close();
}

async function withDatabase(use: (database: Database) => Promise<void>): Promise<void> {
  const database = await createDatabase('sqlite');
  try {
    await use(database);
  } finally {
    await database.remove();
  }
}

describe('listening', () => {
  it.each([
    ['::1', ['::1']],
    ['::', ['::1', '127.0.0.1']],
    ['0.0.0.0', ['127.0.0.1']],
    ['localhost', ['localhost']],
  ])('on %s', (host, reached) =>
    withDatabase(async (database) => {
      const service = await Service.start(database, { HOST: host });
      for (const each of reached) await expectHealthy(service.port, each);
      await service.stop();
    }),
  );

  it('on a port that is taken is refused with exit status 2 and the remedy', () =>
    withDatabase(async (database) => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as { port: number };
      for (const WORKERS of ['1', '3']) {
        const { code, stderr } = await runService(['serve'], database.url, { PORT: String(port), WORKERS });
        expect(code, stderr).toBe(2);
        expect(stderr).toMatch(new RegExp(`127\\.0\\.0\\.1:${port}.*PORT`));
      }
      server.close();
    }));

  it.each(['no.such.host.invalid', '192.0.2.1'])('on %s is refused with exit status 2, too', (host) =>
    withDatabase(async (database) => {
      const { code, stderr } = await runService(['serve'], database.url, { HOST: host, PORT: String(await freePort()) });
      expect(code, stderr).toBe(2);
      expect(stderr).toContain(host);
      expect(stderr).toContain('HOST');
    }));

  // Not under sanitizers: that for undefined behaviour opens a pipe to look at an object, and calls it broken if it cannot.
  const sanitized = /\/(asan|tsan)\//.test(binary);
  if (!sanitized) it('goes on when no more connections can be opened, and accepts again when some are closed', () =>
    withDatabase(async (database) => {
      const port = await freePort();
      const limited = new Running('bash', ['-c', `ulimit -n 80 && exec ${binary} serve`], { env: environmentFor(database.url, { PORT: String(port), WORKERS: '1' }) });
      await until(() => limited.stdout.includes('"listening"'), { timeout: 30_000 });
      const first = await RawClient.open(port);
      first.send(health);
      await first.until((seen) => seen.includes('"ok"'), 'an answer');
      const many = await Promise.all(Array.from({ length: 120 }, () => RawClient.open(port)));
      await until(() => limited.stdout.includes('cannot_accept_connections'));
      first.send(health);
      await first.until((seen) => seen.split('"ok"').length === 3, 'an answer while no connection can be opened');
      for (const client of many) client.close();
      await expectHealthy(port);
      expect(limited.stdout.split('cannot_accept_connections').length).toBeLessThan(20);
      first.close();
      limited.signal('SIGTERM');
      expect((await limited.finished()).code).toBe(0);
    }));

  it('serves with 2,000 idle connections', () =>
    withDatabase(async (database) => {
      const service = await Service.start(database);
      const idle: RawClient[] = [];
      for (let i = 0; i < 20; i += 1) idle.push(...(await Promise.all(Array.from({ length: 100 }, () => RawClient.open(service.port)))));
      for (const client of idle) client.send(health);
      for (const client of idle) await client.until((seen) => seen.includes('"ok"'), 'an answer');
      await expectHealthy(service.port);
      await service.stop();
      for (const client of idle) expect((await client.toEnd()).ending).toBe('closed');
      for (const client of idle) client.close();
    }));
});
