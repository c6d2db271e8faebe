import { createServer, type Server } from 'node:http';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { Running } from './process.ts';
import { until } from './wait.ts';

const here = dirname(fileURLToPath(import.meta.url));

interface ClientEvent {
  event: string;
  at: number;
  [member: string]: unknown;
}

/** A participant by @livekit/rtc-node in a process, and a process group, of its own. */
export class RtcClient {
  readonly events: ClientEvent[] = [];
  private readonly process: Running;

  constructor(url: string, token: string, mode: 'publish' | 'listen' = 'listen') {
    const script = join(here, 'rtc-client.mjs');
    this.process = new Running(process.execPath, [script, url, token, mode], { detached: true }, (line) => {
      if (line.startsWith('{')) this.events.push(JSON.parse(line));
    });
  }

  static async connect(url: string, token: string, mode: 'publish' | 'listen' = 'listen'): Promise<RtcClient> {
    const client = new RtcClient(url, token, mode);
    await client.waitFor('connected');
    return client;
  }

  find(event: string): ClientEvent | undefined {
    return this.events.find((seen) => seen.event === event);
  }

  waitFor(event: string, timeout = 20_000): Promise<ClientEvent> {
    return until(
      () => {
        if (event !== 'failed' && this.find('failed')) throw new Error(`the client could not connect: ${JSON.stringify(this.events)}`);
        return this.find(event);
      },
      { timeout, what: `the client sees ${event}` },
    );
  }

  async leave(): Promise<void> {
    this.process.child.stdin?.write('disconnect\n');
    await this.process.exited;
  }

  /** As a crash or a dead battery would. */
  async kill(): Promise<void> {
    this.process.signal('SIGKILL');
    await this.process.exited;
  }
}

const page = `<!doctype html><meta charset="utf-8"><title>call</title><script src="/livekit-client.js"></script><script>
const seen = { participants: [], tracks: 0, disconnected: null };
let room;
const meet = ({ identity }) => { if (!seen.participants.includes(identity)) seen.participants.push(identity); };
async function enter(url, token) {
  const { Room, RoomEvent } = LivekitClient;
  room = new Room();
  room.on(RoomEvent.ParticipantConnected, (participant) => meet(participant));
  room.on(RoomEvent.TrackSubscribed, (track, publication, participant) => {
    document.body.append(track.attach());
    seen.tracks += 1;
    meet(participant);
  });
  room.on(RoomEvent.Disconnected, (reason) => { seen.disconnected = reason ?? 0; });
  await room.connect(url, token);
  for (const participant of room.remoteParticipants.values()) meet(participant);
  await room.localParticipant.enableCameraAndMicrophone();
}
</script><body></body>`;

export const browserProgram = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** With a camera and a microphone that are made up. */
export const browserArguments = [
  '--no-sandbox',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
  // Needed where a machine has no interface but lo.
  '--allow-loopback-in-peer-connection',
];

/** A real browser in which a person with camera and microphone enters a call. */
export class BrowserClient {
  private constructor(
    private readonly server: Server,
    private readonly browser: Browser,
    private readonly page: Page,
  ) {}

  static async start(): Promise<BrowserClient> {
    const script = await readFile(join(here, '../node_modules/livekit-client/dist/livekit-client.umd.js'));
    const server = createServer((request, response) => {
      const isScript = request.url === '/livekit-client.js';
      response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' }).end(isScript ? script : page);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port for the page');
    const browser = await chromium.launch({ executablePath: browserProgram, args: browserArguments });
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${address.port}/`);
    return new BrowserClient(server, browser, tab);
  }

  async enter(url: string, token: string): Promise<void> {
    await this.page.evaluate(`enter(${JSON.stringify(url)}, ${JSON.stringify(token)})`);
  }

  seen(): Promise<{ participants: string[]; tracks: number; disconnected: number | null }> {
    return this.page.evaluate('seen') as Promise<{ participants: string[]; tracks: number; disconnected: number | null }>;
  }

  async leave(): Promise<void> {
    await this.page.evaluate('room.disconnect()');
  }

  async close(): Promise<void> {
    await this.browser.close();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
