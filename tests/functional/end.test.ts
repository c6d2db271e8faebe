import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { secrets, userToken } from '../support/service.ts';
import { expectProblem, isoTime, onEachDatabase, serve } from '../support/suite.ts';
import { connectionFor, deliverAll, events, roomOf } from '../support/webhooks.ts';

onEachDatabase('ending a call', (kind) => {
  const served = serve(kind);
  const start = async (body: object = {}) => (await served.api.startCall({ caller_id: 'caller', ...body })).body;

  it('answers the ended call, and who ended it', async () => {
    const call = await start();
    const answer = await served.api.end(call.call_id);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toMatchObject({
      call_id: call.call_id,
      status: 'ended',
      end_reason: 'ended',
      ended_by: 'backend',
      ended_by_type: 'service',
      participant_count: 0,
      room_deletion: 'pending',
    });
    expect(answer.body.ended_at).toMatch(isoTime);
    expect(answer.body.ended_at! >= call.started_at).toBe(true);
  });

  it('a second end answers the first end, whoever asks', async () => {
    const call = await start();
    const first = await served.api.end(call.call_id, {}, { as: userToken('caller') });
    expect(first.body).toMatchObject({ ended_by: 'caller', ended_by_type: 'user' });
    const others = [
      await served.api.end(call.call_id),
      await served.api.end(call.call_id, { user_id: 'somebody' }, { as: secrets.otherKey }),
      await served.api.end(call.call_id, undefined, { as: userToken('caller') }),
    ];
    for (const other of others) {
      expect(other.status).toBe(200);
      const { ended_at, ended_by, ended_by_type, end_reason, status } = first.body;
      expect(other.body).toMatchObject({ ended_at, ended_by, ended_by_type, end_reason, status });
    }
  });

  it('names the user on whose behalf a service key ends it', async () => {
    const call = await start();
    const moderator = `moderator of ${call.call_id}`;
    expect((await served.api.get(`/users/${encodeURIComponent(moderator)}`)).status).toBe(404);
    const { body } = await served.api.end(call.call_id, { user_id: moderator });
    expect(body).toMatchObject({ ended_by: moderator, ended_by_type: 'user' });
    expect((await served.api.get(`/users/${encodeURIComponent(moderator)}`)).body).toMatchObject({ user_id: moderator });
  });

  it('ends all open sessions at the same instant and leaves the ended ones alone', async () => {
    const call = await start();
    await deliverAll(served.api, [events.joined(roomOf(call.call_id), connectionFor(call, 'caller'))]);
    await served.api.join(call.call_id, 'bob');
    await served.api.join(call.call_id, 'gone');
    const gone = (await served.api.leave(call.call_id, 'gone')).body;
    const { body: ended } = await served.api.end(call.call_id);
    const { sessions } = (await served.api.call(call.call_id)).body;
    const of = (user: string) => sessions.find((session) => session.user_id === user);
    expect(of('caller')).toMatchObject({ status: 'ended', end_reason: 'call_ended', left_at: ended.ended_at, disconnect_reason: null });
    expect(of('caller')?.joined_at).toMatch(isoTime);
    expect(of('bob')).toMatchObject({ status: 'ended', end_reason: 'call_ended', left_at: ended.ended_at, joined_at: null });
    expect(of('gone')).toEqual(gone);
  });

  it('is the same in the tables', async () => {
    const call = await start();
    const { body: ended } = await served.api.end(call.call_id);
    const rows = await served.database.query(
      `select status, ended_at, end_reason, ended_by, ended_by_type from calls where call_id = '${call.call_id}'`,
    );
    expect(rows).toEqual([
      { status: 'ended', ended_at: ended.ended_at, end_reason: 'ended', ended_by: 'backend', ended_by_type: 'service' },
    ]);
    const sessions = await served.database.query(
      `select status, left_at, end_reason from sessions where call_id = '${call.call_id}'`,
    );
    expect(sessions).toEqual([{ status: 'ended', left_at: ended.ended_at, end_reason: 'call_ended' }]);
  });

  it('is the caller\'s alone by user token', async () => {
    const call = await start({ user_ids: ['listed'] });
    await served.api.join(call.call_id, 'listed');
    for (const user of ['listed', 'stranger']) {
      expectProblem(await served.api.end(call.call_id, {}, { as: userToken(user) }), 403, 'forbidden');
    }
    expectProblem(await served.api.end(call.call_id, { user_id: 'listed' }, { as: userToken('caller') }), 403, 'forbidden');
    expect((await served.api.call(call.call_id)).body.status).toBe('active');
  });

  it('does not know an unknown call, and forbids an ended one to strangers', async () => {
    expectProblem(await served.api.end(randomUUID()), 404, 'call_not_found');
    expectProblem(await served.api.end(randomUUID(), {}, { as: userToken('eve') }), 404, 'call_not_found');
    const call = await start();
    await served.api.end(call.call_id);
    expectProblem(await served.api.end(call.call_id, {}, { as: userToken('eve') }), 403, 'forbidden');
  });
});
