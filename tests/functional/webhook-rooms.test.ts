import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { onEachDatabase, serve } from '../support/suite.ts';
import { until } from '../support/wait.ts';
import { connectionFor, connectionOf, deliverAll, events, roomOf, type Event } from '../support/webhooks.ts';

const iso = (at: number): string => new Date(at).toISOString();

onEachDatabase('what LiveKit tells of rooms', (kind) => {
  const served = serve(kind);
  const start = async (body: object = {}) => (await served.api.startCall({ caller_id: 'ada', ...body })).body;
  const tell = (...list: Event[]) => deliverAll(served.api, list);
  const read = async (id: string) => (await served.api.call(id)).body;
  const sessionOf = async (id: string, user: string) => (await read(id)).sessions.find((session) => session.user_id === user);

  describe('room_finished', () => {
    it('ends the call after the last has left, without deleting anything', async () => {
      const call = await start();
      const room = roomOf(call.call_id);
      const connection = connectionFor(call, 'ada');
      await tell(events.started(room), events.joined(room, connection), events.left(room, connection), events.finished(room));
      expect(await read(call.call_id)).toMatchObject({
        status: 'ended',
        end_reason: 'room_finished',
        ended_by: null,
        ended_by_type: null,
        room_deletion: null,
        participant_count: 0,
      });
      expect(await sessionOf(call.call_id, 'ada')).toMatchObject({ end_reason: 'left', disconnect_reason: 'client_initiated' });
    });

    it('ends all open sessions with the call', async () => {
      const call = await start();
      const room = roomOf(call.call_id);
      await served.api.join(call.call_id, 'bob');
      await tell(events.joined(room, connectionFor(call, 'ada')), events.finished(room));
      const { ended_at, sessions } = await read(call.call_id);
      expect(sessions).toHaveLength(2);
      for (const session of sessions) expect(session).toMatchObject({ status: 'ended', end_reason: 'call_ended', left_at: ended_at });
    });

    it('ends a call whose room nobody ever entered', async () => {
      const call = await start();
      const room = roomOf(call.call_id);
      await tell(events.started(room), events.finished(room));
      expect(await read(call.call_id)).toMatchObject({ status: 'ended', end_reason: 'room_finished' });
    });

    it('ends a call of whose room nothing else was told', async () => {
      const call = await start();
      await tell(events.finished(roomOf(call.call_id)));
      expect(await read(call.call_id)).toMatchObject({ status: 'ended', end_reason: 'room_finished' });
    });

    it('of an older generation ends nothing', async () => {
      const call = await start();
      const old = roomOf(call.call_id, Date.now() - 60_000);
      const current = roomOf(call.call_id);
      await tell(events.started(old), events.started(current), events.finished(old));
      expect((await read(call.call_id)).status).toBe('active');
      await tell(events.finished(current));
      expect((await read(call.call_id)).status).toBe('ended');
    });

    it('of an older generation ends nothing where room_started was lost', async () => {
      const call = await start();
      const old = roomOf(call.call_id, Date.now() - 60_000);
      const current = roomOf(call.call_id);
      await tell(events.joined(current, connectionFor(call, 'ada')), events.finished(old));
      expect(await read(call.call_id)).toMatchObject({ status: 'active', participant_count: 1 });
    });

    it('of a newer generation ends the call', async () => {
      const call = await start();
      const old = roomOf(call.call_id, Date.now() - 60_000);
      await tell(events.started(old), events.finished(roomOf(call.call_id)));
      expect((await read(call.call_id)).status).toBe('ended');
    });

    it('and a late room_started of an older generation changes nothing', async () => {
      const call = await start();
      const current = roomOf(call.call_id);
      await tell(events.started(current), events.started(roomOf(call.call_id, Date.now() - 60_000)), events.finished(current));
      expect((await read(call.call_id)).status).toBe('ended');
    });

    it('is bettered by the participant_left that comes after it', async () => {
      const call = await start();
      const room = roomOf(call.call_id);
      const connection = connectionFor(call, 'ada');
      await tell(events.joined(room, connection));
      const told = (Math.floor(Date.now() / 1000) + 1) * 1000;
      await until(() => Date.now() > told + 3_100);
      await tell(events.finished(room, told + 1_000), events.left(room, connection, 'CONNECTION_TIMEOUT', told));
      expect((await read(call.call_id)).ended_at).toBe(iso(told + 1_000));
      expect(await sessionOf(call.call_id, 'ada')).toMatchObject({
        end_reason: 'left',
        disconnect_reason: 'connection_timeout',
        left_at: iso(told),
      });
    });
  });

  describe('an ended call', () => {
    const ended = async () => {
      const call = await start();
      await tell(events.finished(roomOf(call.call_id, Date.now() - 10_000)));
      expect(await read(call.call_id)).toMatchObject({ status: 'ended', room_deletion: null });
      return call;
    };

    it('whose room comes back has it deleted, and stays ended', async () => {
      const call = await ended();
      const before = await read(call.call_id);
      await tell(events.started(roomOf(call.call_id)));
      expect(await read(call.call_id)).toEqual({ ...before, room_deletion: 'pending' });
    });

    it('that somebody enters has its room deleted, and gives no session', async () => {
      const call = await ended();
      const before = await read(call.call_id);
      await until(() => Date.now() > Date.parse(before.ended_at!) + 5);
      const room = roomOf(call.call_id);
      const intruder = connectionOf('intruder');
      await tell(events.joined(room, intruder), events.left(room, intruder, 'ROOM_DELETED'));
      expect(await read(call.call_id)).toEqual({ ...before, room_deletion: 'pending' });
    });

    it('learns late who was there before its end', async () => {
      const call = await start();
      const room = roomOf(call.call_id);
      const connection = connectionFor(call, 'ada', Date.now());
      await until(() => Date.now() > connection.joinedAt + 2);
      const end = (await served.api.end(call.call_id)).body;
      await tell(events.joined(room, connection), events.left(room, connection, 'ROOM_DELETED'));
      expect(await sessionOf(call.call_id, 'ada')).toMatchObject({
        session_id: call.session_id,
        status: 'ended',
        end_reason: 'call_ended',
        joined_at: iso(connection.joinedAt),
        left_at: end.ended_at,
        disconnect_reason: 'room_deleted',
      });
      expect(await read(call.call_id)).toMatchObject({ status: 'ended', ended_at: end.ended_at, end_reason: 'ended' });
    });

    it('keeps the end that was asked for when its room finishes', async () => {
      const call = await start();
      const room = roomOf(call.call_id);
      const connection = connectionFor(call, 'ada');
      await tell(events.started(room), events.joined(room, connection));
      const end = (await served.api.end(call.call_id)).body;
      await tell(events.left(room, connection, 'ROOM_DELETED'), events.finished(room));
      expect(await read(call.call_id)).toMatchObject({ ended_at: end.ended_at, end_reason: 'ended', ended_by: 'backend' });
      expect(await sessionOf(call.call_id, 'ada')).toMatchObject({
        end_reason: 'call_ended',
        left_at: end.ended_at,
        disconnect_reason: 'room_deleted',
      });
    });
  });

  describe('is ignored', () => {
    const ignoredTwice = async (make: () => Event) => {
      const event = make();
      expect(await tell(event, event)).toEqual(['ignored', 'ignored']);
    };

    it('for rooms that are not ours', async () => {
      const users = await served.database.query(`select count(*) as number from users`);
      for (const name of ['lobby', 'call_', 'call_x', `call_${randomUUID()}`, `Call_${randomUUID()}`, randomUUID(), '']) {
        const room = { ...roomOf('x'), name };
        await ignoredTwice(() => events.started(room));
        await ignoredTwice(() => events.joined(room, connectionOf('somebody-else')));
        await ignoredTwice(() => events.finished(room));
      }
      expect(await served.database.query(`select count(*) as number from users`)).toEqual(users);
    });

    it('for everybody who is no person', async () => {
      const call = await start();
      const room = roomOf(call.call_id);
      for (const sort of ['INGRESS', 'EGRESS', 'SIP', 'AGENT']) {
        const machine = connectionOf(`machine-${sort}`, Date.now(), { kind: sort });
        await ignoredTwice(() => events.joined(room, machine));
        await ignoredTwice(() => events.left(room, machine));
      }
      expect((await read(call.call_id)).sessions).toHaveLength(1);
    });

    it('for identities outside our rules', async () => {
      const call = await start();
      const room = roomOf(call.call_id);
      for (const identity of ['', ' x', '..', 'x'.repeat(129), 'a\nb']) {
        await ignoredTwice(() => events.joined(room, connectionOf(identity)));
        await ignoredTwice(() => events.left(room, connectionOf(identity)));
      }
      expect((await read(call.call_id)).sessions).toHaveLength(1);
    });

    it('for events that do not concern us, known or not', async () => {
      const call = await start();
      const room = roomOf(call.call_id);
      await ignoredTwice(() => events.trackPublished(room, connectionFor(call, 'ada')));
      await ignoredTwice(() => ({ ...events.started(room), event: 'egress_started', room: undefined! }));
      await ignoredTwice(() => ({ ...events.started(room), event: 'an_event_of_the_future' }));
      expect((await read(call.call_id)).sessions[0]?.status).toBe('pending');
    });
  });

  it('is applied without an effect where there is none, and its repetition is a duplicate', async () => {
    const call = await start();
    await served.api.end(call.call_id);
    const event = events.finished(roomOf(call.call_id));
    expect(await tell(event, event)).toEqual(['applied', 'duplicate']);
  });
});
