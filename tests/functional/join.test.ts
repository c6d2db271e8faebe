import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { claimsOf } from '../support/jwt.ts';
import { userToken } from '../support/service.ts';
import { expectProblem, isoTime, onEachDatabase, serve, uuidV7 } from '../support/suite.ts';
import { connectionFor, connectionOf, deliverAll, events, roomOf } from '../support/webhooks.ts';

onEachDatabase('joining a call', (kind) => {
  const served = serve(kind);
  const start = async (body: object = {}) => (await served.api.startCall({ caller_id: 'caller', ...body })).body;

  it('answers a new session and a token for it', async () => {
    const call = await start();
    const answer = await served.api.join(call.call_id, 'bob', { name: 'Bob' });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.headers['cache-control']).toContain('no-store');
    expect(answer.body).toMatchObject({ call_id: call.call_id, user_id: 'bob', room_name: call.room_name, livekit_url: 'ws://127.0.0.1:1' });
    expect(answer.body.session_id).toMatch(uuidV7);
    expect(answer.body.livekit_token_expires_at).toMatch(isoTime);
    expect(claimsOf(answer.body.livekit_token)).toMatchObject({
      sub: 'bob',
      name: 'Bob',
      attributes: { call_id: call.call_id, session_id: answer.body.session_id },
      video: { room: call.room_name, roomJoin: true },
    });
  });

  it('answers the same pending session to a retry', async () => {
    const call = await start();
    const first = await served.api.join(call.call_id, 'bob');
    const second = await served.api.join(call.call_id, 'bob');
    expect(second.body.session_id).toBe(first.body.session_id);
    expect((await served.api.join(call.call_id, 'caller')).body.session_id).toBe(call.session_id);
    expect((await served.api.call(call.call_id)).body.sessions).toHaveLength(2);
  });

  it('makes a second session for a user who is connected, and keeps the first until the second connects', async () => {
    const call = await start();
    const first = (await served.api.join(call.call_id, 'bob')).body;
    const room = roomOf(call.call_id);
    await deliverAll(served.api, [events.joined(room, connectionFor(first, 'bob'))]);
    const second = (await served.api.join(call.call_id, 'bob')).body;
    expect(second.session_id).not.toBe(first.session_id);
    const { sessions, participant_count } = (await served.api.call(call.call_id)).body;
    expect(participant_count).toBe(1);
    expect(sessions.filter((session) => session.user_id === 'bob').map((session) => session.status)).toEqual(['active', 'pending']);
  });

  it('takes the display name from the body, else the last one in this call, else the user id', async () => {
    const call = await start();
    const nameOf = async (body?: object) => claimsOf((await served.api.join(call.call_id, 'carol', body)).body.livekit_token).name;
    expect(await nameOf()).toBe('carol');
    expect(await nameOf({ name: 'Carol C.' })).toBe('Carol C.');
    expect(await nameOf()).toBe('Carol C.');
    expect(await nameOf({})).toBe('Carol C.');
    await served.api.leave(call.call_id, 'carol');
    expect(await nameOf()).toBe('Carol C.');
    const other = await start();
    expect(claimsOf((await served.api.join(other.call_id, 'carol')).body.livekit_token).name).toBe('carol');
  });

  it('prefers the name claim of a user token', async () => {
    const call = await start();
    const as = userToken('dora', { name: 'Dora by login' });
    const { body } = await served.api.join(call.call_id, 'dora', { name: 'Impostor' }, { as });
    expect(claimsOf(body.livekit_token).name).toBe('Dora by login');
  });

  it('refuses an unknown call and an ended one', async () => {
    expectProblem(await served.api.join(randomUUID(), 'bob'), 404, 'call_not_found');
    const call = await start();
    await served.api.end(call.call_id);
    expectProblem(await served.api.join(call.call_id, 'bob'), 409, 'call_ended');
    expectProblem(await served.api.join(call.call_id, 'caller'), 409, 'call_ended');
  });

  it('refuses more users than max_participants, and nobody who has a session', async () => {
    const call = await start({ max_participants: 2 });
    expect((await served.api.join(call.call_id, 'bob')).status).toBe(200);
    expectProblem(await served.api.join(call.call_id, 'carol'), 409, 'call_full');
    expect((await served.api.join(call.call_id, 'bob')).status).toBe(200);
    expect((await served.api.join(call.call_id, 'caller')).status).toBe(200);
    await served.api.leave(call.call_id, 'bob');
    expect((await served.api.join(call.call_id, 'carol')).status).toBe(200);
    expectProblem(await served.api.join(call.call_id, 'bob'), 409, 'call_full');
  });

  it('counts a user with an active and a pending session once', async () => {
    const call = await start({ max_participants: 2 });
    const room = roomOf(call.call_id);
    await deliverAll(served.api, [events.joined(room, connectionFor(call, 'caller'))]);
    await served.api.join(call.call_id, 'caller');
    expect((await served.api.join(call.call_id, 'bob')).status).toBe(200);
  });

  it('records presence in LiveKit even beyond max_participants', async () => {
    const call = await start({ max_participants: 1 });
    const room = roomOf(call.call_id);
    await deliverAll(served.api, [events.joined(room, connectionFor(call, 'caller')), events.joined(room, connectionOf('uninvited'))]);
    expect((await served.api.call(call.call_id)).body.participant_count).toBe(2);
  });

  describe('by user token', () => {
    it('is for oneself only', async () => {
      const call = await start();
      expect((await served.api.join(call.call_id, 'eve', {}, { as: userToken('eve') })).status).toBe(200);
      expectProblem(await served.api.join(call.call_id, 'victim', {}, { as: userToken('eve') }), 403, 'forbidden');
    });

    it('is open to whoever knows the id of a call without user_ids', async () => {
      const call = await start();
      expect((await served.api.join(call.call_id, 'guest', undefined, { as: userToken('guest') })).status).toBe(200);
    });

    it('is for the caller, the listed and whom a service key has joined, where there are user_ids', async () => {
      const call = await start({ user_ids: ['listed', 'also-listed'] });
      expect(call.user_ids?.toSorted()).toEqual(['also-listed', 'listed']);
      const joins = async (user: string) => served.api.join(call.call_id, user, undefined, { as: userToken(user) });
      expect((await joins('listed')).status).toBe(200);
      expect((await joins('caller')).status).toBe(200);
      expectProblem(await joins('stranger'), 403, 'forbidden');
      expect((await served.api.join(call.call_id, 'invited')).status).toBe(200);
      expect((await joins('invited')).status).toBe(200);
      expect((await served.api.call(call.call_id, { as: userToken('invited') })).status).toBe(200);
      expect((await served.api.call(call.call_id)).body.user_ids?.toSorted()).toContain('listed');
    });

    it('still lets the invited back in after they have left', async () => {
      const call = await start({ user_ids: ['listed'] });
      await served.api.join(call.call_id, 'invited');
      await served.api.leave(call.call_id, 'invited');
      expect((await served.api.join(call.call_id, 'invited', {}, { as: userToken('invited') })).status).toBe(200);
    });

    it('is answered 404 before 403 before 409', async () => {
      expectProblem(await served.api.join(randomUUID(), 'victim', {}, { as: userToken('eve') }), 404, 'call_not_found');
      const call = await start({ user_ids: ['listed'], max_participants: 1 });
      expectProblem(await served.api.join(call.call_id, 'eve', {}, { as: userToken('eve') }), 403, 'forbidden');
      await served.api.end(call.call_id);
      expectProblem(await served.api.join(call.call_id, 'eve', {}, { as: userToken('eve') }), 403, 'forbidden');
      expectProblem(await served.api.join(call.call_id, 'listed', {}, { as: userToken('eve') }), 403, 'forbidden');
      expectProblem(await served.api.join(call.call_id, 'listed', {}, { as: userToken('listed') }), 409, 'call_ended');
    });

    it('is answered call_ended rather than call_full', async () => {
      const call = await start({ max_participants: 1 });
      await served.api.end(call.call_id);
      expectProblem(await served.api.join(call.call_id, 'bob'), 409, 'call_ended');
    });
  });
});
