import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeLiveKit } from '../support/fake-livekit.ts';
import { ComparedCall } from '../support/reconciling.ts';
import { onEachDatabase, serve } from '../support/suite.ts';
import { until } from '../support/wait.ts';
import { connectionFor, deliverAll, events } from '../support/webhooks.ts';

const livekit = await FakeLiveKit.start();
afterAll(() => livekit.stop());

const before = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();

onEachDatabase('a silence, without a comparison', (kind) => {
  const served = serve(kind, () => ({ LIVEKIT_URL: livekit.url, RECONCILE_INTERVAL_SECONDS: '0', CALL_NEVER_JOINED_TIMEOUT_SECONDS: '60' }));
  beforeEach(() => {
    livekit.behaviour = 'normal';
  });
  const start = (caller?: string) => ComparedCall.start(served, livekit, caller);

  /** The session's newest token ended so long ago; what end the session then has. */
  const expire = async (sessionId: string, seconds = 61) => {
    const expired = before(seconds);
    await served.database.execute(`update sessions set token_expires_at = '${expired}' where session_id = '${sessionId}'`);
    return new Date(Date.parse(expired) + 60_000).toISOString();
  };
  /** The call's newest token was handed out so long ago. */
  const grow = (call: ComparedCall, seconds = 61) =>
    served.database.execute(`update calls set started_at = '${before(seconds)}', token_issued_at = '${before(seconds)}' where call_id = '${call.id}'`);
  /** Whatever was due before is done or postponed. */
  const fence = async () => {
    const call = await start('fence');
    await expire(call.call.session_id);
    await call.sessionOf('fence', { end_reason: 'never_joined' });
  };

  describe('of a pending session, a minute after its newest token', () => {
    it('ends it, then', async () => {
      const call = await start();
      const left_at = await expire(call.call.session_id);
      const session = await call.sessionOf('ada', { status: 'ended' });
      expect(session).toMatchObject({ end_reason: 'never_joined', joined_at: null });
      // The token is older than the session here, which a session's end never is.
      expect(session.left_at).toBe([left_at, session.created_at].sort().at(-1));
      expect(await call.causes('session.left')).toEqual(['timer']);
      expect(await call.read()).toMatchObject({ status: 'active' });
    });

    it('does not end it earlier', async () => {
      const call = await start();
      await expire(call.call.session_id, 50);
      await fence();
      expect((await call.session('ada'))?.status).toBe('pending');
    });

    it('makes it active if the user is there', async () => {
      const call = await start();
      call.connect(connectionFor(call.call, 'ada'));
      await expire(call.call.session_id);
      await call.sessionOf('ada', { status: 'active', session_id: call.call.session_id });
    });

    it('waits while the user is about to connect', async () => {
      const call = await start();
      const connection = connectionFor(call.call, 'ada');
      call.connect(connection, { state: 'JOINED' });
      await expire(call.call.session_id);
      await fence();
      expect((await call.session('ada'))?.status).toBe('pending');
      call.vanish(connection);
      await call.sessionOf('ada', { end_reason: 'never_joined' });
    });

    it('ends it also where the user is there on a connection of another session', async () => {
      const call = await start();
      const first = await call.enter('ada');
      const again = (await served.api.join(call.id, 'ada')).body;
      await expire(again.session_id);
      const ended = await until(async () => (await call.read()).sessions.find(({ session_id, status }) => session_id === again.session_id && status === 'ended'));
      expect(ended.end_reason).toBe('never_joined');
      expect((await call.read()).sessions.find(({ session_id }) => session_id === first.session_id)).toMatchObject({ status: 'active' });
    });

    it('begins again with a fresh token', async () => {
      const call = await start();
      livekit.behaviour = 'internal_error';
      await expire(call.call.session_id);
      await served.api.join(call.id, 'ada');
      livekit.behaviour = 'normal';
      await fence();
      expect((await call.session('ada'))?.status).toBe('pending');
    });
  });

  describe('of a call that nobody entered', () => {
    it('ends it with its sessions, and its room is deleted', async () => {
      const call = await start();
      const bob = (await served.api.join(call.id, 'bob')).body;
      await grow(call);
      const ended = await until(async () => {
        const now = await call.read();
        return now.status === 'ended' && now;
      });
      expect(ended).toMatchObject({ end_reason: 'never_joined', ended_by: null, ended_by_type: null });
      expect(ended.sessions.map(({ session_id, end_reason, left_at }) => ({ session_id, end_reason, left_at }))).toEqual(
        [call.call.session_id, bob.session_id].map((session_id) => ({ session_id, end_reason: 'never_joined', left_at: ended.ended_at })),
      );
      expect(await call.causes('call.ended')).toEqual(['timer']);
      await until(async () => (await call.read()).room_deletion === 'done');
      expect(livekit.rooms.has(call.call.room_name)).toBe(false);
      expect((await served.api.join(call.id, 'bob')).status).toBe(409);
    });

    it('waits for a token that was handed out since', async () => {
      const call = await start();
      await grow(call, 600);
      await served.api.join(call.id, 'bob');
      await fence();
      expect(await call.read()).toMatchObject({ status: 'active' });
    });

    it('shows who is there', async () => {
      const call = await start();
      call.connect(connectionFor(call.call, 'ada'));
      await grow(call);
      await call.sessionOf('ada', { status: 'active' });
      await fence();
      expect(await call.read()).toMatchObject({ status: 'active', participant_count: 1 });
    });

    it('is none once somebody was there', async () => {
      const call = await start();
      const ada = await call.enter('ada');
      call.vanish(ada);
      await deliverAll(served.api, [events.left(call.room, ada)]);
      await grow(call);
      await fence();
      expect(await call.read()).toMatchObject({ status: 'active' });
    });
  });

  it('is the only thing that asks: who vanishes without a word stays', async () => {
    const call = await start();
    const bob = await call.enter('bob');
    call.vanish(bob);
    await expire(call.call.session_id);
    await call.sessionOf('ada', { end_reason: 'never_joined' });
    await fence();
    expect(await call.session('bob')).toMatchObject({ status: 'active' });
  });
});
