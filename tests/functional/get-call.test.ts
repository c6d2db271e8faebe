import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { userToken } from '../support/service.ts';
import { expectFaults, expectProblem, isoTime, onEachDatabase, serve } from '../support/suite.ts';
import { connectionFor, deliverAll, events, roomOf } from '../support/webhooks.ts';

onEachDatabase('reading a call', (kind) => {
  const served = serve(kind);
  const start = async (body: object = {}) => (await served.api.startCall({ caller_id: 'caller', ...body })).body;

  it('answers the call and its sessions, oldest first', async () => {
    const call = await start({ metadata: { a: 1 } });
    for (const user of ['zoe', 'bob', 'adam']) await served.api.join(call.call_id, user);
    const answer = await served.api.call(call.call_id);
    expect(answer.status).toBe(200);
    const { sessions, sessions_next_cursor, ...body } = answer.body;
    const { session_id, livekit_token, livekit_token_expires_at, livekit_url, ...started } = call;
    expect(body).toMatchObject(started);
    expect(body).not.toHaveProperty('livekit_token');
    expect(sessions.map((session) => session.user_id)).toEqual(['caller', 'zoe', 'bob', 'adam']);
    for (const session of sessions) expect(session.created_at).toMatch(isoTime);
    expect(sessions_next_cursor).toBeNull();
  });

  it('counts the participants who are in it now', async () => {
    const call = await start();
    const room = roomOf(call.call_id);
    const bob = (await served.api.join(call.call_id, 'bob')).body;
    await deliverAll(served.api, [events.joined(room, connectionFor(call, 'caller')), events.joined(room, connectionFor(bob, 'bob'))]);
    expect((await served.api.call(call.call_id)).body.participant_count).toBe(2);
    await served.api.leave(call.call_id, 'bob');
    expect((await served.api.call(call.call_id)).body.participant_count).toBe(1);
  });

  it('knows it by its id in any case', async () => {
    const call_id = randomUUID();
    await start({ call_id });
    expect((await served.api.call(call_id.toUpperCase())).body.call_id).toBe(call_id);
  });

  it('is for the caller, whoever has a session in it, and the listed', async () => {
    const call = await start({ user_ids: ['listed'] });
    await served.api.join(call.call_id, 'member');
    await served.api.leave(call.call_id, 'member');
    for (const user of ['caller', 'listed', 'member']) {
      expect((await served.api.call(call.call_id, { as: userToken(user) })).status, user).toBe(200);
    }
    expectProblem(await served.api.call(call.call_id, { as: userToken('stranger') }), 403, 'forbidden');
    const open = await start();
    expectProblem(await served.api.call(open.call_id, { as: userToken('stranger') }), 403, 'forbidden');
  });

  it('does not know an unknown call, and says what is wrong with an id that is none', async () => {
    expectProblem(await served.api.call(randomUUID()), 404, 'call_not_found');
    expectProblem(await served.api.call(randomUUID(), { as: userToken('eve') }), 404, 'call_not_found');
    for (const id of ['1', 'not-a-uuid', `${randomUUID()}0`, randomUUID().replaceAll('-', ''), `{${randomUUID()}}`]) {
      expectFaults(await served.api.call(encodeURIComponent(id)), { '?call_id': 'format' });
    }
  });

  it('answers HEAD as GET, without a body', async () => {
    const call = await start();
    const get = await served.api.call(call.call_id);
    const head = await served.api.request('HEAD', `/calls/${call.call_id}`);
    expect(head.status).toBe(200);
    expect(head.text).toBe('');
    expect(head.headers['content-type']).toBe(get.headers['content-type']);
    expect(head.headers['content-length']).toBe(get.headers['content-length']);
    expect((await served.api.request('HEAD', `/calls/${randomUUID()}`)).status).toBe(404);
  });

  it('shows at most 200 sessions, the oldest, and that there are more', async () => {
    const call = await start();
    await Promise.all(Array.from({ length: 200 }, (_, index) => served.api.join(call.call_id, `user-${index}`)));
    const { sessions, sessions_next_cursor } = (await served.api.call(call.call_id)).body;
    expect(sessions).toHaveLength(200);
    expect(sessions_next_cursor).toBeTypeOf('string');
    expect(sessions[0]?.user_id).toBe('caller');
  });
});
