import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Api } from '../support/api.ts';
import { expectInvariants } from '../support/invariants.ts';
import { Service } from '../support/service.ts';
import { onEachDatabase, serve } from '../support/suite.ts';
import { connectionFor, connectionOf, deliver, deliverAll, events, roomOf, type Event } from '../support/webhooks.ts';

const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));

/** One event for each of 100 users who enter the room at once. */
function entrances(callId: string): Event[] {
  const room = roomOf(callId);
  return times(100, (index) => events.joined(room, connectionOf(`user-${index}`)));
}

onEachDatabase('a burst of events for one call', (kind) => {
  const served = serve(kind);

  it('100 users who enter at once are all taken in', async () => {
    const { call_id } = (await served.api.startCall({ caller_id: 'ada' })).body;
    const answers = await Promise.all(entrances(call_id).map((event) => deliver(served.api, event)));
    expect(answers.filter(({ status, body }) => status !== 200 || body.result !== 'applied').map(({ text }) => text)).toEqual([]);
    expect((await served.api.call(call_id)).body.participant_count).toBe(100);
    await expectInvariants(served.database);
  });
});

describe('a burst of events for one call, told to two replicas', () => {
  const served = serve('postgresql');
  let second: Service;
  let other: Api;
  beforeAll(async () => {
    second = await Service.start(served.database);
    other = new Api(second.port);
  });
  afterAll(async () => {
    other.close();
    await second.stop();
    await expectInvariants(served.database);
  });

  /** Tells each event once, one half of them to either replica. */
  const tell = (told: Event[]) => Promise.all(told.map((event, index) => deliver(index % 2 === 0 ? served.api : other, event)));

  it('100 users who enter at once are all taken in', async () => {
    const { call_id } = (await served.api.startCall({ caller_id: 'ada' })).body;
    const answers = await tell(entrances(call_id));
    expect(answers.filter(({ status, body }) => status !== 200 || body.result !== 'applied').map(({ text }) => text)).toEqual([]);
    expect((await other.call(call_id)).body.participant_count).toBe(100);
  });

  it('one event that comes eight times at once is applied once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { call_id } = (await served.api.startCall({ caller_id: 'ada' })).body;
      const [event] = entrances(call_id);
      const answers = await tell(Array(8).fill(event));
      expect(answers.map(({ status, body }) => `${status} ${body.result}`).toSorted()).toEqual(['200 applied', ...Array(7).fill('200 duplicate')]);
      const entries = await served.database.query(`select seq from timeline where call_id = '${call_id}' and type = 'session.joined'`);
      expect(entries).toHaveLength(1);
    }
  });

  it('one event that comes eight times at once, beside others, is applied once', async () => {
    const { call_id } = (await served.api.startCall({ caller_id: 'ada' })).body;
    const told = entrances(call_id).slice(0, 12);
    const answers = await tell(times(96, (index) => told[index % 12]!));
    const results = answers.map(({ status, body }) => `${status} ${body.result}`);
    expect(results.filter((result) => result === '200 applied')).toHaveLength(12);
    expect(results.filter((result) => result === '200 duplicate')).toHaveLength(84);
    expect((await other.call(call_id)).body.participant_count).toBe(12);
  });
});

onEachDatabase('a LiveKit whose clock is 30 s ahead', (kind) => {
  const served = serve(kind);
  const ahead = 30_000;
  const start = async () => (await served.api.startCall({ caller_id: 'ada' })).body;

  it('does not bend the end of a call', async () => {
    const call = await start();
    const joined = (await served.api.join(call.call_id, 'bob')).body;
    const later = Date.now() + ahead;
    await deliverAll(served.api, [events.joined(roomOf(call.call_id, later), connectionFor(joined, 'bob', later), later)]);
    expect((await served.api.call(call.call_id)).body.participant_count).toBe(1);
    const before = Date.now();
    const ended = (await served.api.end(call.call_id)).body;
    const endedAt = Date.parse(ended.ended_at!);
    expect(endedAt).toBeGreaterThanOrEqual(before - 1_000);
    expect(endedAt).toBeLessThanOrEqual(Date.now() + 1_000);
    const session = (await served.api.call(call.call_id)).body.sessions.find(({ session_id }) => session_id === joined.session_id)!;
    expect(session.left_at).toBe(ended.ended_at);
    expect(Date.parse(session.joined_at!)).toBeLessThanOrEqual(endedAt);
    await expectInvariants(served.database);
  });

  it('does not bend the end of a session that is left', async () => {
    const call = await start();
    const joined = (await served.api.join(call.call_id, 'bob')).body;
    const later = Date.now() + ahead;
    await deliverAll(served.api, [events.joined(roomOf(call.call_id, later), connectionFor(joined, 'bob', later), later)]);
    const left = (await served.api.leave(call.call_id, 'bob')).body;
    expect(Date.parse(left.left_at!)).toBeLessThanOrEqual(Date.now() + 1_000);
    expect(Date.parse(left.joined_at!)).toBeLessThanOrEqual(Date.parse(left.left_at!));
    await served.api.end(call.call_id);
    await expectInvariants(served.database);
  });

  it('leaves the later of a user\'s two devices active, whichever is told of first', async () => {
    const later = Date.now() + ahead;
    const seen: unknown[] = [];
    for (const order of ['as they began', 'the other way round']) {
      const call = await start();
      const room = roomOf(call.call_id, later - 15_000);
      const [first, second] = [connectionOf('bob', later - 10_000), connectionOf('bob', later)];
      const told = [events.joined(room, first, later), events.joined(room, second, later)];
      await deliverAll(served.api, order === 'as they began' ? told : told.reverse());
      const sql = `select participant_sid, status, joined_at, left_at, end_reason from sessions
        where call_id = '${call.call_id}' and user_id = 'bob' order by joined_at`;
      const rows = await served.database.query<Record<string, unknown>>(sql);
      expect(rows.map(({ participant_sid, status }) => ({ participant_sid, status })), order).toEqual([
        { participant_sid: first.sid, status: 'ended' },
        { participant_sid: second.sid, status: 'active' },
      ]);
      seen.push(rows.map(({ participant_sid, ...row }) => row));
      await served.api.end(call.call_id);
    }
    expect(seen[1]).toEqual(seen[0]);
    await expectInvariants(served.database);
  });
});
