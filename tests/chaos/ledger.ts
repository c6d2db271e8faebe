import type { CallWithSessions } from '../support/api.ts';
import type { Database } from '../support/database.ts';

export interface Stay {
  call: string;
  user: string;
  sid: string;
  /** By the clock of the tests; milliseconds. */
  from: number;
  to: number | null;
}

interface PromisedCall {
  caller: string;
  sessions: Map<string, string>;
  left: Set<string>;
  end?: { ended_at: string; end_reason: string; ended_by: string | null };
}

/** Milliseconds by which what was seen last may be older than it had to be, if whoever saw it has died. */
const rememberedTo = 15_000;

/** What the service has promised by an answer, and who has really been in which room: kept apart from all it stores. */
export class Ledger {
  readonly stays: Stay[] = [];
  private readonly calls = new Map<string, PromisedCall>();
  promises = 0;

  get size(): number {
    return this.calls.size;
  }

  started(call: string, caller: string, session: string): void {
    this.promised();
    const known = this.calls.get(call) ?? { caller, sessions: new Map(), left: new Set() };
    known.sessions.set(session, caller);
    this.calls.set(call, known);
  }

  joined(call: string, user: string, session: string): void {
    this.promised();
    this.calls.get(call)?.sessions.set(session, user);
  }

  left(call: string, session: string): void {
    this.promised();
    this.calls.get(call)?.left.add(session);
  }

  ended(call: string, answer: { ended_at: string | null; end_reason: string | null; ended_by: string | null }): string | undefined {
    this.promised();
    const known = this.calls.get(call);
    if (!known) return undefined;
    const end = { ended_at: answer.ended_at!, end_reason: answer.end_reason!, ended_by: answer.ended_by };
    if (known.end && JSON.stringify(known.end) !== JSON.stringify(end)) return `call ${call} ended twice: ${JSON.stringify([known.end, end])}`;
    known.end = end;
    return undefined;
  }

  entered(stay: Stay): void {
    this.stays.push(stay);
  }

  /** LiveKit knows a connection; that of a client who came back by itself is in no other record. */
  seen(stay: Omit<Stay, 'to'>): void {
    if (!this.stays.some(({ sid }) => sid === stay.sid)) this.entered({ ...stay, to: null });
  }

  /** Of those who are inside, none but these still is. */
  areInside(sids: ReadonlySet<string>, at: number): void {
    for (const stay of this.stays) if (stay.to === null && stay.from < at && !sids.has(stay.sid)) stay.to = at;
  }

  wentAway(sid: string, at: number): void {
    const stay = this.stays.find((known) => known.sid === sid && known.to === null);
    if (stay) stay.to = at;
  }

  /** All rooms are gone at once. */
  everybodyWentAway(at: number): void {
    for (const stay of this.stays) stay.to ??= at;
  }

  /** What was promised and is not so, each a line. `slack`: milliseconds by which clocks may differ. */
  async breaches(database: Database, read: (call: string) => Promise<CallWithSessions>, slack: number): Promise<string[]> {
    const found: string[] = [];
    for (const [id, promised] of this.calls) found.push(...breachesOf(id, promised, await read(id)));
    found.push(...(await this.wrongEnds(database, slack)), ...(await this.wrongStays(database)));
    return found;
  }

  private promised(): void {
    this.promises += 1;
  }

  /** A call that nobody ended must not have ended while somebody was in it. */
  private async wrongEnds(database: Database, slack: number): Promise<string[]> {
    const ends = await database.query<{ call_id: string; ended_at: string; end_reason: string }>(
      `select call_id, ended_at, end_reason from calls where status = 'ended' and end_reason <> 'ended'`,
    );
    return ends.flatMap(({ call_id, ended_at, end_reason }) => {
      const at = Date.parse(ended_at);
      const early = slack + (end_reason === 'reconciled' ? rememberedTo : 0);
      const inside = this.stays.find(({ call, from, to }) => call === call_id && from + slack < at && at < (to ?? Infinity) - early);
      return inside ? [`call ${call_id} ended as ${end_reason} at ${ended_at} while ${inside.user} was in it (${inside.sid})`] : [];
    });
  }

  /** Each connection has at most one session, of the right user and call. */
  private async wrongStays(database: Database): Promise<string[]> {
    const sessions = await database.query<{ call_id: string; user_id: string; participant_sid: string; number: number }>(
      `select call_id, min(user_id) as user_id, participant_sid, count(*) as number from sessions
       where participant_sid is not null group by call_id, participant_sid`,
    );
    const known = new Map(this.stays.map((stay) => [stay.sid, stay]));
    return sessions.flatMap(({ call_id, user_id, participant_sid, number }) => {
      const stay = known.get(participant_sid);
      if (number === 1 && stay && stay.call === call_id && stay.user === user_id) return [];
      return [`connection ${participant_sid} has ${number} sessions, of ${user_id} in ${call_id}; it was ${JSON.stringify(stay)}`];
    });
  }
}

function breachesOf(id: string, promised: PromisedCall, call: CallWithSessions | undefined): string[] {
  if (!call) return [`call ${id} is missing`];
  const found: string[] = [];
  if (call.caller_id !== promised.caller) found.push(`call ${id} is ${call.caller_id}'s, not ${promised.caller}'s`);
  for (const [session, user] of promised.sessions) {
    const stored = call.sessions.find(({ session_id }) => session_id === session);
    if (stored?.user_id !== user) found.push(`session ${session} of ${user} in call ${id} is ${stored ? `${stored.user_id}'s` : 'missing'}`);
    else if (promised.left.has(session) && stored.status !== 'ended') found.push(`session ${session} was left, and is ${stored.status}`);
  }
  const { ended_at, end_reason, ended_by } = call;
  if (promised.end && JSON.stringify({ ended_at, end_reason, ended_by }) !== JSON.stringify(promised.end)) {
    found.push(`call ${id} ended as ${JSON.stringify(promised.end)}, and is now ${JSON.stringify({ ended_at, end_reason, ended_by })}`);
  }
  return found;
}
