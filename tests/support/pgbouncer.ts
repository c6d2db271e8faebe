import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEndOfFile } from './cleanup.ts';
import { asPostgres, withClient } from './postgres.ts';
import { freePort, Running } from './process.ts';
import { until } from './wait.ts';

const program = '/usr/sbin/pgbouncer';

/** PgBouncer in transaction mode: few sessions of the server for all clients, each transaction in whichever is free. */
export class PgBouncer {
  private process: Running | undefined;

  private constructor(
    private readonly settings: string,
    private readonly port: number,
  ) {}

  /** In front of the server of `databaseUrl`, with so many sessions of it for each database. */
  static async start(databaseUrl: string, sessions: number): Promise<PgBouncer> {
    if (!existsSync(program)) throw new Error(`no ${program}: install the package pgbouncer`);
    const directory = await mkdtemp(join(tmpdir(), 'call-service-pgbouncer-'));
    atEndOfFile(() => rm(directory, { recursive: true, force: true }));
    await chmod(directory, 0o755);
    const server = new URL(databaseUrl);
    const port = await freePort();
    const settings = join(directory, 'pgbouncer.ini');
    await writeFile(join(directory, 'users.txt'), `"${server.username}" ""\n`);
    await writeFile(
      settings,
      `[databases]
* = host=${server.hostname} port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${join(directory, 'users.txt')}
admin_users = ${server.username}
pool_mode = transaction
default_pool_size = ${sessions}
server_login_retry = 1
`,
    );
    const bouncer = new PgBouncer(settings, port);
    await bouncer.restart();
    return bouncer;
  }

  /** The same database, by way of the pooler. */
  urlOf(databaseUrl: string): string {
    const url = new URL(databaseUrl);
    url.port = String(this.port);
    return url.href;
  }

  async restart(): Promise<void> {
    await this.stop();
    const started = new Running(...asPostgres(program, [this.settings]), { cwd: '/' });
    this.process = started;
    await until(
      async () => {
        if (!started.isRunning) throw new Error(`PgBouncer did not start: ${started.stderr}`);
        await withClient(this.urlOf('postgresql://postgres@127.0.0.1/pgbouncer'), (admin) => admin.query('show version'));
        return true;
      },
      { what: 'PgBouncer answers' },
    );
  }

  /** At once: clients lose their connections. */
  async stop(): Promise<void> {
    this.process?.signal('SIGTERM');
    await this.process?.exited;
    this.process = undefined;
  }
}
