import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDatabase } from '../support/database.ts';
import { claimsOf } from '../support/jwt.ts';
import { run, Running } from '../support/process.ts';
import { binary, environmentFor, runService } from '../support/service.ts';
import { until } from '../support/wait.ts';

const anywhere = 'sqlite:////tmp/never-made.db';
const call = (...args: string[]) => runService(args, anywhere);

async function withFile<T>(content: string, body: (path: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'call-service-env-'));
  await writeFile(join(directory, 'settings.env'), content);
  return body(join(directory, 'settings.env')).finally(() => rm(directory, { recursive: true }));
}

describe('the command line', () => {
  it('tells its version and its libraries\'', async () => {
    const { code, stdout } = await call('version');
    expect(code).toBe(0);
    for (const line of [/^call-service \d+\.\d+\.\d+$/m, /^libpq \d+\.\d+$/m, /^SQLite 3\./m, /^OpenSSL 3\./m, /^Boost 1\./m]) expect(stdout).toMatch(line);
    const flag = await call('--version');
    expect([flag.code, flag.stdout.trim()]).toEqual([0, stdout.split('\n')[0]]);
  });

  it.each([[['unknown']], [['serve', '--unknown']], [['serve', 'more']], [[]], [['migrate']], [['token']], [['config', '--format', 'xml']]])(
    'refuses %j with exit status 2 and where to find help',
    async (args) => {
      const { code, stdout, stderr } = await call(...args);
      expect(code, stdout + stderr).toBe(2);
      expect(stderr).toContain('--help');
      for (const word of args.filter((each) => each === 'unknown' || each === '--unknown' || each === 'xml')) expect(stderr).toContain(word);
    },
  );

  it.each(['serve', 'migrate', 'token', 'doctor', 'config', 'version'])('%s --help says what it does', async (command) => {
    const { code, stdout } = await call(command, '--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: call-service/m);
    expect((await call('--help')).stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  });

  it('has every command on its man page', async () => {
    const page = await readFile(new URL('../../packaging/debian/call-service.1', import.meta.url), 'utf8');
    const commandsOf = async (...args: string[]) => [...(await call(...args, '--help')).stdout.split('Subcommands:')[1]!.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name!);
    const [all, migrations] = [await commandsOf(), await commandsOf('migrate')];
    expect([all.length, migrations.length]).toEqual([7, 7]);
    // `.B migrate one \fR|\fB two`: words in bold.
    const lines = page.split('\n').filter((line) => line.startsWith('.B '));
    const bold = (line: string) => line.slice(3).replace(/\\fI[^\\]*/g, '').replace(/\\f.|[[\]|]/g, ' ').split(/ +/);
    expect(all.filter((name) => !lines.some((line) => bold(line)[0] === name))).toEqual([]);
    const ofMigrate = lines.filter((line) => bold(line)[0] === 'migrate').flatMap(bold);
    expect(migrations.filter((name) => !ofMigrate.includes(name))).toEqual([]);
  });

  it('takes settings from a file, which go before the environment', async () => {
    const secret = 'a secret with spaces, #signs and = too';
    await withFile(`# comment\n\n  ; comment\nAUTH_JWT_SECRET = "${secret}"\nAUTH_JWT_ISSUER='login'\nDATABASE_URL=\n`, async (file) => {
      const { code, stdout, stderr } = await call('token', '--user', 'me', '--env-file', file);
      expect(code, stderr).toBe(0);
      expect(claimsOf(stdout.trim())).toMatchObject({ sub: 'me', iss: 'login' });
      const before = await call('--env-file', file, 'token', '--user', 'me');
      expect(before.code, before.stderr).toBe(0);
      const ours = await runService(['token', '--user', 'me'], anywhere, { AUTH_JWT_SECRET: secret, AUTH_JWT_ISSUER: 'login' });
      expect(ours.stdout.split('.')[0]).toBe(stdout.split('.')[0]);
    });
  });

  it('tells where a file of settings is broken, and never what it says', async () => {
    await withFile('GOOD=x\nhidden-value\n', async (file) => {
      const { code, stderr } = await call('doctor', '--env-file', file);
      expect(code).toBe(2);
      expect(stderr).toContain(`${file}:2`);
      expect(stderr).not.toContain('hidden');
    });
    const missing = await call('doctor', '--env-file', '/nowhere/x.env');
    expect([missing.code, missing.stderr.includes('/nowhere/x.env')]).toEqual([2, true]);
  });

  it('prints the reference that docs/ has', async () => {
    const { stdout } = await call('config', '--format', 'markdown');
    expect(await readFile(new URL('../../docs/reference/configuration.md', import.meta.url), 'utf8')).toBe(stdout);
  });

  it('prints a file of settings that changes nothing until it is filled in', async () => {
    const { stdout } = await call('config', '--format', 'env');
    expect(stdout).toMatch(/^#LIVEKIT_API_SECRET=$/m);
    expect(stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([]);
    const all = stdout.replaceAll(/^#([A-Z_]+=)/gm, '$1');
    const required = `${all}\nLIVEKIT_API_KEY=k\nLIVEKIT_API_SECRET=${'x1y2z3w4'.repeat(4)}\nAUTH_JWT_SECRET=${'y1x2z3w4'.repeat(4)}\nPORT=1\nDATABASE_URL=sqlite:////nowhere/x.db\n`;
    await withFile(required, async (file) => {
      const finished = await run(binary, ['doctor', '--env-file', file], { env: { PATH: process.env.PATH }, cwd: '/tmp' });
      expect(finished.stdout).toMatch(/^ok +configuration/m);
    });
  });
});

describe('stopping', () => {
  it('is cut short by a second signal', async () => {
    const database = await createDatabase('sqlite');
    const service = new Running(binary, ['serve'], { env: environmentFor(database.url), cwd: '/tmp' });
    const port = await until(() => /"event":"listening".*?"port":(\d+)/.exec(service.stdout)?.[1]);
    const slow = connect({ host: '127.0.0.1', port: Number(port) });
    slow.on('error', () => undefined);
    slow.write('POST /calls HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n' +
      `X-API-Key: ${environmentFor('').AUTH_API_KEYS?.split(/[:,]/)[1]}\r\nContent-Length: 10\r\n\r\n`);
    await new Promise((resolve) => slow.once('data', resolve));
    service.signal('SIGTERM');
    await until(() => service.stdout.includes('"event":"stopping"'));
    // The first is answered within 10 s at most; the second may come before it is seen.
    await until(() => (service.signal('SIGTERM'), !service.isRunning), { timeout: 5_000, interval: 100, what: 'the service ends' });
    expect((await service.finished()).signal).toBe('SIGTERM');
    slow.destroy();
    await database.remove();
  });
});
