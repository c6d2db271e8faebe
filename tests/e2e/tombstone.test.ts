import { describe, expect, it } from 'vitest';
import { RtcClient } from '../support/clients.ts';
import { databaseKinds } from '../support/database.ts';
import { withScene } from '../support/scene.ts';
import { until } from '../support/wait.ts';

describe.each(databaseKinds)('an old token, again and again (%s)', (kind) => {
  it('lets nobody stay in a call that has ended, at one deletion a return', async () => {
    await withScene(kind, {}, async (scene) => {
      const call = (await scene.api.startCall({ caller_id: 'ada' })).body;
      const ada = await RtcClient.connect(call.livekit_url, call.livekit_token);
      await scene.sessionBecomes(call.call_id, call.session_id, { status: 'active' });
      const ended = (await scene.api.end(call.call_id)).body;
      await ada.waitFor('disconnected');
      await scene.roomIsGone(call.call_id);
      const entries = async (type: string): Promise<number> => {
        const { body } = await scene.api.get(`/calls/${call.call_id}/timeline`);
        return body.data.filter((entry: { type: string }) => entry.type === type).length;
      };
      const took: number[] = [];
      for (let round = 1; round <= 5; round += 1) {
        const rooms = await entries('room.started');
        const intruder = new RtcClient(call.livekit_url, call.livekit_token);
        await until(async () => (await entries('room.started')) > rooms, { timeout: 20_000, what: 'the room is back' });
        const since = Date.now();
        await until(async () => !(await scene.livekit.hasRoom(call.room_name)), { timeout: 4_000, what: 'the room is gone again' });
        took.push(Date.now() - since);
        await intruder.kill();
        await scene.roomIsGone(call.call_id);
      }
      console.log(`${kind}: the room was gone again after ${took.join(', ')} ms`);
      expect(await scene.livekit.rooms.listParticipants(call.room_name)).toEqual([]);
      expect(await entries('room.deletion_requested')).toBe(await entries('room.started'));
      expect(await scene.call(call.call_id)).toMatchObject({ status: 'ended', ended_at: ended.ended_at });
      await ada.leave();
    });
  });
});
