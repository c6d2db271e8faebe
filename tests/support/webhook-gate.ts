import http from 'node:http';
import { atEndOfFile } from './cleanup.ts';

/** What becomes of a webhook. `late`: those that come meanwhile overtake it. LiveKit takes all but `pass` for delivered. */
export type Fate = 'pass' | 'lose' | 'twice' | 'late';

/** Of whom a webhook tells, as far as it tells of somebody in a room. */
export interface Told {
  event: string;
  room?: string;
  identity?: string;
  sid?: string;
}

/** Stands between LiveKit and the service: some webhooks get through, others are lost, doubled or late, and LiveKit does not know. */
export class WebhookGate {
  lost = 0;
  passed = 0;

  /** `fate`: of the n-th webhook, from 0; false: it is lost. `hear`: what LiveKit tells, whatever becomes of it. */
  constructor(
    private readonly fate: (index: number) => Fate | boolean,
    private readonly hear: (told: Told) => void = () => undefined,
    /** Milliseconds that a late one is held back. */
    private readonly delay: () => number = () => 1_000,
  ) {}

  /** Its own address for webhooks to `target`. */
  async before(target: string): Promise<string> {
    const server = http.createServer((request, response) => void this.serve(target, request, response));
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
    atEndOfFile(() => {
      server.closeAllConnections();
      server.close();
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port for the gate');
    return `http://127.0.0.1:${address.port}/`;
  }

  private async serve(target: string, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const { event, room, participant } = JSON.parse(body.toString());
    this.hear({ event, room: room?.name, identity: participant?.identity, sid: participant?.sid });
    const { authorization = '', 'content-type': type = '' } = request.headers;
    const deliver = async (): Promise<number> => {
      const answer = await fetch(target, { method: 'POST', headers: { authorization, 'content-type': type }, body });
      await answer.arrayBuffer();
      return answer.status;
    };
    const fate = this.fate(this.lost + this.passed);
    if (fate === 'lose' || fate === false) {
      this.lost += 1;
      response.writeHead(200).end();
      return;
    }
    this.passed += 1;
    if (fate === 'pass' || fate === true) {
      response.writeHead(await deliver().catch(() => 502)).end();
      return;
    }
    response.writeHead(200).end();
    if (fate === 'late') setTimeout(() => void deliver().catch(() => undefined), this.delay());
    else for (let time = 0; time < 2; time += 1) void deliver().catch(() => undefined);
  }
}
