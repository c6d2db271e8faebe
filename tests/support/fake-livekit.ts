import { dirname, join } from 'node:path';
import { type Exit, Running } from './process.ts';
import { binary, secrets } from './service.ts';
import { requestNow } from './sync-http.ts';
import { until, within } from './wait.ts';

export const fakeBinary = join(dirname(binary), 'call-service-fake-livekit');

export interface TwirpCall {
  method: string;
  room: string | null;
  body: Record<string, any>;
  authorization: string;
  fault: string | null;
  at: number;
}

export interface Participant {
  sid: string;
  identity: string;
  /** ACTIVE unless told otherwise. */
  state?: string;
  kind?: string;
  /** Milliseconds; 0: LiveKit does not tell. */
  joinedAt?: number;
  attributes?: Record<string, string>;
}

export interface JoinedParticipant extends Record<string, any> {
  sid: string;
  identity: string;
}

/** One attempt to deliver a webhook, or why there was none. */
export interface Delivery {
  seq: number;
  event: string;
  id: string;
  room: string;
  attempt: number;
  outcome: 'answered' | 'failed' | 'dropped' | 'expired' | 'overflowed';
  status: number | null;
  fault: string | null;
  body: Record<string, any>;
  at_ms: number;
}

/** What the fake does with a request: answers, or one of the faults. */
export type Behaviour = 'normal' | 'hang' | 'lose_answer' | 'internal_error' | 'unavailable' | 'unauthorized' | 'garbage' | 'half' | 'empty';

export interface FaultRules {
  room?: string;
  percent?: number;
  times?: number;
  milliseconds?: number;
}

export interface FakeOptions {
  webhookUrl?: string;
  autoCreate?: boolean;
  seed?: number;
  /** Milliseconds before a webhook's second attempt. */
  retryWait?: number;
}

/** The program call-service-fake-livekit, driven by its control API: docs/how-to/test-your-integration.md. */
export class FakeLiveKit {
  readonly rooms: Rooms = new Rooms(this);
  /** Milliseconds that a method takes, where it takes any. */
  readonly delays: Map<string, number> = new Delays(this);
  /** The sid and the beginning of a room, where a test tells it. */
  readonly generations: Map<string, { sid: string; createdAt: number }> = new Generations(this);
  /** Rooms about which it answers once as if nobody were in them. */
  readonly forgetOnce: ForgottenRooms = new ForgottenRooms(this);
  private readonly seen: TwirpCall[] = [];
  private lastSeen = 0;
  private fault: { behaviour: Behaviour; id: number } | undefined;

  private constructor(
    private readonly process: Running,
    readonly port: number,
    readonly controlPort: number,
  ) {}

