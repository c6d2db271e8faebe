import { RoomServiceClient } from 'livekit-server-sdk';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { freePort, Running } from './process.ts';
import { secrets } from './service.ts';
import { until } from './wait.ts';

/** The LiveKit server's program. */
export function findServer(): string {
  const configured = process.env.LIVEKIT_SERVER_BINARY;
  const candidates = configured
    ? [configured]
    : (process.env.PATH ?? '').split(delimiter).map((directory) => join(directory, 'livekit-server'));
  const found = candidates.find((candidate) => existsSync(candidate));
  if (!found) throw new Error('no livekit-server on PATH: put it there or name it in LIVEKIT_SERVER_BINARY');
  return found;
}

export interface LiveKitOptions {
  /** Where it tells its webhooks; none without. */
  webhookUrl?: string;
  /** Seconds; what the rooms' own configuration says wins. */
  departureTimeout?: number;
  /** Whether the first participant makes the room; true without. */
  autoCreate?: boolean;
}

/** A real LiveKit server on loopback. */
export class LiveKit {
  private process: Running | undefined;

  private constructor(
    readonly port: number,
    private readonly udpPort: number,
    private readonly options: LiveKitOptions,
  ) {}

  /** Ports are chosen here, so that the service can be told of it before it runs. */
  static async prepare(options: LiveKitOptions = {}): Promise<LiveKit> {
    return new LiveKit(await freePort(), await freePort(), { ...options });
  }

  static async start(options: LiveKitOptions = {}): Promise<LiveKit> {
    const server = await LiveKit.prepare(options);
    await server.start();
    return server;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get rooms(): RoomServiceClient {
    return new RoomServiceClient(this.httpUrl, secrets.livekitKey, secrets.livekitSecret);
  }

  async hasRoom(name: string): Promise<boolean> {
    return (await this.rooms.listRooms([name])).length > 0;
  }

  set webhookUrl(url: string) {
    this.options.webhookUrl = url;
  }

  async start(): Promise<void> {
    const config = JSON.stringify({
      port: this.port,
      bind_addresses: ['127.0.0.1'],
      keys: { [secrets.livekitKey]: secrets.livekitSecret },
      rtc: {
        udp_port: this.udpPort,
        tcp_port: 0,
        node_ip: '127.0.0.1',
        use_external_ip: false,
        enable_loopback_candidate: true,
        interfaces: { includes: ['lo'] },
        stun_servers: ['127.0.0.1:3478'],
      },
      room: { auto_create: this.options.autoCreate ?? true, empty_timeout: 60, departure_timeout: this.options.departureTimeout ?? 20 },
      ...(this.options.webhookUrl ? { webhook: { api_key: secrets.livekitKey, urls: [this.options.webhookUrl] } } : {}),
      logging: { level: 'warn', json: true },
    });
    // YAML is a superset of JSON. A process group of its own: signals to the tests must not reach it first.
    const env = { PATH: process.env.PATH, LIVEKIT_CONFIG: config };
    const launch = (): Running => (this.process = new Running(findServer(), [], { env, cwd: '/tmp', detached: true }));
    let started = launch();
    await until(
      async () => {
        if (!started.isRunning) {
          // Somebody's connection may have got the port that was free a moment ago, for a moment.
          const { stdout, stderr } = started;
          started = launch();
          throw new Error(`LiveKit did not start: ${stdout}${stderr}`);
        }
        return (await fetch(this.httpUrl)).status === 200;
      },
      { timeout: 20_000, interval: 250, what: 'LiveKit answers 200' },
    );
  }

  /** It holds its connections and answers nothing. */
  freeze(): void {
    this.process?.signal('SIGSTOP');
  }

  thaw(): void {
    this.process?.signal('SIGCONT');
  }

  /** At once: a graceful stop would wait for its participants. */
  async kill(): Promise<void> {
    this.process?.signal('SIGKILL');
    await this.process?.exited;
    this.process = undefined;
  }
}
