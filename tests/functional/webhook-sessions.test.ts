import { describe, expect, it } from 'vitest';
import type { Session } from '../support/api.ts';
import { onEachDatabase, serve } from '../support/suite.ts';
import { until } from '../support/wait.ts';
import { connectionFor, connectionOf, deliver, deliverAll, events, roomOf, type Event } from '../support/webhooks.ts';

const iso = (at: number): string => new Date(at).toISOString();

onEachDatabase('what LiveKit tells of participants', (kind) => {
  const served = serve(kind);

  /** A call with its room, and a way to look at a user's sessions. */
  async function scene(body: object = {}) {
    const call = (await served.api.startCall({ caller_id: 'ada', ...body })).body;
    const room = roomOf(call.call_id);
    const tell = (...list: Event[]) => deliverAll(served.api, list);
    const read = async () => (await served.api.call(call.call_id)).body;
    const sessionsOf = async (user: string): Promise<Session[]> => (await read()).sessions.filter((session) => session.user_id === user);
    const join = async (user: string) => (await served.api.join(call.call_id, user)).body;
    return { call, room, tell, read, sessionsOf, join, id: call.call_id };
  }

  describe('participant_joined', () => {
    it('makes the session of the token active, from LiveKit\'s own time on', async () => {
      const { call, room, tell, sessionsOf, read } = await scene();
      const joinedAt = Date.now() - 1234;
      expect(await tell(events.started(room), events.joined(room, connectionFor(call, 'ada', joinedAt)))).toEqual(['applied', 'applied']);
      expect(await sessionsOf('ada')).toEqual([
        expect.objectContaining({ session_id: call.session_id, status: 'active', joined_at: iso(joinedAt), left_at: null, end_reason: null }),
      ]);
      expect((await read()).participant_count).toBe(1);
    });

    it('takes joinedAt without joinedAtMs, and createdAt without both', async () => {
      const { room, tell, sessionsOf } = await scene();
      const at = Math.floor(Date.now() / 1000) * 1000;
      const seconds = events.joined(room, connectionOf('in-seconds', at - 5_000), at);
      delete seconds.participant?.joinedAtMs;
      const neither = events.joined(room, connectionOf('neither'), at - 3_000);
      delete neither.participant?.joinedAtMs;
      delete neither.participant?.joinedAt;
      await tell(seconds, neither);
      expect((await sessionsOf('in-seconds'))[0]?.joined_at).toBe(iso(at - 5_000));
      expect((await sessionsOf('neither'))[0]?.joined_at).toBe(iso(at - 3_000));
    });

    it('reads numbers and snake_case as well', async () => {
      const { room, tell, sessionsOf, call } = await scene();
      const event = events.joined(room, connectionFor(call, 'ada'));
      const joinedAt = Date.now() - 777;
      event.participant = { sid: event.participant?.sid, identity: 'ada', state: 'ACTIVE', joined_at_ms: joinedAt, attributes: event.participant?.attributes };
      await tell(event);
      expect((await sessionsOf('ada'))[0]).toMatchObject({ session_id: call.session_id, joined_at: iso(joinedAt) });
    });

    it('takes the place of a connection that has left without a word, whichever session was made first', async () => {
      const { call, room, tell, sessionsOf, join } = await scene();
      const now = Date.now();
      const first = connectionFor(call, 'ada', now - 3_000);
      await tell(events.started(room), events.joined(room, first));
      const pending = await join('ada');
      const again = connectionFor(call, 'ada', now - 2_000);
      const last = connectionFor(pending, 'ada', now - 1_000);
      expect(await tell(events.joined(room, again), events.joined(room, last))).toEqual(['applied', 'applied']);
      const sessions = await sessionsOf('ada');
      expect(sessions.find(({ session_id }) => session_id === pending.session_id)).toMatchObject({ status: 'active', joined_at: iso(now - 1_000) });
      expect(sessions.filter(({ status }) => status === 'ended').map(({ end_reason }) => end_reason)).toEqual(['replaced', 'replaced']);
    });

    it('without the attribute takes the user\'s pending session, else makes a new one', async () => {
      const { call, room, tell, sessionsOf } = await scene();
      await tell(events.joined(room, connectionOf('ada')), events.joined(room, connectionOf('unannounced')));
      expect(await sessionsOf('ada')).toEqual([expect.objectContaining({ session_id: call.session_id, status: 'active' })]);
      expect(await sessionsOf('unannounced')).toEqual([expect.objectContaining({ status: 'active' })]);
      expect(await served.database.query(`select user_id from users where user_id = 'unannounced'`)).toHaveLength(1);
    });

    it('never takes a session of another user or of another call', async () => {
      const { call, room, tell, sessionsOf, join } = await scene();
      const other = await scene();
      const bob = await join('bob');
      await tell(events.joined(room, connectionFor({ ...call, session_id: bob.session_id }, 'eve')));
      await tell(events.joined(room, connectionFor({ ...call, session_id: other.call.session_id }, 'ada')));
      expect((await sessionsOf('bob'))[0]?.status).toBe('pending');
      expect((await other.sessionsOf('ada'))[0]?.status).toBe('pending');
      expect((await sessionsOf('eve'))[0]?.status).toBe('active');
      expect((await sessionsOf('ada')).filter((session) => session.status === 'active')).toHaveLength(1);
    });

    it('told twice with different ids changes nothing the second time', async () => {
      const { call, room, tell, sessionsOf } = await scene();
      const connection = connectionFor(call, 'ada');
      expect(await tell(events.joined(room, connection), events.joined(room, connection))).toEqual(['applied', 'applied']);
      expect(await sessionsOf('ada')).toHaveLength(1);
    });

    it('a newer connection of the user ends the older as replaced when it began', async () => {
      const { call, room, tell, sessionsOf, join } = await scene();
      const began = Date.now();
      await tell(events.joined(room, connectionFor(call, 'ada', began)));
      const second = connectionFor(await join('ada'), 'ada', began + 10);
      await until(() => Date.now() > second.joinedAt);
      await tell(events.joined(room, second));
      const [older, newer] = await sessionsOf('ada');
      expect(older).toMatchObject({ session_id: call.session_id, status: 'ended', end_reason: 'replaced', left_at: iso(began + 10) });
      expect(newer).toMatchObject({ status: 'active', joined_at: iso(began + 10) });
    });

    it('an older connection that is told of late is replaced at once, the newer stays', async () => {
      const { call, room, tell, sessionsOf, read } = await scene();
      const now = Date.now();
      await tell(events.joined(room, connectionFor(call, 'ada', now)), events.joined(room, connectionOf('ada', now - 500)));
      const sessions = await sessionsOf('ada');
      expect(sessions).toHaveLength(2);
      expect(sessions.find((session) => session.joined_at === iso(now))?.status).toBe('active');
      expect(sessions.find((session) => session.joined_at === iso(now - 500))).toMatchObject({ status: 'ended', end_reason: 'replaced' });
      expect((await read()).participant_count).toBe(1);
    });
  });

  describe('participant_left', () => {
    const reasons: [string, string][] = [
      ['CLIENT_INITIATED', 'left'],
      ['CONNECTION_TIMEOUT', 'left'],
      ['STATE_MISMATCH', 'left'],
      ['SERVER_SHUTDOWN', 'left'],
      ['A_REASON_OF_THE_FUTURE', 'left'],
      ['PARTICIPANT_REMOVED', 'removed'],
      ['DUPLICATE_IDENTITY', 'replaced'],
      ['ROOM_DELETED', 'call_ended'],
      ['ROOM_CLOSED', 'call_ended'],
    ];

    it.each(reasons)('for %s ends the session as %s, the call goes on', async (reason, end_reason) => {
      const { call, room, tell, sessionsOf, read } = await scene();
      const connection = connectionFor(call, 'ada');
      await tell(events.joined(room, connection), events.left(room, connection, reason));
      const [session] = await sessionsOf('ada');
      expect(session).toMatchObject({ status: 'ended', end_reason, disconnect_reason: reason.toLowerCase() });
      expect(Math.abs(Date.parse(session!.left_at!) - Date.now())).toBeLessThan(3_000);
      expect(await read()).toMatchObject({ status: 'active', participant_count: 0 });
    });

    it('of a connection that was never told of makes an ended session, which the late join does not reopen', async () => {
      const { call, room, tell, sessionsOf } = await scene();
      const connection = connectionFor(call, 'ada', Date.now() - 300);
      await tell(events.left(room, connection), events.joined(room, connection));
      expect(await sessionsOf('ada')).toEqual([
        expect.objectContaining({ session_id: call.session_id, status: 'ended', end_reason: 'left', joined_at: iso(connection.joinedAt) }),
      ]);
    });

    it('tells better than a replacement did', async () => {
      const { call, room, tell, sessionsOf } = await scene();
      const first = connectionFor(call, 'ada', Date.now() - 200);
      await tell(events.joined(room, first), events.joined(room, connectionOf('ada')), events.left(room, first, 'CLIENT_INITIATED'));
      const older = (await sessionsOf('ada')).find((session) => session.session_id === call.session_id);
      expect(older).toMatchObject({ status: 'ended', end_reason: 'left', disconnect_reason: 'client_initiated' });
    });

    it('of a newer connection replaces the older one too', async () => {
      const { call, room, tell, sessionsOf } = await scene();
      const now = Date.now();
      const newer = connectionOf('ada', now);
      await tell(events.joined(room, connectionFor(call, 'ada', now - 400)), events.left(room, newer));
      const sessions = await sessionsOf('ada');
      expect(sessions.find((session) => session.joined_at === iso(now - 400))).toMatchObject({ status: 'ended', end_reason: 'replaced' });
      expect(sessions.find((session) => session.joined_at === iso(now))).toMatchObject({ status: 'ended', end_reason: 'left' });
    });

    it('of an old connection does not end the one that came back', async () => {
      const { call, room, tell, read, sessionsOf } = await scene();
      const first = connectionFor(call, 'ada', Date.now() - 200);
      const second = connectionOf('ada');
      await tell(events.joined(room, first), events.joined(room, second), events.left(room, first, 'DUPLICATE_IDENTITY'));
      expect((await read()).participant_count).toBe(1);
      expect((await sessionsOf('ada')).filter((session) => session.status === 'active')).toHaveLength(1);
    });

    it('after leave keeps that end and only adds the disconnect reason', async () => {
      const { call, room, tell, sessionsOf, id } = await scene();
      const connection = connectionFor(call, 'ada');
      await tell(events.joined(room, connection));
      const left = (await served.api.leave(id, 'ada')).body;
      await tell(events.left(room, connection, 'PARTICIPANT_REMOVED'));
      expect(await sessionsOf('ada')).toEqual([{ ...left, disconnect_reason: 'participant_removed' }]);
    });

    it('that arrives late counts from when LiveKit said it', async () => {
      const { call, room, tell, sessionsOf } = await scene();
      const connection = connectionFor(call, 'ada');
      await tell(events.joined(room, connection));
      const told = (Math.floor(Date.now() / 1000) + 1) * 1000;
      await until(() => Date.now() > told + 2_100);
      await tell(events.left(room, connection, 'CLIENT_INITIATED', told));
      expect((await sessionsOf('ada'))[0]?.left_at).toBe(iso(told));
    });

    it('never ends a session before it began, whatever the clocks say', async () => {
      const { call, room, tell, sessionsOf } = await scene();
      const connection = connectionFor(call, 'ada', Date.now() - 50);
      await tell(events.joined(room, connection), events.left(room, connection, 'CLIENT_INITIATED', Date.now() - 3_600_000));
      const [session] = await sessionsOf('ada');
      expect(Date.parse(session!.left_at!)).toBe(Math.max(Date.parse(session!.created_at), connection.joinedAt));
    });

    it('bends to a clock that is an hour ahead', async () => {
      const { call, room, tell, sessionsOf, id } = await scene();
      const ahead = Date.now() + 3_600_000;
      const connection = connectionFor(call, 'ada', ahead);
      await tell(events.joined(room, connection, ahead), events.left(room, connection, 'CLIENT_INITIATED', ahead));
      const [session] = await sessionsOf('ada');
      expect(session!.status).toBe('ended');
      expect(session!.joined_at! <= session!.left_at!).toBe(true);
      expect((await served.api.end(id)).status).toBe(200);
    });
  });

  describe('participant_connection_aborted', () => {
    it('ends the session as connection_aborted', async () => {
      const { call, room, tell, sessionsOf, read } = await scene();
      await tell(events.aborted(room, connectionFor(call, 'ada'), 'SIGNAL_CLOSE'));
      expect(await sessionsOf('ada')).toEqual([
        expect.objectContaining({ session_id: call.session_id, status: 'ended', end_reason: 'connection_aborted', disconnect_reason: 'signal_close' }),
      ]);
      expect((await read()).status).toBe('active');
    });

    it('followed by a late join of the same connection stays ended', async () => {
      const { call, room, tell, sessionsOf } = await scene();
      const connection = connectionFor(call, 'ada');
      await tell(events.aborted(room, connection), events.joined(room, connection));
      expect((await sessionsOf('ada')).map(({ status }) => status)).toEqual(['ended']);
    });
  });

  describe('the same event', () => {
    it('is applied once, and is a duplicate after a restart too', async () => {
      const { call, room } = await scene();
      const event = events.joined(room, connectionFor(call, 'ada'));
      expect((await deliver(served.api, event)).body).toEqual({ result: 'applied' });
      expect((await deliver(served.api, event)).body).toEqual({ result: 'duplicate' });
      await served.service.stop();
      await served.service.restart();
      expect((await deliver(served.api, event)).body).toEqual({ result: 'duplicate' });
    });

    it('arriving eight times at once is applied once', async () => {
      const { call, room, sessionsOf } = await scene();
      const event = events.joined(room, connectionFor(call, 'ada'));
      const answers = await Promise.all(Array.from({ length: 8 }, () => deliver(served.api, event)));
      expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
      expect(answers.filter(({ body }) => body.result === 'applied')).toHaveLength(1);
      expect(answers.filter(({ body }) => body.result === 'duplicate')).toHaveLength(7);
      expect(await sessionsOf('ada')).toHaveLength(1);
      const stored = await served.database.query(`select event_id from webhook_events where event_id = '${event.id}'`);
      expect(stored).toHaveLength(1);
    });
  });
});
