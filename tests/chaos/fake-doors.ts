import type { Delivery, FakeLiveKit } from '../support/fake-livekit.ts';
import type { Ledger } from './ledger.ts';
import type { Doors } from './load.ts';
import type { Inside } from './truth.ts';

/** By the control API of the fake LiveKit: without waiting for it as a test does, so that the load goes on meanwhile. */
export class FakeDoors implements Doors {
  private taken = 0;

  constructor(private readonly livekit: FakeLiveKit) {}

  async enter(token: string): Promise<string | undefined> {
    return (await this.tell('join', { token }))?.participant.sid;
  }

  async leave(room: string, identity: string, how: 'leave' | 'abort'): Promise<void> {
    await this.tell(how, { room, identity });
  }

  async crash(room: string, identity: string, milliseconds: number): Promise<void> {
    await this.tell('crash', { room, identity, milliseconds });
  }

  /**
   * Takes down who has left since the last time, also of those whom the service had removed, while nobody does anything. LiveKit
   * forgets the oldest; and whoever came just when it was restarted left without a word.
   */
  async takeDown(ledger: Ledger): Promise<void> {
    const response = await fetch(`http://127.0.0.1:${this.livekit.controlPort}/control/webhooks?after=${this.taken}`);
    for (const { seq, event, body } of ((await response.json()) as { webhooks: Delivery[] }).webhooks) {
      this.taken = seq;
      if (event === 'participant_left') ledger.wentAway(body.participant.sid, Number(body.createdAt ?? body.created_at) * 1_000);
    }
    const { rooms } = this.livekit.control('GET', 'rooms') as { rooms: Inside[] };
    ledger.areInside(new Set(rooms.flatMap(({ participants }) => participants.map(({ sid }) => sid))), Date.now());
  }

  /** undefined: LiveKit refuses it. */
  private async tell(what: string, body: object): Promise<any> {
    const response = await fetch(`http://127.0.0.1:${this.livekit.controlPort}/control/${what}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (response.status < 300) return text === '' ? {} : JSON.parse(text);
    if (response.status < 500) return undefined;
    throw new Error(`the fake LiveKit answered ${what} with ${response.status}: ${text}`);
  }
}
