import { until } from '../support/wait.ts';
import type { Ledger } from './ledger.ts';
import type { RealLiveKit } from './real-livekit.ts';
import { patience, sleep } from './run.ts';
import { callOf, differencesFrom, type Inside } from './truth.ts';
import type { World } from './world.ts';

const pause = 200;

/** Looks all the time at what LiveKit and the database say, and for how long they differ. */
export class Watch {
  /** Milliseconds that each difference lasted, from its beginning or the fault's end. */
  readonly times: number[] = [];
  /** Differences that lasted too long. */
  readonly breaches: string[] = [];
  /** Since when there is each. */
  private readonly open = new Map<string, number>();
  private faults = 0;
  private running = true;
  private heard = 0;
  private looks = 0;
  private readonly done: Promise<void>;

  constructor(
    private readonly world: World<RealLiveKit>,
    private readonly ledger: Ledger,
  ) {
    this.done = this.run();
  }

  /** Until `faultEnded`, nothing has to be equal. */
  faultBegan(): void {
    this.faults += 1;
  }

  faultEnded(): void {
    this.faults -= 1;
    for (const difference of this.open.keys()) this.open.set(difference, Date.now());
  }

  /** Waits until what was different at the fault's end is so no longer. */
  async settled(): Promise<void> {
    const since = Date.now();
    const isOld = (): boolean => [...this.open.values()].some((began) => began <= since);
    const { looks } = this;
    await until(() => this.looks >= looks + 2 && !isOld(), { timeout: patience + 5_000, what: 'the database equals LiveKit' }).catch((error) => {
      throw new Error(`${error.message}\n${[...this.open.keys(), ...this.breaches].join('\n')}`);
    });
  }

  async stop(): Promise<void> {
    this.running = false;
    await this.done;
  }

  private async run(): Promise<void> {
    while (this.running) {
      // LiveKit or the database may be away.
      await this.look().catch(() => undefined);
      await sleep(pause);
    }
  }

  private async look(): Promise<void> {
    const asked = Date.now();
    const rooms = await this.world.parts.livekit.inside();
    const found = new Set(await differencesFrom(rooms, this.world.parts.database));
    this.takeDown(rooms, asked);
    const now = Date.now();
    for (const difference of found) if (!this.open.has(difference)) this.open.set(difference, asked);
    for (const [difference, since] of this.open) {
      const lasted = now - since;
      if (!found.has(difference)) this.times.push(lasted);
      else if (lasted <= patience || this.faults > 0) continue;
      else this.breaches.push(`for ${lasted} ms: ${difference}`);
      this.open.delete(difference);
    }
    this.looks += 1;
  }

  /** Who is inside, as LiveKit says now, and said in webhooks that may have been lost. */
  private takeDown(rooms: readonly Inside[], asked: number): void {
    for (const { event, room, identity, sid } of this.world.parts.livekit.heard.slice(this.heard)) {
      this.heard += 1;
      if (event === 'participant_joined' && room && identity && sid) this.ledger.seen({ call: callOf(room), user: identity, sid, from: Date.now() });
    }
    const sids = new Set<string>();
    for (const { room, participants } of rooms) {
      for (const { identity, sid } of participants) {
        sids.add(sid);
        this.ledger.seen({ call: callOf(room.name), user: identity, sid, from: asked });
      }
    }
    this.ledger.areInside(sids, asked);
  }
}