  static async start(options: FakeOptions = {}): Promise<FakeLiveKit> {
    const args = ['--port', '0', '--control-port', '0', '--key', secrets.livekitKey, '--secret', secrets.livekitSecret];
    if (options.webhookUrl !== undefined) args.push('--webhook-url', options.webhookUrl);
    if (options.autoCreate === false) args.push('--no-auto-create');
    if (options.seed !== undefined) args.push('--seed', String(options.seed));
    if (options.retryWait !== undefined) args.push('--webhook-retry-wait', String(options.retryWait));
    let listening: Record<string, number> | undefined;
    const started = new Running(fakeBinary, args, { cwd: '/tmp' }, (line) => {
      if (line.includes('"event":"listening"')) listening = JSON.parse(line);
    });
    await until(
      () => {
        if (!started.isRunning) throw new Error(`the fake LiveKit did not start: ${started.stdout}${started.stderr}`);
        return listening;
      },
      { timeout: 20_000, what: 'the fake LiveKit listens' },
    );
    return new FakeLiveKit(started, listening!.port!, listening!.control_port!);
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** A request to the control API; its answer has to be a success. */
  control(method: string, path: string, body?: unknown): any {
    const { status, text } = requestNow(method, `http://127.0.0.1:${this.controlPort}/control/${path}`, body);
    if (status >= 400) throw new Error(`${method} /control/${path}: ${status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  get behaviour(): Behaviour {
    return this.fault?.behaviour ?? 'normal';
  }

  set behaviour(behaviour: Behaviour) {
    if (this.fault) this.control('DELETE', `faults/${this.fault.id}`);
    this.fault = undefined;
    if (behaviour === 'normal') return;
    this.fault = { behaviour, id: this.failRequests(behaviour === 'empty' ? 'empty_list' : behaviour) };
  }

  /** The id of the fault. */
  failRequests(fault: string, rules: FaultRules & { method?: string } = {}): number {
    return this.control('POST', 'faults/requests', { fault, ...rules }).id;
  }

  failWebhooks(fault: string, rules: FaultRules & { event?: string } = {}): number {
    return this.control('POST', 'faults/webhooks', { fault, ...rules }).id;
  }

  clearFaults(): void {
    this.control('DELETE', 'faults');
    this.fault = undefined;
  }

  /** Requests to RoomService since the start. */
  get calls(): readonly TwirpCall[] {
    for (const { seq, at_ms: at, ...call } of this.control('GET', `requests?after=${this.lastSeen}`).requests) {
      this.seen.push({ ...call, at });
      this.lastSeen = seq;
    }
    return this.seen;
  }

  get deliveries(): Delivery[] {
    return this.control('GET', 'webhooks').webhooks;
  }

  count(method: string): number {
    return this.calls.filter((call) => call.method === method).length;
  }

  callsOf(method: string, room: string): TwirpCall[] {
    return this.calls.filter((call) => call.method === method && call.body.room === room);
  }

  /** The participant, as LiveKit would tell of it. */
  join(who: { token: string; media?: boolean } | { room: string; identity: string; [member: string]: unknown }): JoinedParticipant {
    return this.control('POST', 'join', who).participant;
  }

  activate(room: string, identity: string): void {
    this.control('POST', 'activate', { room, identity });
  }

  leave(room: string, identity: string): void {
    this.control('POST', 'leave', { room, identity });
  }

  abort(room: string, identity: string): void {
    this.control('POST', 'abort', { room, identity });
  }

  /** LiveKit notices after so many milliseconds. */
  crash(room: string, identity: string, milliseconds: number): void {
    this.control('POST', 'crash', { room, identity, milliseconds });
  }

  /** All rooms are gone, and no webhook tells of it. */
  restartEmpty(): void {
    this.control('POST', 'restart');
  }

  set webhookUrl(url: string) {
    this.control('PATCH', 'settings', { webhook_url: url });
  }

  set autoCreate(on: boolean) {
    this.control('PATCH', 'settings', { auto_create: on });
  }

  async listen(): Promise<void> {
    this.control('PATCH', 'settings', { listening: true });
  }

  /** Refuses connections until it listens again. */
  async stop(): Promise<void> {
    this.control('PATCH', 'settings', { listening: false });
  }

  /** Ends the program, which has to have been healthy. */
  async close(): Promise<Exit> {
    this.process.signal('SIGTERM');
    const { stderr, ...exit } = await within(this.process.finished(), 20_000, 'the fake LiveKit ends after SIGTERM');
    if (exit.code !== 0) throw new Error(`the fake LiveKit ended with ${exit.code ?? exit.signal}: ${stderr}`);
    return exit;
  }
}

const pathOf = (room: string): string => `rooms/${encodeURIComponent(room)}`;

/** Rooms and who is in them, changed without any webhook. */
class Rooms {
  constructor(private readonly fake: FakeLiveKit) {}

  private read(): Map<string, readonly Participant[]> {
    const { rooms } = this.fake.control('GET', 'rooms');
    return new Map(rooms.map(({ room, participants }: any) => [room.name, Object.freeze(participants.map(readParticipant))]));
  }

  keys(): IterableIterator<string> {
    return this.read().keys();
  }

  has(name: string): boolean {
    return this.read().has(name);
  }

  get(name: string): readonly Participant[] | undefined {
    return this.read().get(name);
  }

  set(name: string, participants: readonly Participant[]): this {
    const { sid, createdAt } = this.fake.generations.get(name) ?? { sid: `RM_${name}`, createdAt: 0 };
    this.fake.control('PUT', pathOf(name), { sid, created_at_ms: createdAt, participants: participants.map(writeParticipant) });
    return this;
  }

  delete(name: string): boolean {
    const existed = this.has(name);
    if (existed) this.fake.control('DELETE', pathOf(name));
    return existed;
  }
}

const writeParticipant = ({ sid, identity, state, kind, joinedAt, attributes }: Participant): Record<string, unknown> => ({
  sid,
  identity,
  state,
  kind,
  joined_at_ms: Math.floor(joinedAt ?? 0),
  attributes,
});

const readParticipant = ({ sid, identity, state, kind, joined_at_ms: joinedAt, attributes }: any): Participant => ({
  sid,
  identity,
  state,
  kind,
  joinedAt: Number(joinedAt),
  attributes,
});

class Generations extends Map<string, { sid: string; createdAt: number }> {
  constructor(private readonly fake: FakeLiveKit) {
    super();
  }

  override set(room: string, generation: { sid: string; createdAt: number }): this {
    super.set(room, generation);
    const inside = this.fake.rooms.get(room);
    if (inside) this.fake.rooms.set(room, inside);
    return this;
  }
}

class Delays extends Map<string, number> {
  private readonly faults = new Map<string, number>();

  constructor(private readonly fake: FakeLiveKit) {
    super();
  }

  override set(method: string, milliseconds: number): this {
    this.delete(method);
    this.faults.set(method, this.fake.failRequests('delay', { method, milliseconds }));
    return super.set(method, milliseconds);
  }

  override delete(method: string): boolean {
    const fault = this.faults.get(method);
    if (fault !== undefined) this.fake.control('DELETE', `faults/${fault}`);
    this.faults.delete(method);
    return super.delete(method);
  }

  override clear(): void {
    for (const method of [...this.keys()]) this.delete(method);
  }
}

class ForgottenRooms {
  private readonly faults = new Map<string, number>();

  constructor(private readonly fake: FakeLiveKit) {}

  add(room: string): this {
    this.faults.set(room, this.fake.failRequests('empty_list', { method: 'ListParticipants', room, times: 1 }));
    return this;
  }

  has(room: string): boolean {
    return this.fake.control('GET', 'faults').faults.some(({ id }: { id: number }) => id === this.faults.get(room));
  }
}
