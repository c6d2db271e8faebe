import type { Session, StartedCall } from './api.ts';
import type { FakeLiveKit, Participant } from './fake-livekit.ts';
import type { Served } from './suite.ts';
import { until } from './wait.ts';
import { connectionFor, deliverAll, events, roomOf, type Connection, type Room } from './webhooks.ts';

/** A call and its room, in a fake LiveKit that tells of nothing by itself. */
export class ComparedCall {
  private constructor(
    private readonly served: Served,
    private readonly livekit: FakeLiveKit,
    readonly call: StartedCall,
    readonly room: Room,
  ) {}

  /** Its room is there, with nobody in it. */
  static async start(served: Served, livekit: FakeLiveKit, caller = 'ada'): Promise<ComparedCall> {
    const call = (await served.api.startCall({ caller_id: caller })).body;
    const made = new ComparedCall(served, livekit, call, roomOf(call.call_id));
    livekit.generations.set(call.room_name, made.room);
    livekit.rooms.set(call.room_name, []);
    return made;
  }

  get id(): string {
    return this.call.call_id;
  }

  private get people(): readonly Participant[] {
    return this.livekit.rooms.get(this.call.room_name) ?? [];
  }

  /** Connects without a webhook. */
  connect(connection: Connection, more: Partial<Participant> = {}): Connection {
    this.livekit.rooms.set(this.call.room_name, [...this.people, { ...connection, ...more }]);
    return connection;
  }

  /** Disconnects without a webhook. */
  vanish(connection: Connection): void {
    this.livekit.rooms.set(this.call.room_name, this.people.filter(({ sid }) => sid !== connection.sid));
  }

  /** A user joins, and the webhooks arrive. */
  async enter(user: string): Promise<Connection & { session_id: string }> {
    const joined = (await this.served.api.join(this.id, user)).body;
    const connection = this.connect(connectionFor(joined, user));
    await deliverAll(this.served.api, [events.started(this.room), events.joined(this.room, connection)]);
    return { ...connection, session_id: joined.session_id };
  }

  async read() {
    return (await this.served.api.call(this.id)).body;
  }

  async session(user: string): Promise<Session | undefined> {
    return (await this.read()).sessions.findLast((session) => session.user_id === user);
  }

  sessionOf(user: string, wanted: Partial<Session>, timeout = 10_000): Promise<Session> {
    const matches = (session: Session | undefined) => session && Object.entries(wanted).every(([name, value]) => session[name as keyof Session] === value) && session;
    return until(async () => matches(await this.session(user)), { timeout, what: `the session of ${user} is ${JSON.stringify(wanted)}` });
  }

  /** Waits until LiveKit was asked so many more times who is in the room. */
  async looks(count: number, timeout = 20_000): Promise<void> {
    const asked = () => this.livekit.calls.filter(({ method, body }) => method === 'ListParticipants' && body.room === this.call.room_name).length;
    const before = asked();
    await until(() => asked() >= before + count, { timeout, what: `LiveKit is asked ${count} times who is in the room` });
  }

  async causes(type: string): Promise<string[]> {
    const entries = (await this.served.api.get(`/calls/${this.id}/timeline`)).body.data as { type: string; cause: string }[];
    return entries.filter((entry) => entry.type === type).map(({ cause }) => cause);
  }
}
