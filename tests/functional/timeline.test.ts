import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { userToken } from '../support/service.ts';
import { expectFaults, expectProblem, isoTime, onEachDatabase, serve } from '../support/suite.ts';
import { connectionFor, deliverAll, events, roomOf } from '../support/webhooks.ts';

interface Entry {
  seq: number;
  at: string;
  occurred_at: string;
  type: string;
  cause: string;
  call_id: string;
  actor?: string;
  session_id?: string;
  user_id?: string;
  event_id?: string;
  detail?: Record<string, string>;
}

onEachDatabase('the timeline of a call', (kind) => {
  const served = serve(kind);
  const start = async (body: object = {}) => (await served.api.startCall({ caller_id: 'ada', ...body })).body;
  const page = (call: string, query = '') => served.api.get<{ data: Entry[]; next_cursor: string | null }>(`/calls/${call}/timeline${query}`);
  const timeline = async (call: string): Promise<Entry[]> => {
    const answer = await page(call);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body.next_cursor).toBeNull();
    for (const entry of answer.body.data) {
      expect(entry.call_id).toBe(call);
      expect(entry.at).toMatch(isoTime);
      expect(entry.occurred_at).toMatch(isoTime);
    }
    expect(answer.body.data.map((entry) => entry.seq)).toEqual(answer.body.data.map((_, index) => index + 1));
    return answer.body.data;
  };
  const types = async (call: string) => (await timeline(call)).map((entry) => entry.type);

  it('tells a whole call, each change once, with its cause', async () => {
    const call = await start();
    const room = roomOf(call.call_id);
    const connection = connectionFor(call, 'ada');
    await deliverAll(served.api, [events.started(room), events.joined(room, connection)]);
    const bob = (await served.api.join(call.call_id, 'bob', {}, { as: userToken('bob') })).body;
    await served.api.join(call.call_id, 'bob'); // the same pending session: nothing new
    await served.api.leave(call.call_id, 'bob', {}, { as: userToken('bob') });
    await served.api.leave(call.call_id, 'bob'); // left already
    const { body: ended } = await served.api.end(call.call_id);
    await served.api.end(call.call_id);

    const entries = await timeline(call.call_id);
    expect(entries).toMatchObject([
      { type: 'call.started', cause: 'api', actor: 'backend' },
      { type: 'session.created', cause: 'api', actor: 'backend', session_id: call.session_id, user_id: 'ada' },
      { type: 'room.started', cause: 'webhook', detail: { room_sid: room.sid } },
      { type: 'session.joined', cause: 'webhook', session_id: call.session_id, user_id: 'ada', detail: { participant_sid: connection.sid } },
      { type: 'session.created', cause: 'api', actor: 'bob', session_id: bob.session_id, user_id: 'bob' },
      { type: 'session.left', cause: 'api', actor: 'bob', session_id: bob.session_id, detail: { end_reason: 'left' } },
      { type: 'call.ended', cause: 'api', actor: 'backend', detail: { end_reason: 'ended' } },
      { type: 'session.left', cause: 'api', session_id: call.session_id, user_id: 'ada', detail: { end_reason: 'call_ended' } },
      { type: 'room.deletion_requested', cause: 'api' },
    ]);
    expect(entries[0]).not.toHaveProperty('session_id');
    expect(entries[0]).not.toHaveProperty('event_id');
    expect(entries[3]!.event_id).toMatch(/^EV_/);
    expect(entries[3]!.occurred_at).toBe(new Date(connection.joinedAt).toISOString());
    expect(entries[6]!.at).toBe(ended.ended_at);
  });

  it('tells what a webhook changed, by its id, and nothing for its repetition', async () => {
    const call = await start();
    const room = roomOf(call.call_id);
    const connection = connectionFor(call, 'ada');
    const joined = events.joined(room, connection);
    const left = events.left(room, connection);
    const finished = events.finished(room);
    await deliverAll(served.api, [joined, joined, left, left, finished, events.started(room)]);
    const entries = await timeline(call.call_id);
    expect(entries.slice(2)).toMatchObject([
      { type: 'room.started', event_id: joined.id }, // told by the first event that carries its sid
      { type: 'session.joined', event_id: joined.id },
      { type: 'session.left', event_id: left.id, detail: { end_reason: 'left', disconnect_reason: 'client_initiated' } },
      { type: 'room.finished', event_id: finished.id, detail: { room_sid: room.sid } },
      { type: 'call.ended', event_id: finished.id, detail: { end_reason: 'room_finished' } },
      { type: 'room.deletion_requested', cause: 'webhook' }, // room_started on an ended call
    ]);
  });

  it('tells that an end became better known', async () => {
    const call = await start();
    const room = roomOf(call.call_id);
    const first = connectionFor(call, 'ada', Date.now() - 5_000);
    await deliverAll(served.api, [events.joined(room, first)]);
    const again = (await served.api.join(call.call_id, 'ada')).body;
    await deliverAll(served.api, [events.joined(room, connectionFor(again, 'ada', Date.now() - 2_000))]);
    await deliverAll(served.api, [events.left(room, first, 'DUPLICATE_IDENTITY', Date.now() - 1_000)]);
    const mine = (await timeline(call.call_id)).filter((entry) => entry.session_id === call.session_id);
    expect(mine).toMatchObject([
      { type: 'session.created' },
      { type: 'session.joined' },
      { type: 'session.left', detail: { end_reason: 'replaced' } },
      { type: 'session.updated', detail: { end_reason: 'replaced', disconnect_reason: 'duplicate_identity' } },
    ]);
  });

  it('begins once for a client-chosen id, however often it is used', async () => {
    const call_id = randomUUID();
    await Promise.all(Array.from({ length: 8 }, () => start({ call_id })));
    expect(await types(call_id)).toEqual(['call.started', 'session.created']);
    expect((await served.api.startCall({ caller_id: 'eve', call_id })).status).toBe(409);
    expect(await types(call_id)).toEqual(['call.started', 'session.created']);
  });

  it('has no gap and no double number, whoever writes at the same time', async () => {
    const call = await start();
    const room = roomOf(call.call_id);
    await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        const joined = (await served.api.join(call.call_id, `user${index}`)).body;
        await deliverAll(served.api, [events.joined(room, connectionFor(joined, `user${index}`))]);
        if (index % 2 === 0) await served.api.leave(call.call_id, `user${index}`);
      }),
    );
    await served.api.end(call.call_id);
    // started; 13 sessions created and left, 12 of them joined; the room started; ended; its deletion requested
    expect((await timeline(call.call_id)).length).toBe(1 + 13 + 13 + 12 + 1 + 1 + 1);
  });

  it('is read page by page', async () => {
    const call = await start();
    for (const user of ['u1', 'u2', 'u3']) await served.api.join(call.call_id, user);
    const all = await timeline(call.call_id);
    const first = (await page(call.call_id, '?limit=2')).body;
    expect(first.data).toEqual(all.slice(0, 2));
    await served.api.join(call.call_id, 'u4');
    const second = (await page(call.call_id, `?limit=3&cursor=${first.next_cursor}`)).body;
    expect(second.data).toEqual(all.slice(2, 5));
    const last = (await page(call.call_id, `?cursor=${second.next_cursor}`)).body;
    expect(last.data.map((entry) => entry.user_id)).toEqual(['u4']);
    expect(last.next_cursor).toBeNull();
    const other = await start();
    expectFaults(await page(other.call_id, `?cursor=${first.next_cursor}`), { '?cursor': 'format' });
    expectFaults(await page('nonsense', '?limit=0&cursor=x&page=2'), {
      '?call_id': 'format', '?limit': 'range', '?cursor': 'format', '?page': 'unknown_field',
    });
  });

  it('is for those who may read the call', async () => {
    const call = await start({ user_ids: ['listed'] });
    const as = (user: string) => served.api.get(`/calls/${call.call_id}/timeline`, { as: userToken(user) });
    expect((await as('ada')).status).toBe(200);
    expect((await as('listed')).status).toBe(200);
    expectProblem(await as('stranger'), 403, 'forbidden');
    expectProblem(await page(randomUUID()), 404, 'call_not_found');
    expectProblem(await served.api.get(`/calls/${call.call_id}/timeline`, { as: null }), 401, 'unauthorized');
  });

  it('follows a user who is renamed', async () => {
    const call = await start({ caller_id: 'old-name' });
    await served.api.end(call.call_id, { user_id: 'old-name' });
    const enforce = kind === 'sqlite' ? 'pragma foreign_keys = on; ' : '';
    await served.database.execute(`${enforce}update users set user_id = 'new-name' where user_id = 'old-name'`);
    expect(await served.api.call(call.call_id)).toMatchObject({ body: { caller_id: 'new-name', ended_by: 'new-name' } });
    const entries = await timeline(call.call_id);
    expect(entries.map((entry) => entry.actor)).toEqual(['backend', 'backend', 'new-name', 'new-name', 'new-name']);
    expect(JSON.stringify(entries)).not.toContain('old-name');
  });
});
