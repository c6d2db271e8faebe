import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEndOfFile } from '../support/cleanup.ts';
import { asPostgres, newestBinaries } from '../support/postgres.ts';
import { check, freePort } from '../support/process.ts';
import { until } from '../support/wait.ts';
import { missingPrograms, Node, type Place } from './node.ts';

/** Three machines with PostgreSQL under Patroni and etcd, on 127.0.0.1. A commit is answered when two have it. */
export class Cluster {
  private constructor(readonly nodes: readonly Node[]) {}

  static async start(): Promise<Cluster> {
    const missing = missingPrograms();
    if (missing.length > 0) throw new Error(`not installed: ${missing.join(', ')} (./dev ha installs them)`);
    const directory = await mkdtemp(join(tmpdir(), 'call-service-ha-'));
    atEndOfFile(() => rm(directory, { recursive: true, force: true }));
    await chmod(directory, 0o1777);
    const places: Place[] = [];
    for (const name of ['a', 'b', 'c']) {
      const ports = { postgres: await freePort(), patroni: await freePort(), etcd: await freePort(), etcdPeer: await freePort() };
      places.push({ name, ports });
    }
    const nodes: Node[] = [];
    for (const { name, ports } of places) {
      const own = join(directory, name);
      await check(...asPostgres('mkdir', ['-m', '700', own]));
      nodes.push(new Node(name, ports, own, places));
    }
    const cluster = new Cluster(nodes);
    for (const node of nodes) node.startEtcd();
    for (const node of nodes) await cluster.startPatroni(node);
    await cluster.isWhole(120_000);
    return cluster;
  }

  /** As `DATABASE_URL`: who writes finds the primary among them. */
  url(database: string): string {
    return `postgresql://postgres@${this.nodes.map(({ ports }) => `127.0.0.1:${ports.postgres}`).join(',')}/${database}`;
  }

  async primaryAmong(nodes: readonly Node[]): Promise<Node | undefined> {
    const answers = await Promise.all(nodes.map((node) => node.isPrimary()));
    return nodes[answers.indexOf(true)];
  }

  /** Waits until one is the primary, both others follow it, and one of them may take over; the primary. */
  isWhole(timeout = 60_000): Promise<Node> {
    return until(
      async () => {
        const primary = await this.primaryAmong(this.nodes);
        if (primary === undefined) throw new Error(`no primary\n${this.nodes.map(({ output }) => output.slice(-600)).join('\n')}`);
        const followers = await primary.query<{ sync_state: string }>(`select sync_state from pg_stat_replication where state = 'streaming'`);
        const states = followers.map(({ sync_state }) => sync_state).toSorted();
        if (states.join() !== 'async,sync') throw new Error(`${primary.name} has the followers ${states}`);
        // PostgreSQL has a second server for its commits before Patroni has agreed which.
        const candidates = await Promise.all(this.nodes.map((node) => node.mayFollow()));
        return candidates.filter(Boolean).length === 1 && primary;
      },
      { timeout, interval: 200, what: 'a primary has two followers, of which one may take over' },
    );
  }

  /** Hands over to another one, as an operator does before maintenance. */
  async switchOver(): Promise<void> {
    await check('patronictl', ['-c', this.nodes[0]!.settingsFile, 'switchover', '--force'], { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
  }

  /** A node that was killed comes back. */
  async restart(node: Node): Promise<void> {
    node.startEtcd();
    await this.startPatroni(node);
  }

  private startPatroni(node: Node): Promise<void> {
    return node.startPatroni(({ name, ports }, directory) => {
      const address = { listen: `127.0.0.1:${ports.patroni}`, connect_address: `127.0.0.1:${ports.patroni}` };
      const server = { listen: `127.0.0.1:${ports.postgres}`, connect_address: `127.0.0.1:${ports.postgres}` };
      const superuser = { username: 'postgres' };
      return {
        scope: 'calls',
        name,
        restapi: address,
        etcd3: { hosts: this.nodes.map((other) => `127.0.0.1:${other.ports.etcd}`) },
        bootstrap: {
          dcs: {
            ttl: 20,
            loop_wait: 2,
            retry_timeout: 9,
            synchronous_mode: true,
            synchronous_mode_strict: true,
            postgresql: { use_pg_rewind: true, parameters: { max_connections: 60, wal_log_hints: 'on' } },
          },
          initdb: [{ encoding: 'UTF8' }, { locale: 'C' }, { username: 'postgres' }, { auth: 'trust' }],
        },
        postgresql: {
          ...server,
          bin_dir: newestBinaries(),
          data_dir: join(directory, 'data'),
          pgpass: join(directory, 'pgpass'),
          pg_hba: ['host all all 127.0.0.1/32 trust', 'host replication all 127.0.0.1/32 trust'],
          parameters: { unix_socket_directories: '' },
          authentication: { superuser, replication: superuser, rewind: superuser },
        },
      };
    });
  }
}
