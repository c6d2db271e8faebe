import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Api } from '../support/api.ts';
import { PostgresDatabase, createDatabase } from '../support/database.ts';
import { expectInvariants } from '../support/invariants.ts';
import { PostgresProxy, type Fate } from '../support/postgres-proxy.ts';
import { Service } from '../support/service.ts';

const fates: Fate[] = ['committed', 'never sent'];

describe.each(fates)('a connection lost at COMMIT, the change was %s', (fate) => {
  let database: PostgresDatabase;
  let proxy: PostgresProxy;
  let service: Service;
  let api: Api;

  beforeAll(async () => {
    database = (await createDatabase('postgresql')) as PostgresDatabase;
    proxy = await PostgresProxy.start(database.url);
    service = await Service.start(database, { DATABASE_URL: proxy.url });
    api = new Api(service.port);
  });
  afterAll(async () => {
    api?.close();
    try {
      await service?.stop();
      if (service) await expectInvariants(database);
    } finally {
      await proxy?.stop();
      await database?.remove();
    }
  });

  /** Does it while the COMMIT of what it does to `user` is lost; its answer. */
  const losing = async <T>(user: string, action: () => Promise<T>): Promise<T> => {
    const [answer] = await Promise.all([action(), proxy.loseCommitOf(user, fate)]);
    return answer;
  };
  const userOf = (action: string): string => `${action}-${randomUUID()}`;
  const start = async () => (await api.startCall({ caller_id: 'ada' })).body;

  it.each([
    ['whose id the service chooses', false],
    ['whose id the client chooses', true],
  ])('a start %s makes one call and says so', async (_, chosen) => {
    const caller_id = userOf('start');
    const body = { caller_id, ...(chosen ? { call_id: randomUUID() } : {}) };
    const answer = await losing(caller_id, () => api.startCall(body));
    expect(answer.status, answer.text).toBe(201);
    expect(await database.query(`select call_id from calls where caller_id = '${caller_id}'`)).toEqual([{ call_id: answer.body.call_id }]);
    const sessions = await database.query(`select session_id, call_id, status from sessions where user_id = '${caller_id}'`);
    expect(sessions).toEqual([{ session_id: answer.body.session_id, call_id: answer.body.call_id, status: 'pending' }]);
  });

  it('a join makes one session and says which', async () => {
    const call = await start();
    const user = userOf('join');
    const answer = await losing(user, () => api.join(call.call_id, user));
    expect(answer.status, answer.text).toBe(200);
    const sessions = await database.query(`select session_id, status from sessions where user_id = '${user}'`);
    expect(sessions).toEqual([{ session_id: answer.body.session_id, status: 'pending' }]);
  });

  it('a leave ends the session once and answers it', async () => {
    const call = await start();
    const user = userOf('leave');
    const { session_id } = (await api.join(call.call_id, user)).body;
    const answer = await losing(user, () => api.leave(call.call_id, user));
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toMatchObject({ session_id, status: 'ended', end_reason: 'left' });
    const sessions = await database.query(`select session_id, left_at from sessions where user_id = '${user}'`);
    expect(sessions).toEqual([{ session_id, left_at: answer.body.left_at }]);
  });

  it('an end ends the call once and answers as the one who did it', async () => {
    const call = await start();
    const user_id = userOf('end');
    const answer = await losing(user_id, () => api.end(call.call_id, { user_id }));
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toMatchObject({ status: 'ended', ended_by: user_id, ended_by_type: 'user', room_deletion: 'pending' });
    const calls = await database.query(`select status, ended_at from calls where call_id = '${call.call_id}'`);
    expect(calls).toEqual([{ status: 'ended', ended_at: answer.body.ended_at }]);
    expect(await database.query(`select kind from outbox where call_id = '${call.call_id}'`)).toEqual([{ kind: 'delete_room' }]);
  });
});
