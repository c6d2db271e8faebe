import { randomBytes } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Api } from '../support/api.ts';
import { createDatabase, SqliteDatabase, type Database } from '../support/database.ts';
import { FakeLiveKit } from '../support/fake-livekit.ts';
import { LiveKit } from '../support/livekit.ts';
import { freePort, type Finished } from '../support/process.ts';
import { runService, secrets, Service, type Environment } from '../support/service.ts';
import { deliver, authorizationFor, deliverBody, events, roomOf } from '../support/webhooks.ts';

const strong = (): string => randomBytes(24).toString('base64url');

/** Nothing to complain of but what a test changes; no replica migrates. */
const sound = { MIGRATE_ON_START: undefined, AUTH_JWT_SECRET_PREVIOUS: undefined, AUTH_API_KEYS: `backend:${strong()}`, AUTH_JWT_SECRET: strong() };

async function doctor(databaseUrl: string, changes: Environment = {}): Promise<Finished> {
  const port = changes.PORT ?? String(await freePort());
  const finished = await runService(['doctor'], databaseUrl, { ...sound, ...changes, PORT: port });
  const password = /:\/\/[^:/]*:([^@/]+)@/.exec(databaseUrl)?.[1];
  for (const secret of [secrets.livekitSecret, changes.AUTH_JWT_SECRET, changes.LIVEKIT_API_SECRET, password]) {
    if (secret) expect(finished.stdout.includes(secret), 'a secret is told').toBe(false);
  }
  return finished;
}

/** The findings of an area: one line each. */
const told = ({ stdout }: Finished, area: string): string[] => stdout.split('\n').filter((line) => line.slice(8).startsWith(`${area}: `));

function expectProblem(finished: Finished, area: string, ...words: (string | RegExp)[]): void {
  expect(finished.code, finished.stdout + finished.stderr).toBe(1);
  const problems = told(finished, area).filter((line) => line.startsWith('problem '));
  expect(problems, finished.stdout).toHaveLength(1);
  for (const word of words) expect(problems[0]).toMatch(word);
}

const asRole = (database: Database, role: string, password: string): string =>
  database.url.replace('postgres@', `${role}:${password}@`);

