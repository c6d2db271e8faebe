import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { atEndOfFile } from '../support/cleanup.ts';
import { types } from '../support/database.ts';
import { asPostgres } from '../support/postgres.ts';
import { check, run, Running } from '../support/process.ts';

export interface Ports {
  postgres: number;
  patroni: number;
  etcd: number;
  etcdPeer: number;
}

export interface Place {
  name: string;
  ports: Ports;
}

const local = (port: number): string => `http://127.0.0.1:${port}`;

/** One machine of the cluster: etcd, Patroni, and the PostgreSQL that Patroni runs. */
export class Node {
  private etcd: Running | undefined;
  private patroni: Running | undefined;

  constructor(
    readonly name: string,
    readonly ports: Ports,
    /** Belongs to the user that PostgreSQL runs as. */
    private readonly directory: string,
    private readonly all: readonly Place[],
  ) {
    atEndOfFile(() => this.kill());
  }

  get settingsFile(): string {
    return join(this.directory, 'patroni.yml');
  }

  url(database: string): string {
    return `postgresql://postgres@127.0.0.1:${this.ports.postgres}/${database}`;
  }

  startEtcd(): void {
    const options = {
      name: this.name,
      'data-dir': join(this.directory, 'etcd'),
      'listen-client-urls': local(this.ports.etcd),
      'advertise-client-urls': local(this.ports.etcd),
      'listen-peer-urls': local(this.ports.etcdPeer),
      'initial-advertise-peer-urls': local(this.ports.etcdPeer),
      'initial-cluster': this.all.map(({ name, ports }) => `${name}=${local(ports.etcdPeer)}`).join(','),
      'heartbeat-interval': '300',
      'election-timeout': '3000',
      logger: 'zap',
      'log-level': 'error',
    };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    this.etcd = new Running(...asPostgres('etcd', args), { cwd: '/' });
  }

  async startPatroni(settings: (node: Node, directory: string) => object): Promise<void> {
    // JSON is YAML, too.
    await check(...asPostgres('tee', [this.settingsFile]), { input: JSON.stringify(settings(this, this.directory), undefined, 2) });
    this.patroni = new Running(...asPostgres('patroni', [this.settingsFile]), { cwd: '/' });
  }

  /** Its rows, or an error after so many milliseconds. Times are RFC 3339 texts. */
  async query<Row extends pg.QueryResultRow>(sql: string, database = 'postgres', timeout = 20_000): Promise<Row[]> {
    const limits = { connectionTimeoutMillis: timeout, query_timeout: timeout };
    const client = new pg.Client({ connectionString: this.url(database), ...limits, types });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query<Row>(sql)).rows;
    } finally {
      void client.end().catch(() => undefined);
    }
  }

  async isPrimary(): Promise<boolean> {
    const rows = await this.query<{ standby: boolean }>('select pg_is_in_recovery() as standby', 'postgres', 2_000).catch(() => []);
    return rows[0]?.standby === false;
  }

  /** Whether Patroni has agreed that it is the one that may be the next primary. */
  async mayFollow(): Promise<boolean> {
    const answer = await fetch(`${local(this.ports.patroni)}/synchronous`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    return answer?.status === 200;
  }

  /** As a power cut would be: all of it, at once. */
  async kill(): Promise<void> {
    await this.signal('KILL', [this.patroni, this.etcd]);
    await Promise.all([this.patroni?.exited, this.etcd?.exited]);
    this.patroni = this.etcd = undefined;
  }

  /** PostgreSQL and Patroni stand still: connections stay open, and nothing answers. etcd goes on. */
  freeze(): Promise<void> {
    return this.signal('STOP', [this.patroni]);
  }

  thaw(): Promise<void> {
    return this.signal('CONT', [this.patroni]);
  }

  /** What Patroni and PostgreSQL have written, for the text of a failure. */
  get output(): string {
    return `${this.etcd?.stderr ?? ''}${this.patroni?.stdout ?? ''}${this.patroni?.stderr ?? ''}`;
  }

  /** To these, and to PostgreSQL with its children. */
  private async signal(name: string, companions: readonly (Running | undefined)[]): Promise<void> {
    const postmaster = await readFile(join(this.directory, 'data', 'postmaster.pid'), 'utf8').catch(() => '');
    const server = /^\d+/.exec(postmaster)?.[0];
    const isOurs = server !== undefined && (await readFile(`/proc/${server}/cmdline`, 'utf8').catch(() => '')).includes(this.directory);
    const children = isOurs ? (await run('ps', ['-o', 'pid=', '--ppid', server])).stdout.split(/\s+/).filter(Boolean) : [];
    const programs = companions.flatMap((program) => (program?.isRunning ? [String(program.child.pid)] : []));
    const pids = [...programs, ...(isOurs ? [server] : []), ...children];
    if (pids.length > 0) await run('kill', [`-${name}`, ...pids]);
  }
}

/** Whether the machine has what the cluster needs. */
export function missingPrograms(): string[] {
  const folders = (process.env.PATH ?? '').split(':').filter((folder) => existsSync(folder));
  const has = (program: string): boolean => folders.some((folder) => readdirSync(folder).includes(program));
  return ['etcd', 'patroni'].filter((program) => !has(program));
}
