import { TokenVerifier } from 'livekit-server-sdk';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { Api } from '../support/api.ts';
import { createDatabase } from '../support/database.ts';
import { FakeLiveKit } from '../support/fake-livekit.ts';
import { outboxIsEmpty } from '../support/outbox.ts';
import { secrets, Service } from '../support/service.ts';
import { onEachDatabase, serve } from '../support/suite.ts';
import { until } from '../support/wait.ts';
import { connectionFor, connectionOf, deliverAll, events, roomOf } from '../support/webhooks.ts';

const livekit = await FakeLiveKit.start();
afterAll(() => livekit.stop());

onEachDatabase('what LiveKit has to do', (kind) => {
  const served = serve(kind, () => ({ LIVEKIT_URL: livekit.url }));
  beforeEach(() => {
    livekit.behaviour = 'normal';
  });

  const start = async () => {
    const call = (await served.api.startCall({ caller_id: 'ada' })).body;
    livekit.rooms.set(call.room_name, []);
    return call;
  };
  const deletionOf = async (id: string) => (await served.api.call(id)).body.room_deletion;
  const deleted = (id: string) => until(async () => (await deletionOf(id)) === 'done', { timeout: 20_000, what: 'room_deletion is done' });

  describe('an ended call\'s room', () => {
    it('is deleted, with a token that may do it and is never handed to users', async () => {
      const call = await start();
      await served.api.end(call.call_id);
      await deleted(call.call_id);
      expect(livekit.rooms.has(call.room_name)).toBe(false);
      const [request] = livekit.callsOf('DeleteRoom', call.room_name);
      const claims = await new TokenVerifier(secrets.livekitKey, secrets.livekitSecret).verify(request!.authorization.replace(/^Bearer /, ''));
      expect(claims.video?.roomCreate).toBe(true);
    });

    it('that is not there counts as deleted', async () => {
      const call = await start();
      livekit.rooms.delete(call.room_name);
      await served.api.end(call.call_id);
      await deleted(call.call_id);
    });

    it('is tried again, ever more rarely, while LiveKit refuses', async () => {
      livekit.behaviour = 'internal_error';
      const call = await start();
      await served.api.end(call.call_id);
      await until(() => livekit.callsOf('DeleteRoom', call.room_name).length >= 4, { timeout: 20_000 });
      expect(await deletionOf(call.call_id)).toBe('pending');
      const at = livekit.callsOf('DeleteRoom', call.room_name).map((request) => request.at);
      const gaps = at.slice(1).map((time, index) => time - at[index]!);
      expect(gaps[0]).toBeGreaterThan(200);
      expect(gaps[2]).toBeGreaterThan(gaps[0]!);
      livekit.behaviour = 'normal';
      await deleted(call.call_id);
      expect(livekit.rooms.has(call.room_name)).toBe(false);
    });

    it('that LiveKit refuses to delete holds up no other', async () => {
      livekit.behaviour = 'internal_error';
      const refused = await start();
      await served.api.end(refused.call_id);
      await until(() => livekit.callsOf('DeleteRoom', refused.room_name).length >= 1);
      livekit.behaviour = 'normal';
      const other = await start();
      await served.api.end(other.call_id);
      await deleted(other.call_id);
      await deleted(refused.call_id);
    });

    it('waits for a LiveKit that is away, which is asked about once a second and not for every room', async () => {
      livekit.behaviour = 'unavailable';
      const calls = await Promise.all(Array.from({ length: 20 }, () => start()));
      await Promise.all(calls.map((call) => served.api.end(call.call_id)));
      const before = livekit.calls.length;
      const since = Date.now();
      await until(() => Date.now() - since > 3_000 && livekit.calls.length > before);
      expect(livekit.calls.length - before).toBeLessThan(60);
      const settled = livekit.calls.length;
      const from = Date.now();
      await until(() => Date.now() - from > 3_000);
      expect(livekit.calls.length - settled).toBeLessThanOrEqual(6);
      livekit.behaviour = 'normal';
      await Promise.all(calls.map((call) => deleted(call.call_id)));
      for (const call of calls) expect(livekit.rooms.has(call.room_name)).toBe(false);
    });

    it('does not wait for a question that hangs: LiveKit is asked every second whether it answers again', { timeout: 60_000 }, async () => {
      const probes = (): number => livekit.calls.filter(({ method, body }) => method === 'ListRooms' && body.names?.[0]?.endsWith('-000000000000')).length;
      livekit.behaviour = 'hang';
      const call = await start();
      await served.api.end(call.call_id);
      const isNoticed = () => served.service.logs.findLast(({ event }) => /^livekit_(un)?reachable$/.test(String(event)))?.event === 'livekit_unreachable';
      await until(isNoticed, { timeout: 20_000, what: 'the outage is noticed' });
      const before = probes();
      await until(() => probes() >= before + 5, { timeout: 15_000, what: 'LiveKit is asked again and again' });
      livekit.behaviour = 'normal';
      await deleted(call.call_id);
    });

    it('is not waited for by end, however long LiveKit hangs', async () => {
      livekit.behaviour = 'hang';
      for (let index = 0; index < 5; index += 1) {
        const call = await start();
        const before = Date.now();
        const { body } = await served.api.end(call.call_id);
        expect(Date.now() - before).toBeLessThan(2_000);
        expect(body.room_deletion).toBe('pending');
      }
      const call = await start();
      await served.api.end(call.call_id);
      livekit.behaviour = 'normal';
      await deleted(call.call_id);
    });

    it('is deleted again when it comes back', async () => {
      const call = await start();
      await served.api.end(call.call_id);
      await deleted(call.call_id);
      for (const event of [events.started(roomOf(call.call_id)), events.joined(roomOf(call.call_id), connectionOf('ada'))]) {
        livekit.rooms.set(call.room_name, []);
        await deliverAll(served.api, [event]);
        await until(() => !livekit.rooms.has(call.room_name));
        await deleted(call.call_id);
      }
      expect(livekit.callsOf('DeleteRoom', call.room_name).length).toBeGreaterThanOrEqual(3);
    });

    it('is left alone when it finished by itself', async () => {
      const call = await start();
      await deliverAll(served.api, [events.finished(roomOf(call.call_id))]);
      const fence = await start();
      await served.api.end(fence.call_id);
      await deleted(fence.call_id);
      expect(livekit.callsOf('DeleteRoom', call.room_name)).toEqual([]);
      expect(await deletionOf(call.call_id)).toBeNull();
    });

    it('of a call that is not ours is never touched', async () => {
      const room = roomOf('01890000-0000-7000-8000-000000000001');
      livekit.rooms.set(room.name, []);
      await deliverAll(served.api, [events.started(room), events.joined(room, connectionOf('x')), events.finished(room)]);
      const fence = await start();
      await served.api.end(fence.call_id);
      await deleted(fence.call_id);
      expect(livekit.rooms.has(room.name)).toBe(true);
      expect(livekit.callsOf('DeleteRoom', room.name)).toEqual([]);
    });
  });

  describe('a participant who leaves by the API', () => {
    const connected = async (user: string) => {
      const call = await start();
      const joined = (await served.api.join(call.call_id, user)).body;
      const connection = connectionFor(joined, user);
      await deliverAll(served.api, [events.joined(roomOf(call.call_id), connection)]);
      return { call, connection };
    };

    it.each(['bob', 'Ünïcode / user 🙂'])('is removed from the room: %s', async (user) => {
      const { call, connection } = await connected(user);
      livekit.rooms.set(call.room_name, [{ sid: connection.sid, identity: user }]);
      await served.api.leave(call.call_id, user);
      await until(() => livekit.rooms.get(call.room_name)?.length === 0);
      expect(livekit.callsOf('RemoveParticipant', call.room_name)[0]?.body).toMatchObject({ identity: user });
    });

    it('is not removed when another connection of the user is there by now', async () => {
      const { call } = await connected('bob');
      livekit.rooms.set(call.room_name, [{ sid: 'PA_another', identity: 'bob' }]);
      await served.api.leave(call.call_id, 'bob');
      await until(() => [...livekit.callsOf('GetParticipant', call.room_name), ...livekit.callsOf('ListParticipants', call.room_name)].length > 0);
      await served.api.end(call.call_id);
      await deleted(call.call_id);
      expect(livekit.callsOf('RemoveParticipant', call.room_name)).toEqual([]);
    });

    it('is not looked for where there was no connection', async () => {
      const call = await start();
      await served.api.join(call.call_id, 'bob');
      livekit.rooms.set(call.room_name, [{ sid: 'PA_other', identity: 'bob' }]);
      await served.api.leave(call.call_id, 'bob');
      await served.api.end(call.call_id);
      await deleted(call.call_id);
      expect(livekit.callsOf('RemoveParticipant', call.room_name)).toEqual([]);
    });

    it('is removed once LiveKit is back', async () => {
      const { call, connection } = await connected('bob');
      livekit.rooms.set(call.room_name, [{ sid: connection.sid, identity: 'bob' }]);
      livekit.behaviour = 'unavailable';
      expect((await served.api.leave(call.call_id, 'bob')).status).toBe(200);
      livekit.behaviour = 'normal';
      await until(() => livekit.rooms.get(call.room_name)?.length === 0, { timeout: 20_000 });
    });

    it('and comes back while LiveKit hangs is not put out again', async () => {
      const { call, connection } = await connected('bob');
      livekit.rooms.set(call.room_name, [{ sid: connection.sid, identity: 'bob' }]);
      livekit.behaviour = 'hang';
      expect((await served.api.leave(call.call_id, 'bob')).status).toBe(200);
      await until(() => livekit.callsOf('GetParticipant', call.room_name).length > 0, { what: 'the removal is under way' });

      const again = connectionFor((await served.api.join(call.call_id, 'bob')).body, 'bob');
      await deliverAll(served.api, [events.joined(roomOf(call.call_id), again)]);
      livekit.rooms.set(call.room_name, [{ sid: again.sid, identity: 'bob' }]);
      livekit.behaviour = 'normal';
      await outboxIsEmpty(served, 20_000);
      expect(livekit.callsOf('RemoveParticipant', call.room_name)).toEqual([]);
      const { sessions } = (await served.api.call(call.call_id)).body;
      expect(sessions.filter(({ user_id }) => user_id === 'bob').map(({ status }) => status)).toEqual(['ended', 'active']);
    });
  });
});

onEachDatabase('what LiveKit has to do, across a power cut', (kind) => {
  it('is done after the restart', async () => {
    const database = await createDatabase(kind);
    const own = await FakeLiveKit.start();
    await own.stop();
    const service = await Service.start(database, { LIVEKIT_URL: own.url });
    const api = new Api(service.port);
    const call = (await api.startCall({ caller_id: 'ada' })).body;
    own.rooms.set(call.room_name, []);
    expect((await api.end(call.call_id)).body.room_deletion).toBe('pending');
    await service.kill();
    await own.listen();
    await service.restart();
    const again = new Api(service.port);
    await until(async () => (await again.call(call.call_id)).body.room_deletion === 'done', { timeout: 20_000 });
    expect(own.rooms.has(call.room_name)).toBe(false);
    api.close();
    again.close();
    await service.stop();
    await own.stop();
    await database.remove();
  });
});
