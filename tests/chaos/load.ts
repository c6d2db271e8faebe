import { randomUUID } from 'node:crypto';
import type { Answer, Joined, StartedCall } from '../support/api.ts';
import type { Random } from '../support/random.ts';
import { within } from '../support/wait.ts';
import type { Ledger } from './ledger.ts';
import type { LiveKitInPlay, World } from './world.ts';

interface Seat {
  user: string;
  token: string;
  /** Of its connection, while there is one. */
  sid?: string;
}

/** How people come into LiveKit's rooms, and out again. */
export interface Doors {
  /** The sid of the new connection; undefined: there is none. A user's former connection to the room ends. */
  enter(token: string, room: string, user: string): Promise<string | undefined>;
  /** `abort`: as who never had media. */
  leave(room: string, user: string, how: 'leave' | 'abort'): Promise<void>;
  /** LiveKit notices some time later; after so many milliseconds, where that can be told. */
  crash(room: string, user: string, milliseconds: number): Promise<void>;
  /** Nobody can stay in a room for ever. */
  clear?(room: string): Promise<void>;
}

export interface Pace {
  actors: number;
  /** Milliseconds between two steps of one of them. */
  thinks: [number, number];
}

const roomOf = (call: string): string => `call_${call}`;

/** People who start, enter, leave and end calls, in every order, whatever goes wrong. */
export class Load {
  /** Their status. */
  readonly answers: string[] = [];
  readonly faults: string[] = [];
  private turn = 0;
  private running = false;
  private paused: Promise<void> = Promise.resolve();
  private resume: () => void = () => undefined;
  private idle = 0;
  private actors: Promise<void>[] = [];

  constructor(
    private readonly world: World<LiveKitInPlay>,
    private readonly doors: Doors,
    private readonly ledger: Ledger,
    private readonly random: Random,
    private readonly pace: Pace = { actors: 12, thinks: [5, 120] },
  ) {}

  begin(): void {
    this.running = true;
    this.actors = Array.from({ length: this.pace.actors }, () => this.act());
  }

