import { expect, it, describe } from 'vitest';
import { runService, secrets, type Environment } from '../support/service.ts';
import { createDatabase } from '../support/database.ts';
import { claimsOf } from '../support/jwt.ts';
import { SqliteDatabase } from '../support/database.ts';

const short = 'too-short-secret';

const wrong: Record<string, [Environment, string[]]> = {
  'nothing at all': [
    { LIVEKIT_API_KEY: undefined, LIVEKIT_API_SECRET: undefined, AUTH_API_KEYS: undefined, AUTH_JWT_SECRET: undefined, AUTH_JWT_SECRET_PREVIOUS: undefined },
    ['LIVEKIT_API_KEY', 'LIVEKIT_API_SECRET', 'AUTH_API_KEYS'],
  ],
  'an empty value as none': [{ LIVEKIT_API_SECRET: '' }, ['LIVEKIT_API_SECRET']],
  'short secrets': [
    { LIVEKIT_API_SECRET: short, AUTH_JWT_SECRET: `${short}2`, AUTH_JWT_SECRET_PREVIOUS: `${short}3`, AUTH_API_KEYS: `a:${short}` },
    ['LIVEKIT_API_SECRET', 'AUTH_JWT_SECRET', 'AUTH_JWT_SECRET_PREVIOUS', 'AUTH_API_KEYS'],
  ],
  'a key without a name': [{ AUTH_API_KEYS: secrets.backendKey }, ['AUTH_API_KEYS']],
  'a user secret that is LiveKit\'s': [{ AUTH_JWT_SECRET: secrets.livekitSecret }, ['AUTH_JWT_SECRET']],
  'a user secret that is the webhook\'s': [
    { LIVEKIT_WEBHOOK_SECRET: 'w'.repeat(40), AUTH_JWT_SECRET: 'w'.repeat(40) },
    ['AUTH_JWT_SECRET'],
  ],
  'times out of range': [
    { LIVEKIT_TOKEN_TTL_SECONDS: '9', ROOM_DEPARTURE_TIMEOUT_SECONDS: '-1' },
    ['LIVEKIT_TOKEN_TTL_SECONDS', 'ROOM_DEPARTURE_TIMEOUT_SECONDS'],
  ],
  'a lifetime beyond a day': [{ LIVEKIT_TOKEN_TTL_SECONDS: '86401' }, ['LIVEKIT_TOKEN_TTL_SECONDS']],
  'numbers that are none': [{ PORT: 'http', WORKERS: '0', CALL_NEVER_JOINED_TIMEOUT_SECONDS: '1.5' }, ['PORT', 'WORKERS', 'CALL_NEVER_JOINED_TIMEOUT_SECONDS']],
  'a port beyond 65535': [{ PORT: '70000' }, ['PORT']],
  'an unknown level and format': [{ LOG_LEVEL: 'loud', LOG_FORMAT: 'xml' }, ['LOG_LEVEL', 'LOG_FORMAT']],
  'a truth that is none': [{ MIGRATE_ON_START: 'perhaps' }, ['MIGRATE_ON_START']],
  'URLs that are none': [{ LIVEKIT_URL: 'ftp://x', LIVEKIT_PUBLIC_URL: 'nonsense' }, ['LIVEKIT_URL', 'LIVEKIT_PUBLIC_URL']],
  'an origin that is none': [{ CORS_ALLOW_ORIGINS: 'app.example' }, ['CORS_ALLOW_ORIGINS']],
  'extra keys without a secret': [{ LIVEKIT_WEBHOOK_EXTRA_KEYS: 'only-a-key' }, ['LIVEKIT_WEBHOOK_EXTRA_KEYS']],
};

