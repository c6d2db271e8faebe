import { randomUUID } from 'node:crypto';
import { TokenVerifier } from 'livekit-server-sdk';
import { describe, expect, it } from 'vitest';
import { claimsOf, headerOf } from '../support/jwt.ts';
import { secrets, userToken } from '../support/service.ts';
import { expectFaults, expectProblem, isoTime, onEachDatabase, serve, uuidV7 } from '../support/suite.ts';
import { connectionFor, deliverAll, events, roomOf } from '../support/webhooks.ts';

onEachDatabase('starting a call', (kind) => {
  const served = serve(kind, { LIVEKIT_PUBLIC_URL: 'https://calls.example.org' });

  it('answers 201 with the call, a session and a token', async () => {
    const before = Date.now();
    const answer = await served.api.startCall({ caller_id: 'ada', metadata: { topic: 'π', nested: [1, 2.5, null, true] } });
    expect(answer.status, answer.text).toBe(201);
    const call = answer.body;
    expect(answer.headers.location).toBe(`/calls/${call.call_id}`);
    expect(answer.headers['cache-control']).toContain('no-store');
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(call).toMatchObject({
      caller_id: 'ada',
      room_name: `call_${call.call_id}`,
      status: 'active',
      ended_at: null,
      end_reason: null,
      ended_by: null,
      ended_by_type: null,
      user_ids: null,
      max_participants: null,
      metadata: { topic: 'π', nested: [1, 2.5, null, true] },
      participant_count: 0,
      room_deletion: null,
      livekit_url: 'wss://calls.example.org',
    });
    expect(call.call_id).toMatch(uuidV7);
    expect(call.session_id).toMatch(uuidV7);
    expect(call.started_at).toMatch(isoTime);
    expect(Math.abs(Date.parse(call.started_at) - before)).toBeLessThan(5_000);
    expect(call.livekit_token_expires_at).toMatch(isoTime);
  });

  it('gives the caller one pending session', async () => {
    const { body: call } = await served.api.startCall({ caller_id: 'grace', name: 'Grace H.' });
    const { body } = await served.api.call(call.call_id);
    expect(body.sessions).toHaveLength(1);
    expect(body.sessions[0]).toMatchObject({
      session_id: call.session_id,
      call_id: call.call_id,
      user_id: 'grace',
      name: 'Grace H.',
      status: 'pending',
      joined_at: null,
      left_at: null,
      disconnect_reason: null,
      end_reason: null,
    });
    expect(body.sessions_next_cursor).toBeNull();
  });

  it('writes the call, its session and the user into the tables of the contract', async () => {
    const { body: call } = await served.api.startCall({ caller_id: 'barbara', max_participants: 7 });
    const calls = await served.database.query(
      `select call_id, caller_id, room_name, status, started_at, ended_at, max_participants from calls where call_id = '${call.call_id}'`,
    );
    expect(calls).toEqual([
      {
        call_id: call.call_id,
        caller_id: 'barbara',
        room_name: call.room_name,
        status: 'active',
        started_at: call.started_at,
        ended_at: null,
        max_participants: 7,
      },
    ]);
    const sessions = await served.database.query(`select session_id, user_id, status from sessions where call_id = '${call.call_id}'`);
    expect(sessions).toEqual([{ session_id: call.session_id, user_id: 'barbara', status: 'pending' }]);
    expect(await served.database.query(`select user_id from users where user_id = 'barbara'`)).toEqual([{ user_id: 'barbara' }]);
  });

  it('takes a user token without a caller_id as its own user', async () => {
    const answer = await served.api.startCall({}, { as: userToken('ursula', { name: 'Ursula from the token' }) });
    expect(answer.status, answer.text).toBe(201);
    expect(answer.body.caller_id).toBe('ursula');
    expect(claimsOf(answer.body.livekit_token).name).toBe('Ursula from the token');
  });

  it('takes an empty body of a user token as {}', async () => {
    const answer = await served.api.post('/calls', undefined, { as: userToken('empty') });
    expect(answer.status, answer.text).toBe(201);
  });

  it('refuses a user token that names another caller', async () => {
    expectProblem(await served.api.startCall({ caller_id: 'victim' }, { as: userToken('mallory') }), 403, 'forbidden');
    expect((await served.api.startCall({ caller_id: 'self' }, { as: userToken('self') })).status).toBe(201);
  });

  it('asks a service key for the caller', async () => {
    const problem = expectProblem(await served.api.startCall({}), 422, 'validation_failed');
    expect(problem.errors).toEqual([expect.objectContaining({ pointer: '/caller_id', code: 'required' })]);
  });

  it('asks a service key for the caller together with all other faults', async () => {
    expectFaults(await served.api.startCall({ max_participants: 0, x: 1 }), {
      '/caller_id': 'required',
      '/max_participants': 'range',
      '/x': 'unknown_field',
    });
    expectFaults(await served.api.startCall({ x: 1 }, { as: userToken('own') }), { '/x': 'unknown_field' });
  });

  it('keeps each of the users once, where they came first', async () => {
    const user_ids = ['bob', 'eve', 'bob', 'ada', 'eve', 'bob'];
    const answer = await served.api.startCall({ caller_id: 'ada', user_ids });
    expect(answer.status, answer.text).toBe(201);
    expect(answer.body.user_ids).toEqual(['bob', 'eve', 'ada']);
    expect((await served.api.call(answer.body.call_id)).body.user_ids).toEqual(['bob', 'eve', 'ada']);
  });

  it('measures and keeps metadata with no more escapes than JSON asks for', async () => {
    const text = '\u2028\u2029'.repeat(680);
    expect(Buffer.byteLength(JSON.stringify({ text }))).toBe(4091);
    const { status, body } = await served.api.startCall({ caller_id: 'meta', metadata: { text } });
    expect(status).toBe(201);
    expect(body.metadata).toEqual({ text });
    expect((await served.api.call(body.call_id)).body.metadata).toEqual({ text });
  });

  it('takes null members as absent', async () => {
    const body = { caller_id: 'nil', name: null, call_id: null, user_ids: null, metadata: null, max_participants: null };
    expect((await served.api.startCall(body)).status).toBe(201);
  });

  it('returns metadata equal as a value', async () => {
    const metadata = { big: 1e300, negative: -0.5, text: '"\\\u0001€', list: [[], {}], '': 'empty key' };
    const { body: call } = await served.api.startCall({ caller_id: 'meta', metadata });
    expect(call.metadata).toEqual(metadata);
    expect((await served.api.call(call.call_id)).body.metadata).toEqual(metadata);
  });

  describe('the token', () => {
    it('is one that LiveKit accepts, with exactly the grants of the contract', async () => {
      const { body: call } = await served.api.startCall({ caller_id: 'token-user', name: 'Zoë "Z"', max_participants: 12 });
      await new TokenVerifier(secrets.livekitKey, secrets.livekitSecret).verify(call.livekit_token);
      expect(headerOf(call.livekit_token).alg).toBe('HS256');
      const { nbf, exp, iat, ...claims } = claimsOf(call.livekit_token);
      expect(claims).toEqual({
        iss: secrets.livekitKey,
        sub: 'token-user',
        name: 'Zoë "Z"',
        attributes: { call_id: call.call_id, session_id: call.session_id },
        video: { roomJoin: true, room: call.room_name, canPublish: true, canSubscribe: true, canPublishData: true },
        roomConfig: { departureTimeout: 60, emptyTimeout: 900 + 600 + 60, maxParticipants: 12 },
      });
      expect(exp - nbf).toBe(600);
      expect(Math.abs(nbf - Date.now() / 1000)).toBeLessThan(5);
      expect(Math.floor(Date.parse(call.livekit_token_expires_at) / 1000)).toBe(exp);
      expect(iat ?? nbf).toBe(nbf);
    });

    it('names the user id where there is no display name, and sets no limit where there is none', async () => {
      const { body: call } = await served.api.startCall({ caller_id: 'plain' });
      const claims = claimsOf(call.livekit_token);
      expect(claims.name).toBe('plain');
      expect(claims.roomConfig.maxParticipants ?? 0).toBe(0);
    });
  });

  describe('with a call_id of the client', () => {
    it('uses it, in lower case', async () => {
      for (const id of [randomUUID(), randomUUID().toUpperCase(), '00000000-0000-0000-0000-00000000abCD']) {
        const answer = await served.api.startCall({ caller_id: 'chooser', call_id: id });
        expect(answer.status, answer.text).toBe(201);
        expect(answer.body.call_id).toBe(id.toLowerCase());
        expect(answer.body.room_name).toBe(`call_${id.toLowerCase()}`);
      }
    });

    it('answers the same caller again with the same call, its pending session and a fresh token', async () => {
      const call_id = randomUUID();
      const first = await served.api.startCall({ caller_id: 'again', call_id, metadata: { first: true }, max_participants: 3 });
      const second = await served.api.startCall({ caller_id: 'again', call_id: call_id.toUpperCase(), metadata: { first: false } });
      expect(second.status, second.text).toBe(200);
      expect(second.body).toMatchObject({
        call_id,
        session_id: first.body.session_id,
        started_at: first.body.started_at,
        metadata: { first: true },
        max_participants: 3,
      });
      expect(second.headers['cache-control']).toContain('no-store');
      expect(claimsOf(second.body.livekit_token).attributes.session_id).toBe(first.body.session_id);
    });

    it('answers a new session when the one of the caller is no longer pending', async () => {
      const call_id = randomUUID();
      const first = await served.api.startCall({ caller_id: 'twice', call_id });
      const room = roomOf(call_id);
      await deliverAll(served.api, [events.joined(room, connectionFor(first.body, 'twice'))]);
      const second = await served.api.startCall({ caller_id: 'twice', call_id });
      expect(second.status).toBe(200);
      expect(second.body.session_id).not.toBe(first.body.session_id);
      expect(second.body.participant_count).toBe(1);
    });

    it('refuses another caller', async () => {
      const call_id = randomUUID();
      await served.api.startCall({ caller_id: 'owner', call_id });
      expectProblem(await served.api.startCall({ caller_id: 'thief', call_id }), 409, 'call_id_taken');
      expectProblem(await served.api.startCall({ call_id }, { as: userToken('thief') }), 409, 'call_id_taken');
    });

    it('refuses an ended call', async () => {
      const call_id = randomUUID();
      await served.api.startCall({ caller_id: 'owner', call_id });
      await served.api.end(call_id);
      expectProblem(await served.api.startCall({ caller_id: 'owner', call_id }), 409, 'call_ended');
      expectProblem(await served.api.startCall({ caller_id: 'thief', call_id }), 409, 'call_id_taken');
    });
  });
});

onEachDatabase('starting a call, configured otherwise', (kind) => {
  const served = serve(kind, {
    LIVEKIT_TOKEN_TTL_SECONDS: '10',
    ROOM_DEPARTURE_TIMEOUT_SECONDS: '7',
    CALL_NEVER_JOINED_TIMEOUT_SECONDS: '0',
    LIVEKIT_URL: 'http://127.0.0.1:1',
  });

  it('follows the configured times and converts the URL for clients', async () => {
    const { body: call } = await served.api.startCall({ caller_id: 'short' });
    const claims = claimsOf(call.livekit_token);
    expect(claims.exp - claims.nbf).toBe(10);
    expect(claims.roomConfig).toMatchObject({ departureTimeout: 7, emptyTimeout: 86_400 });
    expect(call.livekit_url).toBe('ws://127.0.0.1:1');
  });
});
