import { expect, it } from 'vitest';
import { expectInvariants } from '../support/invariants.ts';
import { Random } from '../support/random.ts';
import { onEachDatabase, serve } from '../support/suite.ts';
import { connectionFor, connectionOf, deliver, events, roomOf } from '../support/webhooks.ts';

const reasons = ['CLIENT_INITIATED', 'CONNECTION_TIMEOUT', 'DUPLICATE_IDENTITY', 'ROOM_DELETED', 'PARTICIPANT_REMOVED', 'SIGNAL_CLOSE'];

onEachDatabase('anything LiveKit may tell', (kind) => {
  const served = serve(kind);

  it('in any order, with any clock and beside any request, is taken and breaks no rule', async () => {
    const numbers = new Random(20_261_122);
    const random = (): number => numbers.next();
    const pick = <T>(list: T[]): T => numbers.pick(list);
    for (let round = 0; round < 40; round += 1) {
      const call = (await served.api.startCall({ caller_id: 'ada', max_participants: 3 })).body;
      const bob = (await served.api.join(call.call_id, 'bob')).body;
      const skew = (): number => Date.now() + Math.floor((random() - 0.6) * pick([100, 5_000, 10_000_000]));
      const rooms = [roomOf(call.call_id, skew()), roomOf(call.call_id, skew())];
      const connections = [
        connectionFor(call, 'ada', skew()),
        connectionFor(call, 'ada', skew()),
        connectionOf('ada', skew()),
        connectionFor(bob, 'bob', skew()),
        connectionOf('carol', skew()),
      ];
      const steps: (() => Promise<{ status: number; text: string }>)[] = Array.from({ length: 14 }, () => {
        const [room, connection, reason] = [pick(rooms), pick(connections), pick(reasons)];
        return pick([
          () => deliver(served.api, events.started(room, skew())),
          () => deliver(served.api, events.joined(room, connection, skew())),
          () => deliver(served.api, events.joined(room, connection, skew())),
          () => deliver(served.api, events.left(room, connection, reason, skew())),
          () => deliver(served.api, events.left(room, connection, reason, skew())),
          () => deliver(served.api, events.aborted(room, connection, reason, skew())),
          () => served.api.join(call.call_id, connection.identity),
          () => served.api.leave(call.call_id, connection.identity),
          ...(random() < 0.15 ? [() => deliver(served.api, events.finished(room, skew())), () => served.api.end(call.call_id)] : []),
        ]);
      });
      const together = round % 2 === 0;
      const answers = together ? await Promise.all(steps.map((step) => step())) : [];
      for (const step of together ? [] : steps) answers.push(await step());
      for (const { status, text } of answers) expect([200, 404, 409], text).toContain(status);
      const { participant_count, sessions } = (await served.api.call(call.call_id)).body;
      expect(participant_count).toBe(sessions.filter((session) => session.status === 'active').length);
      await served.api.end(call.call_id);
    }
    await expectInvariants(served.database);
  });
});
