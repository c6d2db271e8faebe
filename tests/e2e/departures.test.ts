import { describe, expect, it } from 'vitest';
import { RtcClient } from '../support/clients.ts';
import { databaseKinds } from '../support/database.ts';
import { withScene } from '../support/scene.ts';
import { until } from '../support/wait.ts';

describe.concurrent.each(databaseKinds)('people who go (%s)', (kind) => {
  it('a program that dies is gone once LiveKit notices, and the call goes on', async () => {
    await withScene(kind, {}, async (scene) => {
      const call = (await scene.api.startCall({ caller_id: 'ada' })).body;
      const bob = (await scene.api.join(call.call_id, 'bob')).body;
      const ada = await RtcClient.connect(call.livekit_url, call.livekit_token);
      const client = await RtcClient.connect(bob.livekit_url, bob.livekit_token, 'publish');
      await scene.sessionBecomes(call.call_id, bob.session_id, { status: 'active' });
      const died = Date.now();
      await client.kill();
      const session = await scene.sessionBecomes(
        call.call_id,
        bob.session_id,
        { status: 'ended', end_reason: 'left', disconnect_reason: 'connection_timeout' },
        40_000,
      );
      expect(Date.parse(session.left_at!)).toBeGreaterThan(died);
      expect(await scene.call(call.call_id)).toMatchObject({ status: 'active', participant_count: 1 });
      await ada.leave();
    });
  });

  it('the call ends with its room, a moment after the last has left', async () => {
    await withScene(kind, { ROOM_DEPARTURE_TIMEOUT_SECONDS: '2' }, async (scene) => {
      const call = (await scene.api.startCall({ caller_id: 'ada' })).body;
      const ada = await RtcClient.connect(call.livekit_url, call.livekit_token, 'publish');
      await scene.sessionBecomes(call.call_id, call.session_id, { status: 'active' });
      await ada.leave();
      const left = await scene.sessionBecomes(call.call_id, call.session_id, { status: 'ended', end_reason: 'left' });
      const ended = await until(async () => {
        const now = await scene.call(call.call_id);
        return now.status === 'ended' && now;
      });
      expect(ended).toMatchObject({ end_reason: 'room_finished', ended_by: null, room_deletion: null });
      expect(left.left_at! <= ended.ended_at!).toBe(true);
      expect(Date.parse(ended.ended_at!) - Date.parse(left.left_at!)).toBeLessThan(6_000);
      expect((await scene.api.join(call.call_id, 'late')).status).toBe(409);
    });
  });

  it('a second device of a user replaces the first', async () => {
    await withScene(kind, {}, async (scene) => {
      const call = (await scene.api.startCall({ caller_id: 'ada' })).body;
      const first = await RtcClient.connect(call.livekit_url, call.livekit_token);
      await scene.sessionBecomes(call.call_id, call.session_id, { status: 'active' });
      const again = (await scene.api.join(call.call_id, 'ada')).body;
      expect(again.session_id).not.toBe(call.session_id);
      const second = await RtcClient.connect(again.livekit_url, again.livekit_token);
      await scene.sessionBecomes(call.call_id, again.session_id, { status: 'active' });
      await scene.sessionBecomes(call.call_id, call.session_id, { status: 'ended', end_reason: 'replaced', disconnect_reason: 'duplicate_identity' });
      await first.waitFor('disconnected');
      expect((await scene.call(call.call_id)).participant_count).toBe(1);
      await second.leave();
      await scene.sessionBecomes(call.call_id, again.session_id, { status: 'ended', end_reason: 'left' });
    });
  });

  it('who leaves by the API is taken out of the room, and nobody else', async () => {
    await withScene(kind, {}, async (scene) => {
      const call = (await scene.api.startCall({ caller_id: 'ada' })).body;
      const bob = (await scene.api.join(call.call_id, 'bob')).body;
      const ada = await RtcClient.connect(call.livekit_url, call.livekit_token);
      const client = await RtcClient.connect(bob.livekit_url, bob.livekit_token);
      await scene.sessionBecomes(call.call_id, call.session_id, { status: 'active' });
      await scene.sessionBecomes(call.call_id, bob.session_id, { status: 'active' });
      const left = (await scene.api.leave(call.call_id, 'bob')).body;
      await client.waitFor('disconnected');
      await scene.sessionBecomes(call.call_id, bob.session_id, {
        status: 'ended',
        end_reason: 'left',
        left_at: left.left_at,
        disconnect_reason: 'participant_removed',
      });
      const present = await scene.livekit.rooms.listParticipants(call.room_name);
      expect(present.map(({ identity }) => identity)).toEqual(['ada']);
      expect(ada.find('disconnected')).toBeUndefined();
      await ada.leave();
    });
  });

  it('who comes back with an old token after the end is put out again', async () => {
    await withScene(kind, {}, async (scene) => {
      const call = (await scene.api.startCall({ caller_id: 'ada' })).body;
      const ada = await RtcClient.connect(call.livekit_url, call.livekit_token);
      await scene.sessionBecomes(call.call_id, call.session_id, { status: 'active' });
      const ended = (await scene.api.end(call.call_id)).body;
      await ada.waitFor('disconnected');
      await scene.roomIsGone(call.call_id);

      const told = async () => (await scene.database.query(`select event_id from webhook_events where call_id = '${call.call_id}'`)).length;
      const before = await told();
      const intruder = new RtcClient(call.livekit_url, call.livekit_token);
      await until(async () => (await told()) > before, { timeout: 20_000, what: 'LiveKit tells that the room is back' });
      await scene.roomIsGone(call.call_id);
      expect(await scene.livekit.rooms.listParticipants(call.room_name)).toEqual([]);
      const { status, ended_at, sessions } = await scene.call(call.call_id);
      expect({ status, ended_at }).toEqual({ status: 'ended', ended_at: ended.ended_at });
      expect(sessions.map(({ session_id }) => session_id)).toEqual([call.session_id]);
      await Promise.all([ada.leave(), intruder.kill()]);
    });
  });
});
