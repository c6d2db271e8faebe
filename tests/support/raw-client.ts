import { connect, type Socket } from 'node:net';
import { within } from './wait.ts';

/** How a connection ended: closed properly, reset, or not at all. */
export type Ending = 'closed' | 'reset';

/** One connection, byte by byte: what HTTP clients never do. */
export class RawClient {
  /** Everything that has come, as latin1. */
  seen = '';
  readonly ended: Promise<Ending>;
  private readonly socket: Socket;
  private changed: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.seen += chunk.toString('latin1');
      this.changed();
    });
    this.ended = new Promise((resolve) => {
      socket.once('end', () => resolve('closed'));
      socket.once('error', () => resolve('reset'));
      socket.once('close', () => resolve('closed'));
    });
  }

  static open(port: number, host = '127.0.0.1'): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, allowHalfOpen: true }, () => {
        socket.off('error', reject);
        resolve(new RawClient(socket));
      });
      socket.once('error', reject);
    });
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Sends, and is told when the kernel has taken it all; false if the connection broke first. */
  sendAll(bytes: string | Buffer): Promise<boolean> {
    return new Promise((resolve) => this.socket.write(bytes, (error) => resolve(!error)));
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Waits until what has come satisfies `is`. */
  async until(is: (seen: string) => boolean, what: string): Promise<string> {
    const come = new Promise<void>((resolve) => {
      this.changed = () => (is(this.seen) ? resolve() : undefined);
      this.changed();
    });
    await within(come, 15_000, `${what}; seen: ${this.seen.slice(0, 500)}`);
    return this.seen;
  }

  /** Everything up to the end of the connection. */
  async toEnd(timeout = 15_000): Promise<{ seen: string; ending: Ending }> {
    const ending = await within(this.ended, timeout, `the connection ends; seen: ${this.seen.slice(0, 500)}`);
    return { seen: this.seen, ending };
  }

  close(): void {
    this.socket.destroy();
  }
}

export interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** The answers in a stream, in their order. `heads` are those to HEAD, which have no body. */
export function answersIn(seen: string, heads: number[] = []): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = seen;
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) throw new Error(`half an answer: ${rest}`);
    const [line = '', ...lines] = rest.slice(0, end).split('\r\n');
    const headers = Object.fromEntries(lines.map((each) => [each.slice(0, each.indexOf(':')).toLowerCase(), each.slice(each.indexOf(':') + 1).trim()]));
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1]);
    const bodiless = heads.includes(answers.length) || status < 200 || status === 204 || status === 304;
    const length = bodiless ? 0 : Number(headers['content-length']);
    rest = rest.slice(end + 4);
    if (rest.length < length) throw new Error(`half a body: ${rest}`);
    answers.push({ status, headers, body: Buffer.from(rest.slice(0, length), 'latin1').toString('utf8') });
    rest = rest.slice(length);
  }
  return answers;
}
