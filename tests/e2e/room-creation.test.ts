import { describe, expect, it } from 'vitest';
import { RtcClient } from '../support/clients.ts';
import { databaseKinds } from '../support/database.ts';
import { withScene } from '../support/scene.ts';
import { until } from '../support/wait.ts';

const onStart = { LIVEKIT_ROOM_CREATION: 'on_start' };

describe.each(databaseKinds)('a LiveKit that makes no rooms by itself (%s)', (kind) => {
  it('has the room when start and join answer, and not after the end', async () => {
    await withScene(kind, onStart, async (scene) => {
      await until(() => scene.service.logs.some((line) => line.event === 'room_creation'));
      const call = (await scene.api.startCall({ caller_id: 'ada', max_participants: 3 })).body;
      expect(call.room_ready).toBe(true);
      const [room] = await scene.livekit.rooms.listRooms([call.room_name]);
      expect(room).toMatchObject({ emptyTimeout: 900 + 600 + 60, departureTimeout: 60, maxParticipants: 3 });
      const ada = await RtcClient.connect(call.livekit_url, call.livekit_token);
      await scene.sessionBecomes(call.call_id, call.session_id, { status: 'active' });
      const bob = (await scene.api.join(call.call_id, 'bob')).body;
      const bobs = await RtcClient.connect(bob.livekit_url, bob.livekit_token);
      await scene.sessionBecomes(call.call_id, bob.session_id, { status: 'active' });
      await scene.api.end(call.call_id);
      await Promise.all([ada.waitFor('disconnected'), bobs.waitFor('disconnected')]);
      await scene.roomIsGone(call.call_id);
      const late = new RtcClient(call.livekit_url, call.livekit_token);
      await late.waitFor('failed');
      expect(await scene.livekit.hasRoom(call.room_name)).toBe(false);
      await Promise.all([ada.leave(), bobs.leave(), late.kill()]);
    });
  });

  it('is killed and started again: whoever was connected finds back', async () => {
    await withScene(kind, onStart, async (scene) => {
      await until(() => scene.service.logs.some((line) => line.event === 'room_creation'));
      const call = (await scene.api.startCall({ caller_id: 'ada' })).body;
      const over = (await scene.api.startCall({ caller_id: 'eve' })).body;
      const ada = await RtcClient.connect(call.livekit_url, call.livekit_token);
      await scene.sessionBecomes(call.call_id, call.session_id, { status: 'active' });
      const [first] = await scene.livekit.rooms.listParticipants(call.room_name);
      await scene.api.end(over.call_id);
      await scene.roomIsGone(over.call_id);
      await scene.livekit.kill();
      await scene.livekit.start();
      const answers = Date.now();
      await until(() => scene.livekit.hasRoom(call.room_name), { interval: 5, timeout: 5_000, what: 'the room is back' });
      console.log(`${kind}: the room was back within ${Date.now() - answers} ms of LiveKit's first answer`);
      const again = await until(async () => (await scene.livekit.rooms.listParticipants(call.room_name))[0], { timeout: 40_000, what: 'ada is back' });
      expect(again.identity).toBe('ada');
      expect(again.sid).not.toBe(first!.sid);
      expect(ada.find('disconnected')).toBeUndefined();
      await until(async () => {
        const { status, sessions } = await scene.call(call.call_id);
        const active = sessions.filter((session) => session.status === 'active');
        return status === 'active' && active.length === 1 && active[0]!.session_id !== call.session_id;
      });
      expect(await scene.livekit.hasRoom(over.room_name)).toBe(false);
      await scene.api.end(call.call_id);
      await ada.waitFor('disconnected');
      await scene.roomIsGone(call.call_id);
      await ada.leave();
    });
  });
});
