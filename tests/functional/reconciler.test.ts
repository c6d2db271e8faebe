import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeLiveKit } from '../support/fake-livekit.ts';
import { ComparedCall } from '../support/reconciling.ts';
import { onEachDatabase, serve } from '../support/suite.ts';
import { until } from '../support/wait.ts';
import { connectionFor, connectionOf, deliverAll, events, roomOf } from '../support/webhooks.ts';

const livekit = await FakeLiveKit.start();
afterAll(() => livekit.stop());

onEachDatabase('compared with LiveKit', (kind) => {
  const served = serve(kind, () => ({ LIVEKIT_URL: livekit.url, RECONCILE_INTERVAL_SECONDS: '1', ROOM_DEPARTURE_TIMEOUT_SECONDS: '2' }));
  beforeEach(() => {
    livekit.behaviour = 'normal';
  });
  const start = (caller?: string) => ComparedCall.start(served, livekit, caller);

  describe('who is there', () => {
    it('has an active session, though no webhook told of it', async () => {
      const call = await start();
      const joinedAt = Date.now() - 500;
      call.connect(connectionFor(call.call, 'ada', joinedAt));
      const session = await call.sessionOf('ada', { status: 'active' });
      expect(session).toMatchObject({ session_id: call.call.session_id, joined_at: new Date(joinedAt).toISOString() });
      expect(await call.read()).toMatchObject({ participant_count: 1 });
      expect(await call.causes('session.joined')).toEqual(['reconciler']);
      expect(await call.causes('room.started')).toEqual(['reconciler']);
    });

    it('gets a session of its own where nobody handed out a token', async () => {
      const call = await start();
      call.connect(connectionOf('guest'));
      await call.sessionOf('guest', { status: 'active' });
      expect((await call.session('ada'))?.status).toBe('pending');
    });

    it.each(['JOINING', 'JOINED'])('is not connected yet while LiveKit says %s', async (state) => {
      const call = await start();
      call.connect(connectionFor(call.call, 'ada'), { state });
      await call.looks(4);
      expect((await call.session('ada'))?.status).toBe('pending');
    });

    it.each(['AGENT', 'EGRESS', 'INGRESS', 'SIP'])('is nobody to us as %s', async (kindOf) => {
      const call = await start();
      call.connect(connectionOf('helper'), { kind: kindOf });
      await call.looks(4);
      expect(await call.session('helper')).toBeUndefined();
    });

    it('replaces the user\'s former connection', async () => {
      const call = await start();
      const first = await call.enter('ada');
      const again = (await served.api.join(call.id, 'ada')).body;
      call.vanish(first);
      const second = call.connect(connectionFor(again, 'ada', Date.now() + 5));
      await call.sessionOf('ada', { session_id: again.session_id, status: 'active' });
      const former = (await call.read()).sessions.find(({ session_id }) => session_id === first.session_id);
      expect(former).toMatchObject({ end_reason: 'replaced', left_at: new Date(second.joinedAt).toISOString() });
    });

    it('though known to have left is let in nowhere, and taken out', async () => {
      const call = await start();
      await call.enter('bob');
      const ada = await call.enter('ada');
      await deliverAll(served.api, [events.left(call.room, ada)]);
      await until(() => livekit.callsOf('RemoveParticipant', call.call.room_name).length > 0, { timeout: 15_000 });
      expect(livekit.callsOf('RemoveParticipant', call.call.room_name)[0]!.body.identity).toBe('ada');
      expect(await call.session('ada')).toMatchObject({ status: 'ended', end_reason: 'left' });
      expect((await call.read()).participant_count).toBe(1);
    });

    it('is told of by a late webhook, too, which changes nothing', async () => {
      const call = await start();
      const ada = call.connect(connectionFor(call.call, 'ada'));
      const before = await call.sessionOf('ada', { status: 'active' });
      expect(await deliverAll(served.api, [events.joined(call.room, ada)])).toEqual(['applied']);
      expect(await call.session('ada')).toEqual(before);
    });
  });

  describe('who is gone', () => {
    it('has left when last seen, not when that was found out', async () => {
      const call = await start();
      await call.enter('bob');
      const ada = await call.enter('ada');
      await call.looks(2);
      const vanished = Date.now();
      call.vanish(ada);
      const session = await call.sessionOf('ada', { status: 'ended', end_reason: 'reconciled', disconnect_reason: null });
      expect(Date.parse(session.left_at!)).toBeLessThanOrEqual(vanished);
      expect(Date.parse(session.left_at!)).toBeGreaterThan(ada.joinedAt);
      expect(await call.causes('session.left')).toEqual(['reconciler']);
      expect(await call.session('bob')).toMatchObject({ status: 'active' });
      expect((await call.read()).status).toBe('active');
    });

    it('is still there when only one answer missed them', async () => {
      const call = await start();
      await call.enter('ada');
      await call.looks(1);
      livekit.forgetOnce.add(call.call.room_name);
      await call.looks(5);
      expect(livekit.forgetOnce.has(call.call.room_name)).toBe(false);
      expect(await call.session('ada')).toMatchObject({ status: 'active' });
    });

    it('ends as LiveKit says when its webhook comes after all', async () => {
      const call = await start();
      await call.enter('bob');
      const ada = await call.enter('ada');
      call.vanish(ada);
      await call.sessionOf('ada', { end_reason: 'reconciled' });
      const leftAt = Date.now() - 60_000;
      await deliverAll(served.api, [events.left(call.room, ada, 'CLIENT_INITIATED', leftAt)]);
      expect(await call.session('ada')).toMatchObject({ end_reason: 'left', disconnect_reason: 'client_initiated' });
    });

    it('does not take a pending session along', async () => {
      const call = await start();
      const bob = await call.enter('bob');
      call.vanish(bob);
      await call.sessionOf('bob', { end_reason: 'reconciled' });
      await call.looks(3);
      expect(await call.session('ada')).toMatchObject({ status: 'pending' });
    });
  });

  describe('a room that is gone', () => {
    const backdateTokens = (id: string) =>
      served.database.execute(`update calls set token_issued_at = '${new Date(Date.now() - 61_000).toISOString()}' where call_id = '${id}'`);

    it('ends its call when nobody was seen in it for the departure time-out, and no token is fresh', async () => {
      const call = await start();
      await call.enter('ada');
      livekit.rooms.delete(call.call.room_name);
      const session = await call.sessionOf('ada', { end_reason: 'reconciled' });
      await call.looks(0);
      expect((await call.read()).status).toBe('active');
      await backdateTokens(call.id);
      const ended = await until(async () => {
        const now = await call.read();
        return now.status === 'ended' && now;
      });
      expect(ended).toMatchObject({ end_reason: 'reconciled', ended_by: null, room_deletion: null, participant_count: 0 });
      expect(ended.ended_at! >= session.left_at!).toBe(true);
      expect(Date.parse(ended.ended_at!)).toBeLessThan(Date.parse(session.left_at!) + 1_000);
      expect(await call.causes('call.ended')).toEqual(['reconciler']);
      expect(livekit.callsOf('DeleteRoom', call.call.room_name)).toEqual([]);
    });

    it('that nobody had entered ends nothing', async () => {
      const call = await start();
      livekit.rooms.delete(call.call.room_name);
      await backdateTokens(call.id);
      const fence = await start();
      await fence.enter('bob');
      await fence.looks(5);
      expect(await call.read()).toMatchObject({ status: 'active' });
      expect((await call.session('ada'))?.status).toBe('pending');
    });

    it('and is made anew begins another generation', async () => {
      const call = await start();
      const ada = await call.enter('ada');
      const again = { ...roomOf(call.id, Date.now()) };
      livekit.generations.set(call.call.room_name, again);
      livekit.rooms.set(call.call.room_name, []);
      const bob = (await served.api.join(call.id, 'bob')).body;
      call.connect(connectionFor(bob, 'bob'));
      await call.sessionOf('bob', { status: 'active' });
      await call.sessionOf('ada', { status: 'ended', end_reason: 'reconciled' });
      expect((await call.session('ada'))!.left_at! >= new Date(ada.joinedAt).toISOString()).toBe(true);
      expect((await call.read()).status).toBe('active');
    });
  });

  describe('a room without an open call', () => {
    it('is deleted if its call has ended', async () => {
      const call = await start();
      await served.api.end(call.id);
      await until(async () => (await call.read()).room_deletion === 'done');
      livekit.rooms.set(call.call.room_name, [connectionOf('ada')]);
      await until(() => !livekit.rooms.has(call.call.room_name), { timeout: 15_000, what: 'the room is deleted again' });
      await until(async () => (await call.read()).room_deletion === 'done');
      expect(await call.causes('room.deletion_requested')).toEqual(['api', 'reconciler']);
    });

    it('is never touched if we do not know it, but told of', async () => {
      const name = roomOf('01890000-0000-7000-8000-00000000000a').name;
      livekit.rooms.set(name, [connectionOf('ada')]);
      await until(() => served.service.logs.some((line) => line.event === 'room_of_unknown_call' && line.room === name), { timeout: 15_000 });
      const fence = await start();
      await fence.enter('bob');
      await fence.looks(3);
      expect(livekit.rooms.has(name)).toBe(true);
      expect(livekit.callsOf('DeleteRoom', name)).toEqual([]);
      expect(served.service.logs.filter((line) => line.event === 'room_of_unknown_call' && line.room === name)).toHaveLength(1);
      livekit.rooms.delete(name);
    });
  });
});
