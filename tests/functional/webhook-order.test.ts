import { expect, it } from 'vitest';
import type { Api, CallWithSessions, Joined, StartedCall } from '../support/api.ts';
import { onEachDatabase, serve } from '../support/suite.ts';
import { until } from '../support/wait.ts';
import { connectionFor, connectionOf, deliverAll, events, roomOf, type Event } from '../support/webhooks.ts';

const iso = (at: number): string => new Date(at).toISOString();

/** Every `step`-th of all orders of a list. */
function orders<T>(list: T[], step: number): T[][] {
  const all = (rest: T[]): T[][] =>
    rest.length <= 1 ? [rest] : rest.flatMap((item, index) => all(rest.toSpliced(index, 1)).map((tail) => [item, ...tail]));
  return all(list).filter((_order, index, { length }) => index % step === 0 || index === length - 1);
}

interface Cast {
  call: StartedCall;
  bob: Joined;
}

/** The facts of a call: who was there from when to when and why it ended, without what may depend on the order. */
function factsOf({ status, ended_at, end_reason, sessions }: CallWithSessions): unknown {
  const stays = sessions
    .filter((session) => session.joined_at !== null)
    .map(({ user_id, joined_at, left_at, status: state, end_reason: why, disconnect_reason }) => ({ user_id, joined_at, left_at, state, why, disconnect_reason }))
    .toSorted((one, other) => one.joined_at!.localeCompare(other.joined_at!));
  return { status, ended_at, end_reason, stays };
}

/** Plays a script in many orders, a call each, when all of it is in the past, and gives the facts of every call. */
async function play(api: Api, count: number, step: number, script: (cast: Cast, base: number) => Event[]): Promise<{ facts: unknown[]; base: number; names: string[] }> {
  const casts: Cast[] = [];
  for (let index = 0; index < count; index += 1) {
    const call = (await api.startCall({ caller_id: 'ada' })).body;
    casts.push({ call, bob: (await api.join(call.call_id, 'bob')).body });
  }
  const base = (Math.floor(Date.now() / 1000) + 1) * 1000;
  await until(() => Date.now() > base + 6_000, { timeout: 15_000, what: 'the script lies in the past' });
  const facts: unknown[] = [];
  const names: string[] = [];
  for (const [index, cast] of casts.entries()) {
    const order = orders(script(cast, base), step)[index]!;
    await deliverAll(api, order);
    names.push(order.map(({ event }) => event).join(', '));
    facts.push(factsOf((await api.call(cast.call.call_id)).body));
  }
  return { facts, base, names };
}

onEachDatabase('the order in which events arrive', (kind) => {
  const served = serve(kind);

  it('decides nothing about two people, their leaving and the end of the room', async () => {
    const { facts, base, names } = await play(served.api, 49, 15, ({ call, bob }, at) => {
      const room = roomOf(call.call_id, at);
      const ada = connectionFor(call, 'ada', at + 100);
      const other = connectionFor(bob, 'bob', at + 200);
      return [
        events.started(room, at),
        events.joined(room, ada, at),
        events.joined(room, other, at),
        events.left(room, ada, 'CLIENT_INITIATED', at + 1_000),
        events.left(room, other, 'CONNECTION_TIMEOUT', at + 2_000),
        events.finished(room, at + 3_000),
      ];
    });
    const expected = {
      status: 'ended',
      ended_at: iso(base + 3_000),
      end_reason: 'room_finished',
      stays: [
        { user_id: 'ada', joined_at: iso(base + 100), left_at: iso(base + 1_000), state: 'ended', why: 'left', disconnect_reason: 'client_initiated' },
        { user_id: 'bob', joined_at: iso(base + 200), left_at: iso(base + 2_000), state: 'ended', why: 'left', disconnect_reason: 'connection_timeout' },
      ],
    };
    for (const [index, fact] of facts.entries()) expect(fact, names[index]).toEqual(expected);
  });

  it('decides nothing about a user who connects again', async () => {
    const { facts, base, names } = await play(served.api, 31, 4, ({ call }, at) => {
      const room = roomOf(call.call_id, at);
      const first = connectionFor(call, 'ada', at + 100);
      const second = connectionFor(call, 'ada', at + 950);
      return [
        events.started(room, at),
        events.joined(room, first, at),
        events.left(room, first, 'DUPLICATE_IDENTITY', at + 1_000),
        events.joined(room, second, at + 1_000),
        events.left(room, second, 'CLIENT_INITIATED', at + 2_000),
      ];
    });
    const expected = {
      status: 'active',
      ended_at: null,
      end_reason: null,
      stays: [
        { user_id: 'ada', joined_at: iso(base + 100), left_at: iso(base + 1_000), state: 'ended', why: 'replaced', disconnect_reason: 'duplicate_identity' },
        { user_id: 'ada', joined_at: iso(base + 950), left_at: iso(base + 2_000), state: 'ended', why: 'left', disconnect_reason: 'client_initiated' },
      ],
    };
    for (const [index, fact] of facts.entries()) expect(fact, names[index]).toEqual(expected);
  });

  it('decides nothing about connections whose leaving was never told', async () => {
    const { facts, base, names } = await play(served.api, 24, 1, ({ call }, at) => {
      const room = roomOf(call.call_id, at);
      return [
        events.joined(room, connectionOf('ada', at + 100), at),
        events.joined(room, connectionOf('ada', at + 500), at),
        events.joined(room, connectionOf('ada', at + 900), at),
        events.started(room, at),
      ];
    });
    const stay = (from: number, to: number | null) => ({
      user_id: 'ada',
      joined_at: iso(from),
      left_at: to === null ? null : iso(to),
      state: to === null ? 'active' : 'ended',
      why: to === null ? null : 'replaced',
      disconnect_reason: null,
    });
    const stays = [stay(base + 100, base + 500), stay(base + 500, base + 900), stay(base + 900, null)];
    for (const [index, fact] of facts.entries()) {
      expect(fact, names[index]).toEqual({ status: 'active', ended_at: null, end_reason: null, stays });
    }
  });
});
