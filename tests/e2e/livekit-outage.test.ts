import { describe, expect, it } from 'vitest';
import { RtcClient } from '../support/clients.ts';
import { databaseKinds } from '../support/database.ts';
import { withScene, type Scene } from '../support/scene.ts';
import { until } from '../support/wait.ts';

async function endQuickly(scene: Scene, id: string, when: string): Promise<string> {
  const before = performance.now();
  const { status, body } = await scene.api.end(id);
  const took = performance.now() - before;
  console.log(`end while LiveKit is ${when}, ${scene.database.kind}: ${took.toFixed(1)} ms`);
  expect(status).toBe(200);
  expect(body).toMatchObject({ status: 'ended', room_deletion: 'pending' });
  expect(took).toBeLessThan(1_000);
  return body.ended_at!;
}

describe.each(databaseKinds)('LiveKit away during end (%s)', (kind) => {
  it('frozen: the answer is quick, and the room is deleted when it thaws', async () => {
    await withScene(kind, {}, async (scene) => {
      const call = (await scene.api.startCall({ caller_id: 'ada' })).body;
      const ada = await RtcClient.connect(call.livekit_url, call.livekit_token);
      await scene.sessionBecomes(call.call_id, call.session_id, { status: 'active' });
      scene.livekit.freeze();
      const ended_at = await endQuickly(scene, call.call_id, 'frozen');
      scene.livekit.thaw();
      await scene.roomIsGone(call.call_id);
      await ada.waitFor('disconnected');
      await scene.sessionBecomes(call.call_id, call.session_id, { end_reason: 'call_ended', left_at: ended_at, disconnect_reason: 'room_deleted' });
      await ada.leave();
    });
  });

  it('killed: the answer is quick, and a room that comes back with it is deleted', async () => {
    await withScene(kind, {}, async (scene) => {
      const call = (await scene.api.startCall({ caller_id: 'ada' })).body;
      const ada = await RtcClient.connect(call.livekit_url, call.livekit_token);
      await scene.sessionBecomes(call.call_id, call.session_id, { status: 'active' });
      await scene.livekit.kill();
      const ended_at = await endQuickly(scene, call.call_id, 'killed');
      await scene.livekit.start();
      await scene.livekit.rooms.createRoom({ name: call.room_name });
      await scene.roomIsGone(call.call_id);
      expect(await scene.call(call.call_id)).toMatchObject({ status: 'ended', ended_at });
      expect(await scene.session(call.call_id, call.session_id)).toMatchObject({ end_reason: 'call_ended', left_at: ended_at });
      await ada.kill();
    });
  });

  it('killed, and the service too: after both are back the room is deleted', async () => {
    await withScene(kind, {}, async (scene) => {
      const call = (await scene.api.startCall({ caller_id: 'ada' })).body;
      const ada = await RtcClient.connect(call.livekit_url, call.livekit_token);
      await scene.sessionBecomes(call.call_id, call.session_id, { status: 'active' });
      scene.livekit.freeze();
      const ended_at = await endQuickly(scene, call.call_id, 'frozen, and the service is killed after it');
      await scene.service.kill();
      // LiveKit may find the request of the killed process in its socket. The intent is what has to survive.
      expect(await scene.database.query('select room_deletion from calls')).toEqual([{ room_deletion: 'pending' }]);
      scene.livekit.thaw();
      await scene.service.restart();
      await scene.roomIsGone(call.call_id, 20_000);
      await ada.waitFor('disconnected');
      expect(await scene.call(call.call_id)).toMatchObject({ status: 'ended', ended_at, end_reason: 'ended' });
      await until(async () => (await scene.session(call.call_id, call.session_id))?.left_at === ended_at);
      await ada.leave();
    });
  });
});
