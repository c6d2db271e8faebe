import { describe, expect, it } from 'vitest';
import { Api } from '../support/api.ts';
import { createDatabase, databaseKinds } from '../support/database.ts';
import { FakeLiveKit } from '../support/fake-livekit.ts';
import { expectInvariants } from '../support/invariants.ts';
import { Service } from '../support/service.ts';
import { until } from '../support/wait.ts';
import { connectionFor, deliverAll, events, roomOf } from '../support/webhooks.ts';

// The contract's minute is a minute of the clock: all cases wait for it together.
describe.concurrent.each(databaseKinds)('a room that finishes while somebody is on the way (%s)', (kind) => {
  it('leaves the call open for 60 seconds after the newest token, unless a room appears', { timeout: 120_000 }, async () => {
    const database = await createDatabase(kind);
    const livekit = await FakeLiveKit.start();
    const service = await Service.start(database, { LIVEKIT_URL: livekit.url });
    const api = new Api(service.port);
    const read = async (id: string) => (await api.call(id)).body;

    /** A call whose only participant has left, and for whom somebody then got a token. */
    const prepare = async () => {
      const call = (await api.startCall({ caller_id: 'ada' })).body;
      const room = roomOf(call.call_id);
      const connection = connectionFor(call, 'ada');
      await deliverAll(api, [events.started(room), events.joined(room, connection), events.left(room, connection)]);
      const left = Date.parse((await read(call.call_id)).sessions[0]!.left_at!);
      await until(() => Date.now() > left + 5);
      const bob = (await api.join(call.call_id, 'bob')).body;
      await deliverAll(api, [events.finished(room)]);
      expect((await read(call.call_id)).status).toBe('active');
      return { call, bob, handedOut: Date.now() };
    };

    const waiting = await prepare();
    const arriving = await prepare();
    const unheard = await prepare();
    livekit.rooms.set(unheard.call.room_name, [{ sid: 'PA_unheard', identity: 'bob' }]);
    const ended = await prepare();
    await api.end(ended.call.call_id);
    await service.stop();
    await service.restart();
    await deliverAll(api, [events.joined(roomOf(arriving.call.call_id), connectionFor(arriving.bob, 'bob'))]);

    await until(async () => (await read(waiting.call.call_id)).status === 'ended', { timeout: 75_000, interval: 200 });
    const after = Date.now() - waiting.handedOut;
    expect(after).toBeGreaterThan(58_000);
    expect(after).toBeLessThan(70_000);
    const { end_reason, ended_by, sessions, ended_at } = await read(waiting.call.call_id);
    expect({ end_reason, ended_by }).toEqual({ end_reason: 'room_finished', ended_by: null });
    expect(sessions.find((session) => session.user_id === 'bob')).toMatchObject({ end_reason: 'call_ended', left_at: ended_at });
    expect(await read(arriving.call.call_id)).toMatchObject({ status: 'active', participant_count: 1 });
    expect((await read(unheard.call.call_id)).status).toBe('active');
    expect(await read(ended.call.call_id)).toMatchObject({ end_reason: 'ended' });

    api.close();
    await service.stop();
    await livekit.stop();
    await expectInvariants(database);
    await database.remove();
  });
});
