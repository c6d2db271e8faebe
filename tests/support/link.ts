import { connect, createServer, type Server, type Socket } from 'node:net';
import { atEndOfFile } from './cleanup.ts';

/** What becomes of what is sent over a link. `hang`: nothing passes, and nobody is told. `cut`: connections end, and new ones are refused. */
export type LinkMode = 'pass' | 'slow' | 'hang' | 'cut';

/** A TCP link with faults, to whichever of its targets takes the connection. */
export class Link {
  private readonly sockets = new Set<Socket>();
  private readonly lost = new Set<Socket>();
  private mode: LinkMode = 'pass';
  private turn = 0;
  /** Milliseconds that each piece takes while the link is slow. */
  delay = 100;

  private constructor(
    private readonly server: Server,
    private readonly targets: () => readonly number[],
  ) {
    server.on('connection', (client) => this.serve(client));
  }

  /** `targets`: ports on 127.0.0.1, asked for each connection. */
  static async start(targets: () => readonly number[]): Promise<Link> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
    const link = new Link(server, targets);
    atEndOfFile(() => link.stop());
    return link;
  }

  get port(): number {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('the link does not listen');
    return address.port;
  }

  become(mode: LinkMode): void {
    this.mode = mode;
    for (const socket of this.sockets) {
      if (mode === 'cut') socket.destroy();
      else if (mode === 'hang') socket.pause();
      else socket.resume();
    }
  }

  /** Nothing passes any more on the connections of now, and nobody is told; new ones are as ever. */
  lose(): void {
    for (const socket of this.sockets) this.lost.add(socket.pause());
    this.sockets.clear();
  }

  async stop(): Promise<void> {
    for (const socket of [...this.sockets, ...this.lost]) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private serve(client: Socket): void {
    const targets = this.targets();
    const port = targets[this.turn++ % targets.length];
    if (this.mode === 'cut' || port === undefined) {
      client.destroy();
      return;
    }
    const upstream = connect({ host: '127.0.0.1', port });
    const end = (): void => [client, upstream].forEach((socket) => socket.destroy());
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.sockets.add(from);
      from.setNoDelay(true);
      from.on('error', end).on('close', () => {
        this.sockets.delete(from);
        end();
      });
      from.on('data', (piece) => this.pass(piece, to));
      if (this.mode === 'hang') from.pause();
    }
  }

  private pass(piece: Buffer, to: Socket): void {
    if (this.mode === 'slow') setTimeout(() => to.destroyed || to.write(piece), this.delay);
    else if (!to.destroyed) to.write(piece);
  }
}
