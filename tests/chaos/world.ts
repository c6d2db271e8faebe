import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Api } from '../support/api.ts';
import { descriptors } from '../support/connections.ts';
import { PostgresDatabase, SqliteDatabase, type Database, type DatabaseKind } from '../support/database.ts';
import { FakeLiveKit } from '../support/fake-livekit.ts';
import { Link } from '../support/link.ts';
import { Cluster } from '../support/postgres.ts';
import { binary, Service, type Environment } from '../support/service.ts';
import { until } from '../support/wait.ts';
import { SmallDisk } from './small-disk.ts';

/** Short times, so that every rule has its turn in a run of minutes. */
const settings: Environment = {
  RECONCILE_INTERVAL_SECONDS: '1',
  ROOM_DEPARTURE_TIMEOUT_SECONDS: '5',
  CALL_NEVER_JOINED_TIMEOUT_SECONDS: '20',
};

const fakeTime = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';

export interface Holdings {
  pid: number;
  /** MiB. */
  memory: number;
  descriptors: number;
  threads: number;
  /** To PostgreSQL. */
  connections: number;
  /** Connections of clients that are open, and may be used again. */
  clients: number;
  /** Connections to LiveKit; one on which LiveKit hangs is held until its request times out. */
  livekit: number;
  /** Kept ones that LiveKit has reset, which is noticed when they are to be used again. */
  reset: number;
  /** What the descriptors are. */
  kinds: string;
}

/** What the services take for LiveKit. */
export interface LiveKitInPlay {
  readonly url: string;
  close(): Promise<unknown>;
}

interface Parts<LiveKit> {
  kind: DatabaseKind;
  database: Database;
  disk: SmallDisk;
  cluster?: Cluster;
  /** Between the services and PostgreSQL. */
  databaseLink?: Link;
  livekit: LiveKit;
  /** Before the services, for LiveKit's webhooks. */
  front: Link;
  services: Service[];
  /** Those of them that are up. */
  serving: Set<Service>;
  /** The file that says by how much the services' clock is wrong; none where it cannot be. */
  clock?: string;
}

/** One service on SQLite, two on PostgreSQL, and a LiveKit: one that does what it is told, or a real one. */
export class World<LiveKit extends LiveKitInPlay = FakeLiveKit> {
  private readonly apis = new Map<Service, Api>();

  private constructor(
    readonly parts: Parts<LiveKit>,
    private readonly settings: Environment,
  ) {}

  static start(kind: DatabaseKind, seed: number, changes: Environment = {}): Promise<World> {
    return World.around(kind, (webhookUrl) => FakeLiveKit.start({ webhookUrl, seed }), changes);
  }

  /** `start`: a LiveKit that is told where its webhooks have to go. */
  static async around<LiveKit extends LiveKitInPlay>(
    kind: DatabaseKind,
    start: (webhookUrl: string) => Promise<LiveKit>,
    changes: Environment = {},
  ): Promise<World<LiveKit>> {
    const disk = await SmallDisk.make(kind === 'sqlite' ? 256 : 1024);
    const stored = kind === 'sqlite' ? { database: new SqliteDatabase(disk.path, join(disk.path, 'calls.db')) } : await startPostgres(disk);
    const serving = new Set<Service>();
    const front = await Link.start(() => [...serving].map(({ port }) => port));
    const livekit = await start(`http://127.0.0.1:${front.port}/webhooks/livekit`);
    // A sanitizer's run-time and a preloaded library do not go together.
    const clock = existsSync(fakeTime) && !/asan|tsan/.test(binary) ? join(disk.path, 'clock', 'offset') : undefined;
    const parts = { kind, disk, livekit, front, services: [], serving, ...stored, ...(clock === undefined ? {} : { clock }) };
    const world = new World(parts, { ...settings, ...changes });
    await world.stepClock(0);
    for (let number = 0; number < (kind === 'sqlite' ? 1 : 2); number += 1) await world.addService(stored);
    return world;
  }

  private async addService({ database, databaseLink }: { database: Database; databaseLink?: Link }): Promise<void> {
    const { livekit, services, serving, clock } = this.parts;
    const url = databaseLink && `${database.url.replace(/:\d+\//, `:${databaseLink.port}/`)}?connect_timeout=2`;
    const service = await Service.start(database, {
      ...this.settings,
      LIVEKIT_URL: livekit.url,
      ...(url === undefined ? {} : { DATABASE_URL: url }),
      ...(clock === undefined ? {} : { LD_PRELOAD: fakeTime, FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_NO_CACHE: '1', DONT_FAKE_MONOTONIC: '1' }),
    });
    services.push(service);
    this.apis.set(service, new Api(service.port));
    serving.add(service);
  }

  /** Of a service that is up, if there is one: of each in turn. */
  api(turn: number): Api | undefined {
    const serving = [...this.parts.serving];
    const service = serving[turn % serving.length];
    return service && this.apis.get(service);
  }

  /** Seconds by which the services' clock is wrong. */
  async stepClock(seconds: number): Promise<void> {
    const { clock } = this.parts;
    if (clock === undefined) return;
    await mkdir(join(clock, '..'), { recursive: true });
    await writeFile(clock, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`);
  }

  async kill(service: Service): Promise<void> {
    this.parts.serving.delete(service);
    await service.kill();
  }

  async terminate(service: Service): Promise<void> {
    this.parts.serving.delete(service);
    await service.stop();
  }

  /** As a service manager does it: again and again while something that it needs is away. */
  async restart(service: Service, timeout = 60_000): Promise<void> {
    if (this.parts.serving.has(service)) return;
    await until(() => service.restart().then(() => true), { timeout, interval: 300, what: 'the service starts' });
    this.parts.serving.add(service);
  }

  /** Whatever does not run is started again: PostgreSQL, which also gives up when it cannot write its log, and then the services. */
  async recover(): Promise<void> {
    const { cluster, services } = this.parts;
    if (cluster) await until(() => cluster.isRunning || cluster.start().then(() => true), { timeout: 60_000, interval: 300, what: 'PostgreSQL starts' });
    for (const service of services) await this.restart(service);
  }

  async holdings(): Promise<Holdings[]> {
    const { serving, databaseLink, livekit } = this.parts;
    const livekitPort = Number(new URL(livekit.url).port);
    return Promise.all(
      [...serving].map(async ({ pid, port }) => {
        const status = await readFile(`/proc/${pid}/status`, 'utf8');
        const number = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
        const { all, database, ...held } = await descriptors(pid!, { clients: port, livekit: livekitPort, database: databaseLink?.port });
        return { pid: pid!, memory: Math.round(number('VmRSS') / 1024), descriptors: all, threads: number('Threads'), connections: database, ...held };
      }),
    );
  }

  /** Each process that is up has to have been healthy to its end. */
  async stopServices(): Promise<void> {
    for (const api of this.apis.values()) api.close();
    for (const service of [...this.parts.serving]) await this.terminate(service);
  }

  async close(): Promise<void> {
    const { livekit, front, databaseLink, cluster, disk } = this.parts;
    await this.stopServices();
    await livekit.close();
    await front.stop();
    await databaseLink?.stop();
    await cluster?.remove();
    await disk.remove();
  }
}

async function startPostgres(disk: SmallDisk): Promise<{ database: Database; cluster: Cluster; databaseLink: Link }> {
  const cluster = await Cluster.create({ parent: disk.path, settings: ['max_wal_size=128MB', 'min_wal_size=64MB'] });
  const database = await PostgresDatabase.create(cluster.url('postgres'));
  return { database, cluster, databaseLink: await Link.start(() => [cluster.port]) };
}
