import http from 'node:http';
import { WebhookReceiver as Verifier } from 'livekit-server-sdk';
import { atEndOfFile } from './cleanup.ts';
import { secrets } from './service.ts';
import { until } from './wait.ts';

export interface Received {
  at: number;
  headers: string[];
  contentType: string;
  authorization: string;
  text: string;
  body: Record<string, any>;
  answered: number;
}

/** Takes LiveKit's webhooks as a service would. */
export class WebhookReceiver {
  readonly received: Received[] = [];
  /** What it answers; by event where that is told. */
  status = 200;
  retryAfter: string | undefined;

  private constructor(readonly url: string) {}

  static async start(): Promise<WebhookReceiver> {
    let receiver: WebhookReceiver | undefined;
    const server = http.createServer((request, response) => void receiver!.take(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    atEndOfFile(() => void server.close().closeAllConnections());
    const { port } = server.address() as { port: number };
    receiver = new WebhookReceiver(`http://127.0.0.1:${port}/webhooks`);
    return receiver;
  }

  private async take(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    this.received.push({
      at: Date.now(),
      headers: request.rawHeaders.filter((_, index) => index % 2 === 0),
      contentType: request.headers['content-type'] ?? '',
      authorization: request.headers.authorization ?? '',
      text,
      body: JSON.parse(text),
      answered: this.status,
    });
    response.writeHead(this.status, this.retryAfter === undefined ? {} : { 'retry-after': this.retryAfter }).end();
  }

  of(room: string): Received[] {
    return this.received.filter(({ body }) => body.room.name === room);
  }

  /** The events of a room, in the order they came. */
  eventsOf(room: string): string[] {
    return this.of(room).map(({ body }) => body.event);
  }

  waitFor(room: string, events: string[], timeout = 10_000): Promise<unknown> {
    return until(() => this.eventsOf(room).join() === events.join(), { timeout, what: `the webhooks ${events.join()} of ${room}` }).catch((error) => {
      throw new Error(`${error.message}\nbut: ${this.eventsOf(room).join()}`);
    });
  }

  /** By LiveKit's own library; throws what it throws. */
  async verify({ text, authorization }: Received): Promise<void> {
    await new Verifier(secrets.livekitKey, secrets.livekitSecret).receive(text, authorization);
  }
}