  /** Resolves when nobody is doing anything. */
  async pause(): Promise<void> {
    this.paused = new Promise((resolve) => (this.resume = resolve));
    const started = Date.now();
    while (this.idle < this.actors.length) {
      if (Date.now() - started > 60_000) throw new Error('the load does not come to rest');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  goOn(): void {
    this.resume();
  }

  async end(): Promise<void> {
    this.running = false;
    this.resume();
    await Promise.all(this.actors);
  }

  private async act(): Promise<void> {
    while (this.running) {
      await this.rest();
      if (!this.running) return;
      try {
        await this.playCall();
      } catch (error) {
        this.faults.push(String(error));
      }
    }
  }

  /** Between two steps everybody may be held. */
  private async rest(): Promise<void> {
    this.idle += 1;
    await this.paused;
    this.idle -= 1;
    await new Promise((resolve) => setTimeout(resolve, this.random.between(...this.pace.thinks)));
  }

  private async playCall(): Promise<void> {
    const { random } = this;
    const call = randomUUID();
    const caller = `user-${Math.floor(random.next() * 50)}`;
    const started = await this.ask<StartedCall>('POST', '/calls', { call_id: call, caller_id: caller, metadata: { round: random.next() } });
    if (started?.status !== 201 && started?.status !== 200) return;
    this.ledger.started(call, caller, started.body.session_id);
    const seats: Seat[] = [{ user: caller, token: started.body.livekit_token }];
    if (random.chance(0.9)) await this.enter(call, seats[0]!);
    for (let steps = 2 + Math.floor(random.next() * 8); steps > 0 && this.running; steps -= 1) {
      await this.rest();
      await this.step(call, seats);
    }
    await this.finish(call, seats);
  }

  private async step(call: string, seats: Seat[]): Promise<void> {
    const { random } = this;
    const seat = random.pick(seats);
    const steps: [number, () => Promise<void>][] = [
      [3, () => this.join(call, seats, `user-${Math.floor(random.next() * 50)}`)],
      [1, () => this.join(call, seats, seat.user)],
      [2, () => this.enter(call, seat)],
      [2, () => this.goAway(call, seat, random.pick(['leave', 'leave', 'abort']))],
      [1, () => this.crash(call, seat)],
      [1, () => this.leave(call, seat)],
    ];
    let choice = random.next() * steps.reduce((sum, [weight]) => sum + weight, 0);
    await steps.find(([weight]) => (choice -= weight) < 0)![1]();
  }

  /** Ended, left by all, left by nobody, or ended and then entered again with an old token. */
  private async finish(call: string, seats: Seat[]): Promise<void> {
    const how = this.random.pick(['end', 'end', 'end', 'all leave', 'all leave', 'forgotten', 'come back']);
    if (how === 'end' || how === 'come back') await this.endCall(call);
    if (how === 'all leave') for (const seat of seats) await this.goAway(call, seat, 'leave');
    if (how === 'come back') await this.enter(call, this.random.pick(seats));
    if (!this.doors.clear) return;
    for (const { sid } of seats) if (sid !== undefined) this.ledger.wentAway(sid, Date.now());
    await this.doors.clear(roomOf(call));
  }

  private async join(call: string, seats: Seat[], user: string): Promise<void> {
    const answer = await this.ask<Joined>('POST', `/calls/${call}/join/${user}`);
    if (answer?.status !== 200) return;
    this.ledger.joined(call, user, answer.body.session_id);
    const seat = seats.find((known) => known.user === user) ?? { user, token: '' };
    seat.token = answer.body.livekit_token;
    if (!seats.includes(seat)) seats.push(seat);
    if (this.random.chance(0.8)) await this.enter(call, seat);
  }

  private async leave(call: string, seat: Seat): Promise<void> {
    const answer = await this.ask<{ session_id: string }>('POST', `/calls/${call}/leave/${seat.user}`);
    if (answer?.status !== 200) return;
    this.ledger.left(call, answer.body.session_id);
    // Nobody has to wait for whoever wants to be gone, though LiveKit may hear of it later.
    if (seat.sid !== undefined) this.ledger.wentAway(seat.sid, Date.now());
  }

  private async endCall(call: string): Promise<void> {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const answer = await this.ask<StartedCall>('POST', `/calls/${call}/end`);
      if (answer?.status !== 200) continue;
      const fault = this.ledger.ended(call, answer.body);
      if (fault !== undefined) this.faults.push(fault);
      return;
    }
  }

  /** Into LiveKit's room: a user's former connection there ends. */
  private async enter(call: string, seat: Seat): Promise<void> {
    const before = Date.now();
    const sid = await this.doors.enter(seat.token, roomOf(call), seat.user);
    if (sid === undefined) return;
    if (seat.sid !== undefined) this.ledger.wentAway(seat.sid, before);
    seat.sid = sid;
    this.ledger.entered({ call, user: seat.user, sid, from: Date.now(), to: null });
  }

  private async goAway(call: string, seat: Seat, how: 'leave' | 'abort'): Promise<void> {
    if (seat.sid === undefined) return;
    const before = Date.now();
    await this.doors.leave(roomOf(call), seat.user, how);
    this.ledger.wentAway(seat.sid, before);
    delete seat.sid;
  }

  /** LiveKit notices some time later. */
  private async crash(call: string, seat: Seat): Promise<void> {
    if (seat.sid === undefined) return;
    this.ledger.wentAway(seat.sid, Date.now());
    delete seat.sid;
    await this.doors.crash(roomOf(call), seat.user, Math.round(this.random.between(100, 2_000)));
  }

  /** undefined: no answer, so nothing was promised. */
  private async ask<Body>(method: string, path: string, body?: unknown): Promise<Answer<Body> | undefined> {
    const api = this.world.api(this.turn++);
    if (!api) return undefined;
    try {
      const answer = await within(api.request<Body>(method, path, body === undefined ? {} : { body }), 15_000, `an answer to ${method} ${path}`);
      this.answers.push(String(answer.status));
      if (answer.status === 500 || answer.status === 422 || answer.status === 401) this.faults.push(`${method} ${path}: ${answer.text}`);
      return answer;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'ECONNREFUSED' && code !== 'ECONNRESET' && code !== 'EPIPE' && !/socket hang up/.test(message)) this.faults.push(`${method} ${path}: ${message}`);
      return undefined;
    }
  }
}
