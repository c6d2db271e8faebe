import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { atEndOfFile } from './cleanup.ts';
import { check, freePort, Running, run } from './process.ts';
import { until } from './wait.ts';

const installations = '/usr/lib/postgresql';

export function newestBinaries(): string {
  const versions = existsSync(installations) ? readdirSync(installations).map(Number).filter(Number.isFinite) : [];
  if (versions.length === 0) throw new Error(`no PostgreSQL server below ${installations}: install the package postgresql`);
  return join(installations, String(Math.max(...versions)), 'bin');
}

/** PostgreSQL and its companions refuse to run as root: then everything of it runs as the package's own user. */
const asRoot = process.getuid?.() === 0;

export function asPostgres(command: string, args: string[]): [string, string[]] {
  if (!asRoot) return [command, args];
  return ['setpriv', ['--reuid=postgres', '--regid=postgres', '--clear-groups', '--', command, ...args]];
}

/** A PostgreSQL cluster of the tests' own: its directory is temporary, its port a free one on 127.0.0.1. */
export class Cluster {
  private server: Running | undefined;

  private constructor(
    private readonly directory: string,
    readonly port: number,
    private readonly settings: readonly string[],
  ) {}

  static async create({ parent = tmpdir(), settings = [] }: { parent?: string; settings?: string[] } = {}): Promise<Cluster> {
    const directory = await mkdtemp(join(parent, 'call-service-postgres-'));
    atEndOfFile(() => rm(directory, { recursive: true, force: true }));
    await chmod(directory, 0o755);
    if (asRoot) {
      const uid = Number(await check('id', ['-u', 'postgres']));
      const gid = Number(await check('id', ['-g', 'postgres']));
      await chown(directory, uid, gid);
    }
    const initdb = join(newestBinaries(), 'initdb');
    const options = ['--username=postgres', '--auth=trust', '--encoding=UTF8', '--no-locale', '--no-sync'];
    await check(...asPostgres(initdb, ['-D', join(directory, 'data'), ...options]), { cwd: '/' });
    const cluster = new Cluster(directory, await freePort(), settings);
    await cluster.start();
    return cluster;
  }

  url(database: string): string {
    return `postgresql://postgres@127.0.0.1:${this.port}/${database}`;
  }

  async start(): Promise<void> {
    const settings = [`port=${this.port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=`, 'max_connections=200', ...this.settings];
    const args = ['-D', join(this.directory, 'data'), ...settings.flatMap((setting) => ['-c', setting])];
    // A process group of its own: a Ctrl-C in the terminal must reach the tests first.
    const server = new Running(...asPostgres(join(newestBinaries(), 'postgres'), args), { cwd: '/', detached: true });
    this.server = server;
    await until(
      async () => {
        if (!server.isRunning) throw new Error(`PostgreSQL did not start: ${server.stderr}`);
        await withClient(this.url('postgres'), (client) => client.query('select 1'));
        return true;
      },
      { timeout: 30_000, what: 'PostgreSQL accepts connections' },
    );
  }

  /** Stops at once, as a crash would be seen by clients: connections are cut. */
  async stop(): Promise<void> {
    const server = this.server;
    if (server === undefined) return;
    this.server = undefined;
    server.signal('SIGQUIT');
    await server.exited;
  }

  /** kill -9 of every process, frozen ones too. */
  async kill(): Promise<void> {
    const server = this.server;
    if (server === undefined) return;
    await this.signalAll('KILL');
    this.server = undefined;
    await server.exited;
  }

  get isRunning(): boolean {
    return this.server?.isRunning ?? false;
  }

  /** Every process of the cluster is frozen: connections stay open and nothing answers. */
  async pause(): Promise<void> {
    await this.signalAll('STOP');
  }

  async resume(): Promise<void> {
    await this.signalAll('CONT');
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  private async signalAll(signal: 'STOP' | 'CONT' | 'KILL'): Promise<void> {
    if (!this.isRunning) return;
    const postmaster = (await readFile(join(this.directory, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0] ?? '';
    const children = await run('ps', ['-o', 'pid=', '--ppid', postmaster]);
    const pids = [postmaster, ...children.stdout.split(/\s+/).filter(Boolean)];
    await run('kill', [`-${signal}`, ...pids]);
  }
}

/** Runs `body` with a connection that is closed afterwards. */
export async function withClient<T>(url: string, body: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await body(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
