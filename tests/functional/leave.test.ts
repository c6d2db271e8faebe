import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { userToken } from '../support/service.ts';
import { expectProblem, isoTime, onEachDatabase, serve } from '../support/suite.ts';
import { connectionFor, deliverAll, events, roomOf } from '../support/webhooks.ts';

onEachDatabase('leaving a call', (kind) => {
  const served = serve(kind);
  const start = async (body: object = {}) => (await served.api.startCall({ caller_id: 'caller', ...body })).body;
  const sessionsOf = async (call: string, user: string) =>
    (await served.api.call(call)).body.sessions.filter((session) => session.user_id === user);

  it('ends a pending session as left', async () => {
    const call = await start();
    const { body: joined } = await served.api.join(call.call_id, 'bob', { name: 'Bob' });
    const answer = await served.api.leave(call.call_id, 'bob');
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toMatchObject({
      session_id: joined.session_id,
      call_id: call.call_id,
      user_id: 'bob',
      name: 'Bob',
      status: 'ended',
      joined_at: null,
      end_reason: 'left',
      disconnect_reason: null,
    });
    expect(answer.body.left_at).toMatch(isoTime);
    expect(answer.body.left_at! >= answer.body.created_at).toBe(true);
  });

  it('ends the active and the pending session, and answers the active one', async () => {
    const call = await start();
    const first = (await served.api.join(call.call_id, 'bob')).body;
    await deliverAll(served.api, [events.joined(roomOf(call.call_id), connectionFor(first, 'bob'))]);
    const second = (await served.api.join(call.call_id, 'bob')).body;
    const { body } = await served.api.leave(call.call_id, 'bob');
    expect(body).toMatchObject({ session_id: first.session_id, status: 'ended', end_reason: 'left' });
    expect(body.joined_at).toMatch(isoTime);
    const sessions = await sessionsOf(call.call_id, 'bob');
    expect(sessions.map(({ session_id, status, end_reason }) => ({ session_id, status, end_reason }))).toEqual([
      { session_id: first.session_id, status: 'ended', end_reason: 'left' },
      { session_id: second.session_id, status: 'ended', end_reason: 'left' },
    ]);
    expect((await served.api.call(call.call_id)).body.participant_count).toBe(0);
  });

  it('ends only the session that is named', async () => {
    const call = await start();
    const first = (await served.api.join(call.call_id, 'bob')).body;
    await deliverAll(served.api, [events.joined(roomOf(call.call_id), connectionFor(first, 'bob'))]);
    const second = (await served.api.join(call.call_id, 'bob')).body;
    const { body } = await served.api.leave(call.call_id, 'bob', { session_id: second.session_id });
    expect(body).toMatchObject({ session_id: second.session_id, end_reason: 'left' });
    expect((await sessionsOf(call.call_id, 'bob')).map(({ status }) => status)).toEqual(['active', 'ended']);
    const named = await served.api.leave(call.call_id, 'bob', { session_id: first.session_id.toUpperCase() });
    expect(named.body).toMatchObject({ session_id: first.session_id, status: 'ended' });
  });

  it('answers the newest session, unchanged, to whoever has left already', async () => {
    const call = await start();
    await served.api.join(call.call_id, 'bob');
    await served.api.leave(call.call_id, 'bob');
    await served.api.join(call.call_id, 'bob');
    const first = await served.api.leave(call.call_id, 'bob');
    const second = await served.api.leave(call.call_id, 'bob');
    expect(second.status).toBe(200);
    expect(second.body).toEqual(first.body);
  });

  it('answers a named session that has ended, unchanged', async () => {
    const call = await start();
    const first = (await served.api.join(call.call_id, 'bob')).body;
    const left = (await served.api.leave(call.call_id, 'bob')).body;
    await served.api.join(call.call_id, 'bob');
    expect((await served.api.leave(call.call_id, 'bob', { session_id: first.session_id })).body).toEqual(left);
    expect((await sessionsOf(call.call_id, 'bob')).map(({ status }) => status)).toEqual(['ended', 'pending']);
  });

  it('works on an ended call, and changes nothing there', async () => {
    const call = await start();
    await served.api.join(call.call_id, 'bob');
    const { body: ended } = await served.api.end(call.call_id);
    const answer = await served.api.leave(call.call_id, 'bob');
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ status: 'ended', end_reason: 'call_ended', left_at: ended.ended_at });
  });

  it('does not know users who were never in the call, nor sessions of others', async () => {
    const call = await start();
    const other = await start();
    const elsewhere = (await served.api.join(other.call_id, 'bob')).body;
    expectProblem(await served.api.leave(call.call_id, 'bob'), 404, 'session_not_found');
    await served.api.join(call.call_id, 'bob');
    for (const session_id of [call.session_id, elsewhere.session_id, randomUUID()]) {
      expectProblem(await served.api.leave(call.call_id, 'bob', { session_id }), 404, 'session_not_found');
    }
    expect((await sessionsOf(call.call_id, 'bob'))[0]?.status).toBe('pending');
    expectProblem(await served.api.leave(randomUUID(), 'bob'), 404, 'call_not_found');
  });

  it('is for oneself only by user token', async () => {
    const call = await start();
    await served.api.join(call.call_id, 'bob');
    expectProblem(await served.api.leave(call.call_id, 'bob', {}, { as: userToken('caller') }), 403, 'forbidden');
    expect((await served.api.leave(call.call_id, 'bob', {}, { as: userToken('bob') })).status).toBe(200);
  });
});
