import { randomUUID } from 'node:crypto';
import { Api, type Answer } from '../support/api.ts';
import { until, within } from '../support/wait.ts';
import type { Node } from './node.ts';

/** What the service acknowledged of one call. */
interface Promised {
  sessions: string[];
  isEnded: boolean;
}

/** Answers to writes, by when they came. */
interface Seen {
  at: number;
  isDone: boolean;
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Users of several processes of the service, who start, join and end calls, and ask again until they are answered. The
 * ledger of what was acknowledged is theirs, not the service's.
 */
export class Load {
  /** Anything but success and 503 `database_unavailable`. */
  readonly faults: string[] = [];
  private readonly ledger = new Map<string, Promised>();
  private readonly seen: Seen[] = [];
  private readonly served: number[];
  private readonly apis: Api[];
  private readonly done: Promise<unknown>;
  private stopped = false;

  constructor(ports: readonly number[], users: number) {
    this.apis = Array.from({ length: users }, (_, index) => new Api(ports[index % ports.length]!));
    this.served = this.apis.map(() => 0);
    this.done = Promise.all(this.apis.map((_, user) => this.live(user)));
    this.done.catch((error) => this.faults.push(String(error)));
  }

  get writes(): number {
    return this.seen.filter(({ isDone }) => isDone).length;
  }

  get refused(): number {
    return this.seen.length - this.writes;
  }

  /** Waits until a write that was asked for since now is acknowledged to each user. */
  async flows(timeout: number): Promise<void> {
    const before = [...this.served];
    // One may have been on its way.
    const isServed = (count: number, user: number): boolean => count > before[user]! + 1;
    await until(() => this.served.every(isServed), { timeout, what: 'every user is served' });
  }

  /** When the first write after `since` was acknowledged, and when the last one was refused. */
  around(since: number): { firstDone?: number; lastRefused?: number } {
    const later = this.seen.filter(({ at }) => at >= since);
    return { firstDone: later.find(({ isDone }) => isDone)?.at, lastRefused: later.findLast(({ isDone }) => !isDone)?.at };
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await within(this.done, 30_000, 'every user has the answer');
    this.apis.forEach((api) => api.close());
  }

  /** What was acknowledged and is not there. */
  async lost(node: Node, database: string): Promise<string[]> {
    const calls = await node.query<{ call_id: string; status: string }>('select call_id, status from calls', database);
    const sessions = await node.query<{ session_id: string }>('select session_id from sessions', database);
    const statuses = new Map(calls.map(({ call_id, status }) => [call_id, status]));
    const known = new Set(sessions.map(({ session_id }) => session_id));
    return [...this.ledger].flatMap(([id, promised]) => {
      const status = statuses.get(id);
      if (status === undefined) return [`call ${id}`];
      const missing = promised.sessions.filter((session) => !known.has(session)).map((session) => `session ${session}`);
      return promised.isEnded && status !== 'ended' ? [...missing, `the end of ${id}`] : missing;
    });
  }

  private async live(user: number): Promise<void> {
    const api = this.apis[user]!;
    const caller_id = `user-${user}`;
    while (!this.stopped) {
      const call_id = randomUUID();
      const started = await this.write(user, () => api.startCall({ caller_id, call_id }));
      if (started === undefined) return;
      const promised: Promised = { sessions: [started.body.session_id], isEnded: false };
      this.ledger.set(call_id, promised);
      await this.read(api, call_id, 1);
      const joined = await this.write(user, () => api.join(call_id, `${caller_id}-guest`));
      if (joined === undefined) return;
      promised.sessions.push(joined.body.session_id);
      await this.read(api, call_id, 2);
      if ((await this.write(user, () => api.end(call_id))) === undefined) return;
      promised.isEnded = true;
    }
  }

  /** Asks until it is done; undefined when the load is stopped before. */
  private async write(user: number, ask: () => Promise<Answer>): Promise<Answer | undefined> {
    while (!this.stopped) {
      const answer = await ask();
      const isDone = answer.status === 200 || answer.status === 201;
      this.seen.push({ at: Date.now(), isDone });
      if (!isDone) this.expectUnavailable(answer);
      if (isDone) this.served[user]! += 1;
      await pause(isDone ? 20 : 100);
      if (isDone) return answer;
    }
    return undefined;
  }

  /** Whatever is acknowledged can be read, from the moment on; or nothing can. */
  private async read(api: Api, call: string, sessions: number): Promise<void> {
    const answer = await api.call(call);
    if (answer.status !== 200) return this.expectUnavailable(answer);
    if (answer.body.sessions.length < sessions) this.faults.push(`read ${answer.body.sessions.length} of ${sessions} sessions of ${call}`);
  }

  private expectUnavailable({ status, body, text }: Answer): void {
    if (status !== 503 || body?.code !== 'database_unavailable') this.faults.push(`${status} ${text}`);
  }
}
