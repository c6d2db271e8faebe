import { connect, createServer, type Server, type Socket } from 'node:net';
import { atEndOfFile } from './cleanup.ts';
import { within } from './wait.ts';

/** Whether the server had the transaction whose outcome the client never learnt. */
export type Fate = 'committed' | 'never sent';

interface Trap {
  marker: string;
  fate: Fate;
  sprung: () => void;
}

/** Stands between the service and PostgreSQL, and loses the connection at the worst moment. */
export class PostgresProxy {
  private readonly sockets = new Set<Socket>();
  private trap: Trap | undefined;

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
  ) {
    server.on('connection', (client) => this.serve(client));
  }

  static async start(databaseUrl: string): Promise<PostgresProxy> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
    const proxy = new PostgresProxy(server, new URL(databaseUrl));
    atEndOfFile(() => proxy.stop());
    return proxy;
  }

  /** As `DATABASE_URL`. */
  get url(): string {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    const url = new URL(this.target);
    url.port = String(address.port);
    return url.href;
  }

  /** The next transaction that speaks of `marker` loses its connection at its COMMIT. Resolves when it has. */
  loseCommitOf(marker: string, fate: Fate): Promise<void> {
    const sprung = new Promise<void>((resolve) => (this.trap = { marker, fate, sprung: resolve }));
    return within(sprung, 10_000, `a COMMIT after ${marker}`);
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private serve(client: Socket): void {
    const upstream = connect({ host: this.target.hostname, port: Number(this.target.port) });
    const cut = (): void => [client, upstream].forEach((socket) => socket.destroy());
    for (const socket of [client, upstream]) {
      this.sockets.add(socket);
      socket.on('error', cut).on('close', () => {
        this.sockets.delete(socket);
        cut();
      });
    }
    let asked = '';
    let answered = '';
    let caught: Trap | undefined;
    client.on('data', (chunk) => {
      // What went by before the trap was set does not spring it.
      asked = this.trap === undefined ? '' : asked + chunk.toString('latin1');
      caught ??= this.catch(asked);
      if (caught?.fate === 'never sent') {
        cut();
        caught.sprung();
      } else {
        upstream.write(chunk);
      }
    });
    upstream.on('data', (chunk) => {
      if (caught === undefined) return void client.write(chunk);
      // The tag of the answer says that the commit is done; the client never gets it.
      answered += chunk.toString('latin1');
      if (!answered.includes('COMMIT\0')) return;
      cut();
      caught.sprung();
    });
  }

  private catch(asked: string): Trap | undefined {
    const trap = this.trap;
    if (trap === undefined) return undefined;
    const at = asked.indexOf(trap.marker);
    if (at < 0 || asked.indexOf('COMMIT', at) < 0) return undefined;
    this.trap = undefined;
    return trap;
  }
}
