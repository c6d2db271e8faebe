import { expect, it } from 'vitest';
import type { Session } from '../support/api.ts';
import { BrowserClient, RtcClient } from '../support/clients.ts';
import { databaseKinds } from '../support/database.ts';
import { withScene } from '../support/scene.ts';
import { isoTime } from '../support/suite.ts';
import { until } from '../support/wait.ts';

/** LiveKit's DisconnectReason. */
const roomDeleted = 5;

it.each(databaseKinds)('two programs and a browser meet in a call, one leaves, the call is ended (%s)', async (kind) => {
  const browser = await BrowserClient.start();
  await withScene(kind, {}, async (scene) => {
    const call = (await scene.api.startCall({ caller_id: 'ada', name: 'Ada L.' })).body;
    const bob = (await scene.api.join(call.call_id, 'bob')).body;
    const carol = (await scene.api.join(call.call_id, 'carol')).body;
    const validated = await fetch(`${scene.livekit.httpUrl}/rtc/validate?access_token=${call.livekit_token}`);
    expect([validated.status, await validated.text()]).toEqual([200, 'success']);

    const activeWithin2s = async (session_id: string) => {
      const active = await scene.sessionBecomes(call.call_id, session_id, { status: 'active' }, 2_000);
      expect(Math.abs(Date.parse(active.joined_at!) - Date.now())).toBeLessThan(5_000);
    };
    const adaClient = await RtcClient.connect(call.livekit_url, call.livekit_token, 'publish');
    await activeWithin2s(call.session_id);
    const bobClient = await RtcClient.connect(bob.livekit_url, bob.livekit_token, 'publish');
    await activeWithin2s(bob.session_id);
    await browser.enter(carol.livekit_url, carol.livekit_token);
    await activeWithin2s(carol.session_id);
    expect((await scene.call(call.call_id)).participant_count).toBe(3);

    await until(async () => (await browser.seen()).participants.toSorted().join() === 'ada,bob', { what: 'the browser sees both' });
    await until(async () => (await browser.seen()).tracks >= 2, { what: 'the browser hears both' });
    const seesCarol = (client: RtcClient) =>
      until(() => client.events.filter((seen) => seen.event === 'track_subscribed' && seen.identity === 'carol').length >= 2, {
        what: 'a program gets camera and microphone of the browser',
      });
    await Promise.all([seesCarol(adaClient), seesCarol(bobClient)]);

    await bobClient.leave();
    await scene.sessionBecomes(call.call_id, bob.session_id, { status: 'ended', end_reason: 'left', disconnect_reason: 'client_initiated' });
    expect((await scene.call(call.call_id)).participant_count).toBe(2);

    const ended = (await scene.api.end(call.call_id, { user_id: 'ada' })).body;
    expect(ended).toMatchObject({ status: 'ended', end_reason: 'ended', ended_by: 'ada', participant_count: 0 });
    expect((await adaClient.waitFor('disconnected')).reason).toBe(roomDeleted);
    await until(async () => (await browser.seen()).disconnected === roomDeleted, { what: 'the browser is told that the room was deleted' });
    await scene.roomIsGone(call.call_id);
    const over: Partial<Session> = { status: 'ended', end_reason: 'call_ended', left_at: ended.ended_at, disconnect_reason: 'room_deleted' };
    await scene.sessionBecomes(call.call_id, call.session_id, over);
    await scene.sessionBecomes(call.call_id, carol.session_id, over);

    const rows = await scene.database.query<Session>(
      `select session_id, user_id, name, status, joined_at, left_at, end_reason, disconnect_reason from sessions where call_id = '${call.call_id}' order by created_at, session_id`,
    );
    expect(rows).toEqual([
      { session_id: call.session_id, user_id: 'ada', name: 'Ada L.', joined_at: expect.stringMatching(isoTime), ...over },
      {
        session_id: bob.session_id,
        user_id: 'bob',
        name: 'bob',
        status: 'ended',
        joined_at: expect.stringMatching(isoTime),
        left_at: expect.stringMatching(isoTime),
        end_reason: 'left',
        disconnect_reason: 'client_initiated',
      },
      { session_id: carol.session_id, user_id: 'carol', name: 'carol', joined_at: expect.stringMatching(isoTime), ...over },
    ]);
    const [adaRow, bobRow] = rows;
    expect(adaRow!.joined_at! <= bobRow!.joined_at! && bobRow!.left_at! <= ended.ended_at!).toBe(true);
    await adaClient.leave();
  });
  await browser.close();
});
