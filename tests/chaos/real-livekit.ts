import { ParticipantInfo_State } from 'livekit-server-sdk';
import { RtcClient } from '../support/clients.ts';
import { LiveKit } from '../support/livekit.ts';
import type { Random } from '../support/random.ts';
import { within } from '../support/wait.ts';
import { WebhookGate, type Fate, type Told } from '../support/webhook-gate.ts';
import type { Doors } from './load.ts';
import type { Inside } from './truth.ts';

/** A LiveKit server, and the gate that its webhooks have to pass. */
export class RealLiveKit {
  /** What becomes of webhooks. */
  fate: (index: number) => Fate = () => 'pass';
  readonly heard: Told[] = [];
  lost = 0;

  private constructor(readonly server: LiveKit) {}

  static async start(webhookUrl: string, random: Random): Promise<RealLiveKit> {
    const livekit = new RealLiveKit(await LiveKit.prepare());
    const gate = new WebhookGate(
      (index) => livekit.decide(index),
      (told) => livekit.heard.push(told),
      () => random.between(50, 2_000),
    );
    livekit.server.webhookUrl = await gate.before(webhookUrl);
    await livekit.server.start();
    return livekit;
  }

  get url(): string {
    return this.server.url;
  }

  private decide(index: number): Fate {
    const fate = this.fate(index);
    if (fate === 'lose') this.lost += 1;
    return fate;
  }

  /** Its rooms of calls, and who is in them. */
  async inside(): Promise<Inside[]> {
    const rooms = (await this.server.rooms.listRooms()).filter(({ name }) => name.startsWith('call_'));
    return Promise.all(
      rooms.map(async ({ name }) => ({
        room: { name },
        participants: (await this.server.rooms.listParticipants(name)).map(({ sid, identity, state }) => ({ sid, identity, state: ParticipantInfo_State[state] })),
      })),
    );
  }

  async close(): Promise<void> {
    await this.server.kill();
  }
}

/** Everybody is a client in a process of its own. */
export class RealDoors implements Doors {
  /** By room and user: the newest last. */
  private readonly clients = new Map<string, RtcClient[]>();

  constructor(private readonly url: string) {}

  async enter(token: string, room: string, user: string): Promise<string | undefined> {
    const client = new RtcClient(this.url, token);
    const key = `${room} ${user}`;
    this.clients.set(key, [...(this.clients.get(key) ?? []), client]);
    return client.waitFor('connected', 25_000).then(
      ({ sid }) => sid as string,
      () => undefined,
    );
  }

  leave(room: string, user: string, how: 'leave' | 'abort'): Promise<void> {
    // A frozen LiveKit lets nobody take leave.
    const takeLeave = (client: RtcClient): Promise<void> => within(client.leave(), 10_000, 'a client leaves').catch(() => client.kill());
    return this.all(`${room} ${user}`, (client) => (how === 'leave' ? takeLeave(client) : client.kill()));
  }

  crash(room: string, user: string): Promise<void> {
    return this.all(`${room} ${user}`, (client) => client.kill());
  }

  async clear(room: string): Promise<void> {
    const keys = [...this.clients.keys()].filter((key) => key.startsWith(room));
    await Promise.all(keys.map((key) => this.all(key, (client) => client.kill())));
  }

  private async all(key: string, act: (client: RtcClient) => Promise<void>): Promise<void> {
    const clients = this.clients.get(key) ?? [];
    this.clients.delete(key);
    await Promise.all(clients.map(act));
  }
}
