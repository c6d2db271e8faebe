import { ParticipantInfo_State } from 'livekit-server-sdk';
import { describe, expect, it } from 'vitest';
import { RtcClient } from '../support/clients.ts';
import { databaseKinds } from '../support/database.ts';
import { withScene, type Scene } from '../support/scene.ts';
import { until } from '../support/wait.ts';
import { WebhookGate } from '../support/webhook-gate.ts';

const soon = 15_000;

/** Who is connected, as user and participant sid: by LiveKit, and by the record. */
async function present({ livekit }: Scene, room: string): Promise<string[]> {
  const people = await livekit.rooms.listParticipants(room);
  return people.filter(({ state }) => state === ParticipantInfo_State.ACTIVE).map(({ identity, sid }) => `${identity} ${sid}`).sort();
}
async function recorded({ database }: Scene, call: string): Promise<string[]> {
  const rows = await database.query<{ user_id: string; participant_sid: string }>(
    `select user_id, participant_sid from sessions where call_id = '${call}' and status = 'active'`,
  );
  return rows.map((row) => `${row.user_id} ${row.participant_sid}`).sort();
}

/** Waits until these users, and nobody else, are connected in LiveKit, and then until the record says the same. */
async function becomesTrue(scene: Scene, call: string, users: string[], what: string): Promise<void> {
  const names = (list: string[]) => list.map((entry) => entry.split(' ')[0]);
  const people = await until(
    async () => {
      const now = await present(scene, `call_${call}`);
      return names(now).join() === [...users].sort().join() && now;
    },
    { timeout: 40_000, what: `LiveKit has ${users.join()}: ${what}` },
  );
  const since = Date.now();
  await until(async () => expect(await recorded(scene, call)).toEqual(people) ?? true, { timeout: soon, what: `the record has them too: ${what}` });
  console.log(`${what}, ${scene.database.kind}: the record equals LiveKit after ${Date.now() - since} ms`);
}

describe.each(databaseKinds)('LiveKit\'s webhooks get lost (%s)', (kind) => {
  it.each<[string, (index: number) => boolean]>([
    ['all', () => false],
    ['every other', (index) => index % 2 === 0],
  ])('%s: the record equals LiveKit all the same', { timeout: 240_000 }, async (_, lets) => {
    const gate = new WebhookGate(lets);
    await withScene(
      kind,
      {},
      async (scene) => {
        const call = (await scene.api.startCall({ caller_id: 'ada' })).body;
        const enter = async (user: string) => {
          const { livekit_url, livekit_token } = (await scene.api.join(call.call_id, user)).body;
          return RtcClient.connect(livekit_url, livekit_token);
        };
        const ada = await enter('ada');
        await becomesTrue(scene, call.call_id, ['ada'], 'the first one came');
        const bob = await enter('bob');
        const carol = await enter('carol');
        await becomesTrue(scene, call.call_id, ['ada', 'bob', 'carol'], 'two more came');
        await bob.leave();
        await becomesTrue(scene, call.call_id, ['ada', 'carol'], 'one left');
        const again = await enter('ada');
        await becomesTrue(scene, call.call_id, ['ada', 'carol'], 'one took another device');
        await carol.kill();
        await becomesTrue(scene, call.call_id, ['ada'], 'one died');
        await scene.livekit.rooms.deleteRoom(call.room_name);
        await becomesTrue(scene, call.call_id, [], 'the room was deleted behind our back');
        const back = await enter('bob');
        await becomesTrue(scene, call.call_id, ['bob'], 'one came back into a new room');
        expect(await scene.call(call.call_id)).toMatchObject({ status: 'active' });

        const ended = (await scene.api.end(call.call_id)).body;
        await scene.roomIsGone(call.call_id);
        await scene.livekit.rooms.createRoom({ name: call.room_name });
        await until(async () => !(await scene.livekit.hasRoom(call.room_name)), { timeout: soon, what: 'the room of the ended call is deleted again' });
        expect(await scene.call(call.call_id)).toMatchObject({ status: 'ended', ended_at: ended.ended_at });
        expect(gate.lost).toBeGreaterThan(0);
        await Promise.all([ada.leave(), again.leave(), back.leave()]);
      },
      (url) => gate.before(url),
    );
  });

  it('and LiveKit itself is killed: who was there has left, who comes back is there', { timeout: 240_000 }, async () => {
    const gate = new WebhookGate(() => false);
    await withScene(
      kind,
      {},
      async (scene) => {
        const call = (await scene.api.startCall({ caller_id: 'ada' })).body;
        const ada = await RtcClient.connect(call.livekit_url, call.livekit_token);
        await becomesTrue(scene, call.call_id, ['ada'], 'one came');
        await scene.livekit.kill();
        await ada.kill();
        await until(() => scene.service.logs.some(({ event }) => event === 'livekit_unreachable'), { timeout: soon, what: 'the outage is noticed' });
        expect(await scene.session(call.call_id, call.session_id)).toMatchObject({ status: 'active' });
        await scene.livekit.start();
        await becomesTrue(scene, call.call_id, [], 'LiveKit is back');
        const { livekit_url, livekit_token } = (await scene.api.join(call.call_id, 'bob')).body;
        const bob = await RtcClient.connect(livekit_url, livekit_token);
        await becomesTrue(scene, call.call_id, ['bob'], 'one came to the new LiveKit');
        expect(await scene.session(call.call_id, call.session_id)).toMatchObject({ end_reason: 'reconciled' });
        await bob.leave();
      },
      (url) => gate.before(url),
    );
  });
});
