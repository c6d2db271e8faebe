import { afterAll, describe, expect, it } from 'vitest';
import { Api, type StartedCall } from '../support/api.ts';
import { createDatabase } from '../support/database.ts';
import { FakeLiveKit } from '../support/fake-livekit.ts';
import { expectInvariants } from '../support/invariants.ts';
import { Service } from '../support/service.ts';
import { onEachDatabase, serve } from '../support/suite.ts';
import { until } from '../support/wait.ts';
import { connectionFor, connectionOf, deliverAll, events, roomOf } from '../support/webhooks.ts';

const livekit = await FakeLiveKit.start();
afterAll(() => livekit.stop());

const longest = 4;
const ended = (api: Api, id: string) =>
  until(async () => (await api.call(id)).body.status === 'ended', { timeout: 15_000, interval: 10, what: 'the call ends' });
const lasted = (call: { started_at: string; ended_at: string | null }) => Date.parse(call.ended_at!) - Date.parse(call.started_at);
const timeline = async (api: Api, id: string) => (await api.get(`/calls/${id}/timeline`)).body.data as Record<string, any>[];

onEachDatabase('CALL_MAX_DURATION_SECONDS', (kind) => {
  const served = serve(kind, () => ({ LIVEKIT_URL: livekit.url, CALL_MAX_DURATION_SECONDS: String(longest) }));

  it('ends a call and all its sessions at that moment, and has the room deleted', async () => {
    const call = (await served.api.startCall({ caller_id: 'ada' })).body;
    livekit.rooms.set(call.room_name, []);
    const room = roomOf(call.call_id);
    const bob = (await served.api.join(call.call_id, 'bob')).body;
    await deliverAll(served.api, [events.started(room), events.joined(room, connectionFor(call, 'ada')), events.joined(room, connectionOf('eve'))]);
    await ended(served.api, call.call_id);
    const { body } = await served.api.call(call.call_id);
    expect(Date.now() - Date.parse(call.started_at)).toBeLessThan(longest * 1000 + 5_000);
    expect(body).toMatchObject({ end_reason: 'max_duration', ended_by: null, ended_by_type: null, participant_count: 0 });
    expect(lasted(body)).toBe(longest * 1000);
    expect(body.sessions.map(({ user_id }) => user_id).sort()).toEqual(['ada', 'bob', 'eve']);
    for (const session of body.sessions) {
      expect(session).toMatchObject({ status: 'ended', left_at: body.ended_at, end_reason: 'call_ended' });
    }
    const byTimer = (await timeline(served.api, call.call_id)).filter((entry) => entry.cause === 'timer' && entry.type !== 'room.deleted');
    expect(byTimer.map(({ type }) => type).sort()).toEqual(['call.ended', 'room.deletion_requested', 'session.left', 'session.left', 'session.left']);
    expect(byTimer.find(({ type }) => type === 'call.ended')).toMatchObject({ occurred_at: body.ended_at, detail: { end_reason: 'max_duration' } });
    await until(async () => (await served.api.call(call.call_id)).body.room_deletion === 'done');
    expect(livekit.rooms.has(call.room_name)).toBe(false);
    expect(bob.call_id).toBe(call.call_id);
    expect((await served.api.join(call.call_id, 'bob')).status).toBe(409);
  });

  it('ends many at their moments, also while LiveKit is away', async () => {
    livekit.behaviour = 'unavailable';
    const calls = await Promise.all(Array.from({ length: 150 }, () => served.api.startCall({ caller_id: 'ada' })));
    await Promise.all(calls.map(({ body }) => ended(served.api, body.call_id)));
    livekit.behaviour = 'normal';
    for (const { body } of calls) expect(lasted((await served.api.call(body.call_id)).body)).toBe(longest * 1000);
  });

  it('leaves a call that was ended before as it is', async () => {
    const call = (await served.api.startCall({ caller_id: 'ada' })).body;
    const { body } = await served.api.end(call.call_id);
    const fence = (await served.api.startCall({ caller_id: 'ada' })).body;
    await ended(served.api, fence.call_id);
    expect((await served.api.call(call.call_id)).body).toMatchObject({ end_reason: 'ended', ended_at: body.ended_at });
  });
});

onEachDatabase('the longest duration across a power cut', (kind) => {
  it('is counted from the start, and nothing seen since is bent', async () => {
    const database = await createDatabase(kind);
    const own = await FakeLiveKit.start();
    const changes = { LIVEKIT_URL: own.url, CALL_MAX_DURATION_SECONDS: '600' };
    const service = await Service.start(database, changes);
    const api = new Api(service.port);
    const start = async (): Promise<StartedCall> => (await api.startCall({ caller_id: 'ada' })).body;
    const [quiet, busy] = [await start(), await start()];
    await until(() => Date.now() - Date.parse(busy.started_at) > 1_500);
    const room = roomOf(busy.call_id);
    const connection = connectionFor(busy, 'ada');
    await deliverAll(api, [events.started(room), events.joined(room, connection)]);
    await service.kill();
    await service.restart({ CALL_MAX_DURATION_SECONDS: '1' });
    const again = new Api(service.port);
    await Promise.all([ended(again, quiet.call_id), ended(again, busy.call_id)]);
    expect(lasted((await again.call(quiet.call_id)).body)).toBe(1_000);
    const late = (await again.call(busy.call_id)).body;
    expect(late).toMatchObject({ end_reason: 'max_duration', ended_at: new Date(connection.joinedAt).toISOString() });
    api.close();
    again.close();
    await service.stop();
    await expectInvariants(database);
    await own.stop();
    await database.remove();
  });
});

describe('the longest duration with two replicas', () => {
  const served = serve('postgresql', () => ({ LIVEKIT_URL: livekit.url, CALL_MAX_DURATION_SECONDS: String(longest) }));

  it('ends each call once', async () => {
    const second = await Service.start(served.database, { LIVEKIT_URL: livekit.url, CALL_MAX_DURATION_SECONDS: String(longest) });
    const calls = await Promise.all(Array.from({ length: 60 }, () => served.api.startCall({ caller_id: 'ada' })));
    await Promise.all(calls.map(({ body }) => ended(served.api, body.call_id)));
    const endings = () => served.service.logs.concat(second.logs).filter((line) => line.event === 'call_ended' && line.cause === 'timer');
    await until(() => endings().length >= calls.length);
    const rows = await served.database.query(`select call_id from timeline where type = 'call.ended' group by call_id having count(*) <> 1`);
    expect(rows).toEqual([]);
    expect(endings().length).toBe(calls.length);
    await second.stop();
  });
});
