import { describe, expect, it } from 'vitest';
import { serve } from '../support/suite.ts';
import { connectionOf, deliverAll, events, roomOf } from '../support/webhooks.ts';

/** Of LiveKit's reasons none is longer. */
const longest = 'PARTICIPANT_REMOVED';

describe('the inbox of events', () => {
  const served = serve('postgresql');

  it('keeps at most 150 bytes of an event', async () => {
    const { call_id } = (await served.api.startCall({ caller_id: 'ada' })).body;
    const room = roomOf(call_id);
    const [ada, bob] = [connectionOf('ada'), connectionOf('bob')];
    await deliverAll(served.api, [
      events.started(room),
      events.joined(room, ada),
      events.left(room, ada, longest),
      events.aborted(room, bob, longest),
      events.finished(room),
    ]);
    // With the pointer to the row in its page.
    const rows = await served.database.query<{ type: string; bytes: number }>(
      `select type, pg_column_size(e.*) + 4 as bytes from webhook_events e where call_id = '${call_id}'`,
    );
    expect(rows.map(({ type }) => type).toSorted()).toEqual(['connection_aborted', 'joined', 'left', 'room_finished', 'room_started']);
    expect(rows.filter(({ bytes }) => bytes > 150)).toEqual([]);
  });
});