describe('configuration', () => {
  it.each(Object.entries(wrong))('refuses %s with exit status 2, naming every variable', async (_name, [changes, named]) => {
    const { code, stderr, stdout } = await runService(['serve'], 'sqlite:////tmp/never-made.db', changes);
    expect(code, stdout + stderr).toBe(2);
    const lines = stderr.split('\n').filter(Boolean);
    for (const variable of named) expect(lines.some((line) => line.includes(variable)), `${variable} in:\n${stderr}`).toBe(true);
    const values = Object.values(changes).filter((value) => value !== undefined && value.length >= short.length) as string[];
    for (const secret of [...values.filter((value) => !value.includes('://')), ...Object.values(secrets)]) {
      if (secret.length > 10) expect(stderr.includes(secret), 'a secret on stderr').toBe(false);
    }
  });

  it('tells all faults at once, a line each', async () => {
    const changes = { PORT: 'x', LOG_LEVEL: 'y', LIVEKIT_API_KEY: undefined, AUTH_JWT_SECRET: short, DATABASE_URL: 'mysql://x/y' };
    const { code, stderr } = await runService(['serve'], 'ignored', changes);
    expect(code).toBe(2);
    for (const variable of Object.keys(changes)) {
      expect(stderr.split('\n').filter((line) => line.includes(variable)).length, variable).toBeGreaterThanOrEqual(1);
    }
  });

  it('gives each wrong entry of a list a line of its own', async () => {
    const changes = { AUTH_API_KEYS: `a:${short},${secrets.backendKey},b:${short}`, LIVEKIT_WEBHOOK_EXTRA_KEYS: `c:${short},:${secrets.otherKey}` };
    const { code, stderr } = await runService(['serve'], 'sqlite:////tmp/never-made.db', changes);
    expect(code).toBe(2);
    const told = stderr.split('\n').filter(Boolean).map((line) => /(\w+): entry (\d)/.exec(line)?.slice(1).join(' '));
    expect(told).toEqual(['LIVEKIT_WEBHOOK_EXTRA_KEYS 1', 'LIVEKIT_WEBHOOK_EXTRA_KEYS 2', 'AUTH_API_KEYS 1', 'AUTH_API_KEYS 2', 'AUTH_API_KEYS 3']);
  });

  it('refuses a port that is taken, and says which', async () => {
    const { createServer } = await import('node:net');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const database = await createDatabase('sqlite');
    const { code, stderr, stdout } = await runService(['serve'], database.url, { PORT: String(port) });
    expect(code).not.toBe(0);
    expect(stderr + stdout).toContain(String(port));
    server.close();
    await database.remove();
  });

  it('is listed by serve --help, with every variable', async () => {
    const { code, stdout } = await runService(['serve', '--help'], 'sqlite:////tmp/never-made.db');
    expect(code).toBe(0);
    for (const variable of ['DATABASE_URL', 'LIVEKIT_API_KEY', 'LIVEKIT_TOKEN_TTL_SECONDS', 'AUTH_API_KEYS', 'CORS_ALLOW_ORIGINS', 'MIGRATE_ON_START']) {
      expect(stdout).toContain(variable);
    }
  });

  it('has commands, and refuses others', async () => {
    const unknown = await runService(['unknown'], 'sqlite:////tmp/never-made.db');
    expect(unknown.code).not.toBe(0);
    const version = await runService(['version'], 'sqlite:////tmp/never-made.db');
    expect(version.code).toBe(0);
    expect(version.stdout).toMatch(/\d+\.\d+/);
  });

  it('prints a user token that the service takes', async () => {
    const { code, stdout } = await runService(['token', '--user', 'me', '--ttl', '60'], 'sqlite:////tmp/never-made.db');
    expect(code).toBe(0);
    expect(stdout.trim().split('.')).toHaveLength(3);
  });

  it('prints a user token with no more configuration than its secret', async () => {
    const none = { LIVEKIT_API_KEY: undefined, LIVEKIT_API_SECRET: undefined, AUTH_API_KEYS: undefined };
    const { code, stdout, stderr } = await runService(['token', '--user', 'me'], 'nonsense', { ...none, AUTH_JWT_ISSUER: 'login' });
    expect(code, stderr).toBe(0);
    expect(claimsOf(stdout.trim())).toMatchObject({ sub: 'me', iss: 'login' });
    const without = await runService(['token', '--user', 'me'], 'nonsense', { ...none, AUTH_JWT_SECRET: undefined });
    expect(without.code).toBe(2);
    expect(without.stderr).toContain('AUTH_JWT_SECRET');
  });

  it.each(['hun%zzter', 'hun%00ter', 'hun@ter', 'hun/ter', '1/hunter'])('never tells the password %s of a broken URL', async (password) => {
    const { code, stdout, stderr } = await runService(['migrate', 'current'], `postgresql://user:${password}@127.0.0.1:1/calls`);
    expect(code, stderr).toBe(2);
    expect(stderr).toContain('DATABASE_URL');
    expect(stdout + stderr).not.toMatch(/hun|ter@|zz/);
  });

  it('refuses a database file in a folder that is not there', async () => {
    const database = await SqliteDatabase.create();
    const { code, stderr } = await runService(['serve'], `sqlite:///${database.directory}/nowhere/calls.db`);
    expect(code).not.toBe(0);
    expect(stderr).toContain('nowhere');
    await database.remove();
  });
});
