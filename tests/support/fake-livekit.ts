import http from 'node:http';
import type { Socket } from 'node:net';
import { freePort } from './process.ts';

export interface TwirpCall {
  method: string;
  body: Record<string, any>;
  authorization: string;
  at: number;
}

export interface Participant {
  sid: string;
  identity: string;
}

/** What the fake does with a request: answers, or one of the faults. */
export type Behaviour = 'normal' | 'hang' | 'internal_error' | 'unavailable';

/**
 * A RoomService for faults only: it knows the rooms it was told of, counts requests, and fails on demand. What LiveKit
 * really does is tested against LiveKit.
 */
export class FakeLiveKit {
  behaviour: Behaviour = 'normal';
  readonly calls: TwirpCall[] = [];
  /** Milliseconds that a method takes, where it takes any. */
  readonly delays = new Map<string, number>();
  /** Rooms and who is in them. */
  readonly rooms = new Map<string, Participant[]>();
  private server: http.Server | undefined;
  private readonly sockets = new Set<Socket>();

  private constructor(readonly port: number) {}

  static async start(): Promise<FakeLiveKit> {
    const fake = new FakeLiveKit(await freePort());
    await fake.listen();
    return fake;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  count(method: string): number {
    return this.calls.filter((call) => call.method === method).length;
  }

  callsOf(method: string, room: string): TwirpCall[] {
    return this.calls.filter((call) => call.method === method && call.body.room === room);
  }

  async listen(): Promise<void> {
    const server = http.createServer((request, response) => void this.serve(request, response));
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(this.port, '127.0.0.1', resolve));
    this.server = server;
  }

  /** Refuses connections until it listens again. */
  async stop(): Promise<void> {
    const server = this.server;
    this.server = undefined;
    for (const socket of this.sockets) socket.destroy();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  private async serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString() || '{}');
    const method = (request.url ?? '').split('/').at(-1) ?? '';
    this.calls.push({ method, body, authorization: request.headers.authorization ?? '', at: Date.now() });
    const answer = (status: number, json: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
    };
    if (this.behaviour === 'hang') return;
    if (this.behaviour === 'internal_error') return answer(500, { code: 'unknown', msg: 'could not find object' });
    if (this.behaviour === 'unavailable') return answer(503, { code: 'unavailable', msg: 'no response from servers' });
    const delay = this.delays.get(method);
    if (delay !== undefined) await new Promise((resolve) => setTimeout(resolve, delay));
    const [status, json] = this.normally(method, body);
    answer(status, json);
  }

  private normally(method: string, body: Record<string, any>): [number, unknown] {
    const missing = (what: string): [number, unknown] => [404, { code: 'not_found', msg: `twirp error unknown: ${what} does not exist` }];
    const inRoom = this.rooms.get(body.room) ?? [];
    const one = inRoom.find(({ identity }) => identity === body.identity);
    switch (method) {
      case 'ListRooms': {
        const names: string[] = body.names?.length ? body.names : [...this.rooms.keys()];
        return [200, { rooms: names.filter((name) => this.rooms.has(name)).map((name) => ({ sid: `RM_${name}`, name })) }];
      }
      case 'ListParticipants':
        return [200, { participants: inRoom.map(participantJson) }];
      case 'GetParticipant':
        return one ? [200, participantJson(one)] : missing('participant');
      case 'RemoveParticipant':
        this.rooms.set(body.room, inRoom.filter((participant) => participant !== one));
        return one ? [200, {}] : missing('participant');
      case 'DeleteRoom':
        return this.rooms.delete(body.room) ? [200, {}] : missing('requested room');
      default:
        return [404, { code: 'bad_route', msg: method }];
    }
  }
}

const participantJson = ({ sid, identity }: Participant): Record<string, unknown> => ({
  sid,
  identity,
  state: 'ACTIVE',
  tracks: [],
  metadata: '',
  joined_at: '0',
  joined_at_ms: '0',
  kind: 'STANDARD',
  attributes: {},
});
