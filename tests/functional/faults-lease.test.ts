import { afterAll, expect, it } from 'vitest';
import { FakeLiveKit } from '../support/fake-livekit.ts';
import { endSteadily, outboxIsEmpty, startIn } from '../support/outbox.ts';
import { onEachDatabase, serve } from '../support/suite.ts';
import { until } from '../support/wait.ts';
import { connectionFor, deliverAll, events, roomOf } from '../support/webhooks.ts';

const livekit = await FakeLiveKit.start();
afterAll(() => livekit.stop());

onEachDatabase('a removal that takes longer than a lease', (kind) => {
  const served = serve(kind, () => ({ LIVEKIT_URL: livekit.url }));

  it('is not begun a second time, though other intents come all the time', async () => {
    livekit.delays.set('GetParticipant', 1_500);
    livekit.delays.set('RemoveParticipant', 4_600);
    const call = await startIn(served, livekit);
    const joined = (await served.api.join(call.call_id, 'bob')).body;
    const connection = connectionFor(joined, 'bob');
    await deliverAll(served.api, [events.joined(roomOf(call.call_id), connection)]);
    livekit.rooms.set(call.room_name, [{ sid: connection.sid, identity: 'bob' }]);
    const ends = endSteadily(served, livekit, 400);
    expect((await served.api.leave(call.call_id, 'bob')).status).toBe(200);
    await until(() => livekit.rooms.get(call.room_name)?.length === 0, { timeout: 12_000, what: 'bob is removed' });
    await ends.stop();
    await outboxIsEmpty(served, 8_000);
    expect(livekit.callsOf('RemoveParticipant', call.room_name)).toHaveLength(1);
    expect(livekit.callsOf('GetParticipant', call.room_name)).toHaveLength(1);
  });
});