describe('doctor', () => {
  let database: Database;
  let livekit: LiveKit;

  beforeAll(async () => {
    database = await createDatabase('postgresql');
    await runService(['migrate', 'upgrade'], database.url);
    livekit = await LiveKit.start();
  });
  afterAll(async () => {
    await livekit?.kill();
    await database?.remove();
  });

  const withLiveKit = (changes: Environment = {}): Environment => ({ LIVEKIT_URL: livekit.url, ...changes });

  it('finds nothing where all is well, and exits 0', async () => {
    const service = await Service.start(database, { ...sound, LIVEKIT_URL: livekit.url });
    const finished = await doctor(database.url, withLiveKit({ PORT: String(service.port) }));
    expect(finished.code, finished.stdout).toBe(0);
    expect(finished.stdout).not.toMatch(/^problem/m);
    for (const area of ['configuration', 'database', 'schema', 'livekit', 'service', 'webhooks']) {
      expect(told(finished, area).filter((line) => line.startsWith('ok ')), `${area} in\n${finished.stdout}`).not.toHaveLength(0);
    }
    await service.stop();
  });

  it('is well with SQLite, before and after the first start', async () => {
    const sqlite = await SqliteDatabase.create();
    const before = await doctor(sqlite.url, withLiveKit());
    expect(before.code, before.stdout).toBe(0);
    expect(told(before, 'database').join()).toMatch(/^warning .*not there yet/);
    await runService(['migrate', 'upgrade'], sqlite.url);
    const after = await doctor(sqlite.url, withLiveKit());
    expect(after.code, after.stdout).toBe(0);
    expect(told(after, 'database').join()).toMatch(/^ok/);
  });

  describe('configuration', () => {
    it('tells every fault, checks what can be checked, and exits 2', async () => {
      const finished = await doctor('mysql://nowhere/x', withLiveKit({ LOG_LEVEL: 'loud', AUTH_JWT_SECRET: 'short' }));
      expect(finished.code, finished.stdout).toBe(2);
      for (const name of ['DATABASE_URL', 'LOG_LEVEL', 'AUTH_JWT_SECRET']) expect(finished.stdout).toMatch(new RegExp(`^problem configuration: ${name}: `, 'm'));
      expect(told(finished, 'database')).toEqual([]);
      expect(told(finished, 'livekit').join()).toMatch(/^ok/);
    });

    it.each([
      ['LiveKit\'s development key', {}, /LIVEKIT_API_KEY: .*development/],
      ['a repeated character', { AUTH_JWT_SECRET: 'a'.repeat(40) }, /AUTH_JWT_SECRET: .*openssl rand/],
      ['a repeated piece', { AUTH_JWT_SECRET: 'q7Rt0ZpLm2'.repeat(4) }, /AUTH_JWT_SECRET: .*openssl rand/],
      ['an example\'s key', { AUTH_API_KEYS: 'a:change-me-change-me-change-me-now-1' }, /AUTH_API_KEYS: .*openssl rand/],
      ['the alphabet', { LIVEKIT_WEBHOOK_SECRET: '0123456789abcdefghijklmnopqrstuv' }, /LIVEKIT_WEBHOOK_SECRET: .*openssl rand/],
      ['an address of this machine for clients elsewhere', { HOST: '0.0.0.0', LIVEKIT_PUBLIC_URL: 'ws://127.0.0.1:7880' }, /LIVEKIT_PUBLIC_URL: .*own address/],
      ['unencrypted media signalling', { LIVEKIT_PUBLIC_URL: 'ws://livekit.example.com' }, /LIVEKIT_PUBLIC_URL: .*wss/],
      ['a container\'s name for browsers', { LIVEKIT_PUBLIC_URL: 'wss://livekit' }, /LIVEKIT_PUBLIC_URL: .*look up/],
      ['migrations by every replica', { MIGRATE_ON_START: 'true' }, /MIGRATE_ON_START: .*migrate upgrade/],
    ])('warns of %s', async (_name, changes, text) => {
      const finished = await doctor(database.url, withLiveKit(changes));
      expect(finished.code, finished.stdout).toBe(0);
      expect(told(finished, 'configuration').filter((line) => line.startsWith('warning ')).join('\n')).toMatch(text);
    });
  });

  describe('database', () => {
    it.each([
      ['nobody listens', () => `postgresql://app:pass-word-1@127.0.0.1:1/calls`, [/refused/, /Start PostgreSQL/]],
      ['the host is unknown', () => 'postgresql://app:pass-word-1@db.invalid/calls', [/db\.invalid/, /host in DATABASE_URL/]],
      ['the database is not there', () => database.url.replace(/[^/]*$/, 'nowhere'), [/nowhere/, /CREATE DATABASE/]],
      ['the role is not there', () => asRole(database, 'nobody_here', 'pass-word-1'), [/nobody_here/, /CREATE ROLE/]],
    ])('%s', async (_name, url, words) => {
      expectProblem(await doctor(url(), withLiveKit()), 'database', ...words);
    });

    it('the password is wrong', async () => {
      // The cluster of the tests trusts everybody, so the refusal is said by a server that speaks just this.
      const text = 'SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user "app"\0\0';
      const refusal = Buffer.concat([Buffer.from('E'), Buffer.from([0, 0, 0, text.length + 4]), Buffer.from(text)]);
      const server = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.on('data', (bytes) => (bytes.readUInt32BE(4) === 80_877_103 ? socket.write('N') : socket.end(refusal)));
      });
      const port = await listen(server);
      expectProblem(await doctor(`postgresql://app:pass-word-1@127.0.0.1:${port}/calls`, withLiveKit()), 'database', /password authentication failed/, /Correct user and password/);
      server.close();
    });

    it('does not answer: it is left after 5 s', async () => {
      const sockets = new Set<{ destroy(): void }>();
      const server = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
      const port = await listen(server);
      const finished = await doctor(`postgresql://app@127.0.0.1:${port}/calls?connect_timeout=600`, withLiveKit());
      expectProblem(finished, 'database', /no answer within 5 s/);
      for (const socket of sockets) socket.destroy();
      server.close();
    });

    it('the role may not write', async () => {
      const role = `reader_${randomBytes(4).toString('hex')}`;
      await database.execute(`create role ${role} login; grant usage, create on schema public to ${role}; grant select on all tables in schema public to ${role}`);
      expectProblem(await doctor(asRole(database, role, 'pass-word-1'), withLiveKit()), 'database', /calls/, /sessions/, new RegExp(`GRANT SELECT, INSERT.*"${role}"`));
      await database.execute(`drop owned by ${role}; drop role ${role}`);
    });

    it('the role may not make tables', async () => {
      const empty = await createDatabase('postgresql');
      const role = `guest_${randomBytes(4).toString('hex')}`;
      await empty.execute(`revoke create on schema public from public; create role ${role} login`);
      expectProblem(await doctor(asRole(empty, role, 'pass-word-1'), withLiveKit()), 'database', new RegExp(`GRANT USAGE, CREATE ON SCHEMA "public" TO "${role}"`));
      expectProblem(await doctor(asRole(empty, role, 'pass-word-1'), withLiveKit({ DATABASE_SCHEMA: 'calls' })), 'database', /CREATE SCHEMA "calls"/);
      await empty.execute(`drop role ${role}`);
      await empty.remove();
    });

    it('the clock is off', async () => {
      await database.execute(`create schema off; create function off.clock_timestamp() returns timestamptz language sql as 'select pg_catalog.clock_timestamp() - interval ''90 seconds'''`);
      const options = '?options=-csearch_path%3Doff,pg_catalog';
      expectProblem(await doctor(database.url + options, withLiveKit()), 'database', /(89|90|91) s behind/, /chrony/);
      await database.execute('drop schema off cascade');
    });

    it('the folder of a SQLite file is not there', async () => {
      expectProblem(await doctor('sqlite:////tmp/nowhere-at-all/calls.db', withLiveKit()), 'database', /nowhere-at-all/, /DATABASE_URL/);
    });

    it('a SQLite file is no database', async () => {
      const sqlite = await SqliteDatabase.create();
      await writeFile(sqlite.file, 'something else altogether, long enough to have a header of its own'.repeat(20));
      await chmod(sqlite.file, 0o644);
      const finished = await doctor(sqlite.url, withLiveKit());
      expect(finished.code).toBe(1);
      expect(finished.stdout).toMatch(/^problem (database|schema): .*not a database/m);
    });
  });

  describe('schema', () => {
    it('is missing', async () => {
      const empty = await createDatabase('postgresql');
      expectProblem(await doctor(empty.url, withLiveKit()), 'schema', /migrate upgrade/);
      await empty.remove();
    });

    it('is old', async () => {
      const old = await createDatabase('postgresql');
      await runService(['migrate', 'upgrade', '0001'], old.url);
      expectProblem(await doctor(old.url, withLiveKit()), 'schema', /not up to date/, /migrate upgrade/);
      await old.remove();
    });

    it('is somebody else\'s', async () => {
      const foreign = await createDatabase('postgresql');
      await foreign.execute('create table calls (id int)');
      expectProblem(await doctor(foreign.url, withLiveKit()), 'schema', /calls/, /DATABASE_SCHEMA/);
      await foreign.remove();
    });

    it('is newer', async () => {
      const newer = await createDatabase('postgresql');
      await runService(['migrate', 'upgrade'], newer.url);
      const add = (revision: string): Promise<void> => newer.execute(`insert into call_service_migrations (revision, name, applied_at) values ('${revision}', 'x', now())`);
      await add('9998');
      const byOne = await doctor(newer.url, withLiveKit());
      expect(byOne.code, byOne.stdout).toBe(0);
      expect(told(byOne, 'schema').join()).toMatch(/^warning .*newer/);
      await add('9999');
      expectProblem(await doctor(newer.url, withLiveKit()), 'schema', /newer/);
      await newer.remove();
    });
  });

  describe('LiveKit', () => {
    const key = { LIVEKIT_API_KEY: 'another-key' };
    it.each([
      ['refuses connections', () => ({ LIVEKIT_URL: 'ws://127.0.0.1:1' }), [/refused/, /Start LiveKit/]],
      ['has an unknown host', () => ({ LIVEKIT_URL: 'wss://livekit.invalid' }), [/livekit\.invalid/, /host in LIVEKIT_URL/]],
      ['speaks no TLS', () => withLiveKit({ LIVEKIT_URL: livekit.url.replace('ws:', 'wss:') }), [/TLS/, /ws:\/\//]],
      ['has no such key', () => withLiveKit(key), [/does not know LIVEKIT_API_KEY/, /`keys`/]],
      ['has another secret', () => withLiveKit({ LIVEKIT_API_SECRET: strong() }), [/another secret/, /LIVEKIT_API_SECRET/]],
      ['has another path', () => withLiveKit({ LIVEKIT_URL: `${livekit.url}/elsewhere` }), [/not what LiveKit/, /\/twirp/]],
    ])('%s', async (_name, changes, words) => {
      expectProblem(await doctor(database.url, changes()), 'livekit', ...words);
    });

    it('does not answer', async () => {
      const fake = await FakeLiveKit.start();
      fake.behaviour = 'hang';
      expectProblem(await doctor(database.url, { LIVEKIT_URL: fake.url }), 'livekit', /timed out/, /LiveKit's log/);
      fake.behaviour = 'unavailable';
      expectProblem(await doctor(database.url, { LIVEKIT_URL: fake.url }), 'livekit', /HTTP 503/);
      await fake.stop();
    });

    it.each([[200, 'ok'], [404, 'not found'], [401, 'who are you?']])('is another web server (%s)', async (status, body) => {
      const other = http.createServer((_request, response) => void response.writeHead(status).end(body));
      const port = await listen(other);
      expectProblem(await doctor(database.url, { LIVEKIT_URL: `http://127.0.0.1:${port}` }), 'livekit', /not what LiveKit/, /LIVEKIT_URL/);
      other.close();
    });

    it.each([[-95, /9\d s behind/], [95, /9\d s ahead/]])('has a clock that is %s s off', async (seconds, text) => {
      const off = http.createServer((_request, response) => {
        response.writeHead(200, { date: new Date(Date.now() + seconds * 1000).toUTCString(), 'content-type': 'application/json' }).end('{"rooms":[]}');
      });
      const port = await listen(off);
      expectProblem(await doctor(database.url, { LIVEKIT_URL: `http://127.0.0.1:${port}` }), 'livekit', text, /chrony/);
      off.close();
    });
  });

  describe('the port', () => {
    it('is taken by another program', async () => {
      const silent = createServer((socket) => socket.on('error', () => undefined).end('SSH-2.0-x\r\n'));
      const port = String(await listen(silent));
      expectProblem(await doctor(database.url, withLiveKit({ PORT: port })), 'service', new RegExp(`listens on 127.0.0.1:${port}`), /another PORT/);
      silent.close();
      const web = http.createServer((_request, response) => void response.end('{"status":"ready"}'));
      const other = String(await listen(web));
      expectProblem(await doctor(database.url, withLiveKit({ PORT: other })), 'service', /another program/);
      web.close();
    });

    it('is on an address that this machine does not have', async () => {
      expectProblem(await doctor(database.url, withLiveKit({ HOST: '192.0.2.1' })), 'service', /cannot listen/, /HOST/);
    });
  });

  describe('webhooks', () => {
    let service: Service;
    let api: Api;
    let own: Database;
    const running = (): Environment => withLiveKit({ PORT: String(service.port) });

    beforeAll(async () => {
      own = await createDatabase('postgresql');
      service = await Service.start(own, { LIVEKIT_URL: livekit.url });
      api = new Api(service.port);
    });
    afterAll(async () => {
      api?.close();
      await service?.stop();
      await own?.remove();
    });

    it('do not arrive, while a call is in LiveKit', async () => {
      const { body: call } = await api.startCall({ caller_id: 'alice' });
      const waiting = await doctor(own.url, running());
      expect(waiting.code, waiting.stdout).toBe(0);
      expect(told(waiting, 'webhooks').join()).toMatch(/^warning .*nobody has connected/);
      await livekit.rooms.createRoom({ name: call.room_name, emptyTimeout: 60 });
      const url = `http://127.0.0.1:${service.port}/webhooks/livekit`;
      expectProblem(await doctor(own.url, running()), 'webhooks', /no webhook told/, 'api_key: "devkey"', url);
      await livekit.rooms.deleteRoom(call.room_name);
      await api.end(call.call_id);
    });

    it.each([
      ['issuer', { key: 'unknown-key' }, [/webhook\.api_key .* devkey/, /LIVEKIT_WEBHOOK_API_KEY/]],
      ['signature', { secret: strong() }, [/Compare LIVEKIT_API_SECRET/, /key devkey/]],
    ])('are refused: %s', async (rejection, how, words) => {
      const body = JSON.stringify(events.started(roomOf('x')));
      await deliverBody(api, body, { authorization: await authorizationFor(body, how) });
      expectProblem(await doctor(own.url, running()), 'webhooks', new RegExp(`\\(${rejection}\\)`), ...words);
    });

    it('are refused because their bodies are changed on the way', async () => {
      const body = JSON.stringify(events.started(roomOf('x')));
      await deliverBody(api, body, { authorization: await authorizationFor(`${body} `) });
      expectProblem(await doctor(own.url, running()), 'webhooks', /\(hash\)/, /proxy/);
    });

    it('arrive', async () => {
      await deliver(api, events.started(roomOf('x')));
      const finished = await doctor(own.url, running());
      expect(finished.code, finished.stdout).toBe(0);
      expect(told(finished, 'webhooks')).toEqual(['ok      webhooks: arrive']);
    });
  });

  it('says that a running service is not ready', async () => {
    const broken = await createDatabase('postgresql');
    const service = await Service.start(broken, { LIVEKIT_URL: livekit.url });
    // Locks one table only, so it cannot deadlock with what the service does meanwhile; to drop it would lock others, too.
    await broken.execute('alter table leases rename to rentals');
    const finished = await doctor(broken.url, withLiveKit({ PORT: String(service.port) }));
    expectProblem(finished, 'service', /not ready/, /migrate upgrade/);
    await service.stop();
    await broken.remove();
  });
});

async function listen(server: Server | http.Server): Promise<number> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
