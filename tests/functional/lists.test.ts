import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Call, Session } from '../support/api.ts';
import { userToken } from '../support/service.ts';
import { expectFaults, expectProblem, onEachDatabase, serve } from '../support/suite.ts';
import { connectionFor, deliverAll, events, roomOf } from '../support/webhooks.ts';

interface List<Item> {
  data: Item[];
  next_cursor: string | null;
}

onEachDatabase('lists', (kind) => {
  const served = serve(kind);
  const start = async (body: object) => (await served.api.startCall(body)).body;
  const query = (filters: Record<string, string | number>) => `?${new URLSearchParams(Object.fromEntries(Object.entries(filters).map(([name, value]) => [name, String(value)])))}`;
  const list = async <Item = Call>(path: string, filters: Record<string, string | number> = {}, as?: string) => {
    const answer = await served.api.get<List<Item>>(path + query(filters), as ? { as } : {});
    expect(answer.status, answer.text).toBe(200);
    return answer.body;
  };
  const ids = async (filters: Record<string, string | number>, as?: string) => (await list('/calls', filters, as)).data.map((call) => call.call_id);
  const walk = async <Item>(path: string, filters: Record<string, string | number>): Promise<Item[]> => {
    const all: Item[] = [];
    let page = await list<Item>(path, filters);
    for (all.push(...page.data); page.next_cursor; all.push(...page.data)) page = await list<Item>(path, { ...filters, cursor: page.next_cursor });
    return all;
  };

  it('of calls: newest first, the same members as the call', async () => {
    const caller_id = randomUUID();
    const first = await start({ caller_id, metadata: { a: 1 }, user_ids: ['x'], max_participants: 3 });
    const second = await start({ caller_id });
    const { data, next_cursor } = await list('/calls', { caller_id });
    expect(data.map((call) => call.call_id)).toEqual([second.call_id, first.call_id]);
    expect(next_cursor).toBeNull();
    const { sessions, sessions_next_cursor, ...call } = (await served.api.call(first.call_id)).body;
    expect(data[1]).toEqual(call);
  });

  it('of calls: by status, caller and who is involved, and all of them together', async () => {
    const [ada, bob, eve] = [randomUUID(), randomUUID(), randomUUID()];
    const started = (await start({ caller_id: ada })).call_id;
    const listed = (await start({ caller_id: bob, user_ids: [ada] })).call_id;
    const entered = (await start({ caller_id: bob })).call_id;
    await served.api.join(entered, ada);
    const ended = (await start({ caller_id: eve })).call_id;
    await served.api.join(ended, ada);
    await served.api.end(ended);
    const foreign = (await start({ caller_id: eve })).call_id;

    expect(await ids({ user_id: ada })).toEqual([ended, entered, listed, started]);
    expect(await ids({ user_id: ada, status: 'active' })).toEqual([entered, listed, started]);
    expect(await ids({ user_id: ada, status: 'ended' })).toEqual([ended]);
    expect(await ids({ user_id: ada, caller_id: bob })).toEqual([entered, listed]);
    expect(await ids({ user_id: ada, caller_id: ada })).toEqual([started]);
    expect(await ids({ caller_id: eve })).toEqual([foreign, ended]);
    expect(await ids({ caller_id: eve, status: 'ended' })).toEqual([ended]);
    expect((await ids({})).slice(0, 5)).toEqual([foreign, ended, entered, listed, started]);
    expect((await ids({ status: 'active' })).slice(0, 4)).toEqual([foreign, entered, listed, started]);
  });

  it('of calls: between two moments, both excluded', async () => {
    const caller_id = randomUUID();
    const calls: Call[] = [];
    for (let i = 0; i < 3; ++i) {
      calls.push(await start({ caller_id }));
      while (Date.now() <= Date.parse(calls[i]!.started_at)) await new Promise((resolve) => setImmediate(resolve));
    }
    const [a, b, c] = calls as [Call, Call, Call];
    const offset = (at: string) => new Date(Date.parse(at) + 3_600_000).toISOString().replace('Z', '+01:00');
    expect(await ids({ caller_id, started_after: a.started_at })).toEqual([c.call_id, b.call_id]);
    expect(await ids({ caller_id, started_before: c.started_at })).toEqual([b.call_id, a.call_id]);
    expect(await ids({ caller_id, started_after: offset(a.started_at), started_before: offset(c.started_at) })).toEqual([b.call_id]);
  });

  it('of calls: page by page without gaps or repetitions, while calls are added', async () => {
    const caller_id = randomUUID();
    const made = (await Promise.all(Array.from({ length: 23 }, () => start({ caller_id, call_id: randomUUID() })))).map((call) => call.call_id);
    const seen: string[] = [];
    let cursor: string | null = '';
    for (let pages = 0; cursor !== null; ++pages) {
      expect(pages).toBeLessThan(9);
      const page: List<Call> = await list('/calls', { caller_id, limit: 3, ...(cursor && { cursor }) });
      expect(page.data.length).toBeLessThanOrEqual(3);
      seen.push(...page.data.map((call) => call.call_id));
      cursor = page.next_cursor;
      await start({ caller_id });
    }
    expect(seen.length).toBe(23);
    expect(new Set(seen)).toEqual(new Set(made));
  });

  it('of calls: shows a user token its own, which a filter only narrows', async () => {
    const [ada, bob] = [randomUUID(), randomUUID()];
    const own = (await start({ caller_id: ada })).call_id;
    const both = (await start({ caller_id: bob, user_ids: [ada] })).call_id;
    await start({ caller_id: bob });
    expect(await ids({}, userToken(ada))).toEqual([both, own]);
    expect(await ids({ user_id: ada }, userToken(ada))).toEqual([both, own]);
    expect(await ids({ user_id: bob }, userToken(ada))).toEqual([both]);
    expect(await ids({ caller_id: bob }, userToken(ada))).toEqual([both]);
    expect(await ids({ caller_id: ada, user_id: bob }, userToken(ada))).toEqual([]);
    expect(await ids({}, userToken(randomUUID()))).toEqual([]);
  });

  it('tell all that is wrong with a query at once', async () => {
    expectFaults(await served.api.get('/calls?status=open&caller_id=&user_id=%20x&started_after=now&limit=201&cursor=!&page=2'), {
      '?status': 'enum', '?caller_id': 'length', '?user_id': 'format', '?started_after': 'format', '?limit': 'range',
      '?cursor': 'format', '?page': 'unknown_field',
    });
    expectFaults(await served.api.get('/calls?limit=1.5'), { '?limit': 'type' });
    expectFaults(await served.api.get(`/calls/nonsense/sessions?status=gone&limit=0`), {
      '?call_id': 'format', '?status': 'enum', '?limit': 'range',
    });
    expectProblem(await served.api.get('/calls?status=%zz'), 400, 'malformed_request');
  });

  it('refuse a cursor made with other filters or for another list', async () => {
    const caller_id = randomUUID();
    const call = await start({ caller_id });
    await start({ caller_id });
    const { next_cursor: cursor } = await list('/calls', { caller_id, limit: 1 });
    expect(cursor).toBeTypeOf('string');
    expect((await list('/calls', { caller_id, limit: 2, cursor: cursor! })).data.length).toBe(1);
    expectFaults(await served.api.get(`/calls${query({ cursor: cursor! })}`), { '?cursor': 'format' });
    expectFaults(await served.api.get(`/calls/${call.call_id}/sessions${query({ cursor: cursor! })}`), { '?cursor': 'format' });
  });

  it('of sessions: oldest first, by user and status, page by page', async () => {
    const call = await start({ caller_id: 'ada' });
    const path = `/calls/${call.call_id}/sessions`;
    for (const user of ['u1', 'u2', 'u3', 'u4']) await served.api.join(call.call_id, user);
    await served.api.leave(call.call_id, 'u2');
    await served.api.join(call.call_id, 'u2');
    const { sessions } = (await served.api.call(call.call_id)).body;
    expect(sessions.length).toBe(6);
    expect((await list<Session>(path)).data).toEqual(sessions);
    expect(await walk(path, { limit: 2 })).toEqual(sessions);
    expect(await walk(path, { limit: 1, user_id: 'u2' })).toEqual(sessions.filter((session) => session.user_id === 'u2'));
    expect((await list(path, { status: 'ended' })).data).toEqual(sessions.filter((session) => session.status === 'ended'));
    expect((await list(path, { status: 'active' })).data).toEqual([]);
  });

  it('of sessions: goes on where the call left off', async () => {
    const call = await start({ caller_id: 'ada' });
    // All at once may be more than a busy machine's database does in time.
    for (let first = 0; first < 205; first += 41) {
      const answers = await Promise.all(Array.from({ length: 41 }, (_, index) => served.api.join(call.call_id, `u${first + index}`)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    }
    const { sessions, sessions_next_cursor } = (await served.api.call(call.call_id)).body;
    expect(sessions.length).toBe(200);
    const rest = await list<Session>(`/calls/${call.call_id}/sessions`, { cursor: sessions_next_cursor! });
    expect(rest.next_cursor).toBeNull();
    expect(new Set([...sessions, ...rest.data].map((session) => session.user_id)).size).toBe(206);
  });

  it('of sessions: for those who may read the call', async () => {
    const call = await start({ caller_id: 'ada' });
    const path = `/calls/${call.call_id}/sessions`;
    expect((await served.api.get(path, { as: userToken('ada') })).status).toBe(200);
    expectProblem(await served.api.get(path, { as: userToken('stranger') }), 403, 'forbidden');
    expectProblem(await served.api.get(`/calls/${randomUUID()}/sessions`), 404, 'call_not_found');
  });

  it('of a user: the sessions now active', async () => {
    const user = `user/${randomUUID()}`;
    const path = `/users/${encodeURIComponent(user)}`;
    expectProblem(await served.api.get(path), 404, 'user_not_found');
    const call = await start({ caller_id: user });
    const answer = await served.api.get(path, { as: userToken(user) });
    expect(answer.body).toEqual({ user_id: user, created_at: call.started_at, active_sessions: [] });
    await deliverAll(served.api, [events.joined(roomOf(call.call_id), connectionFor(call, user))]);
    const { active_sessions } = (await served.api.get(path)).body;
    expect(active_sessions).toEqual((await served.api.call(call.call_id)).body.sessions);
    expectProblem(await served.api.get(path, { as: userToken('another') }), 403, 'forbidden');
    await served.api.end(call.call_id);
    expect((await served.api.get(path)).body.active_sessions).toEqual([]);
  });

  it('follow a user who is renamed', async () => {
    const [old, renamed] = [randomUUID(), randomUUID()];
    const call = await start({ caller_id: 'somebody', user_ids: [old] });
    await served.database.execute(`${kind === 'sqlite' ? 'pragma foreign_keys = on; ' : ''}update users set user_id = '${renamed}' where user_id = '${old}'`);
    expect(await ids({ user_id: renamed })).toEqual([call.call_id]);
    expect(await ids({ user_id: old })).toEqual([]);
  });

  it('answer HEAD, and name what else a path takes', async () => {
    expect((await served.api.request('HEAD', '/calls')).status).toBe(200);
    const answer = await served.api.request('DELETE', '/calls');
    expectProblem(answer, 405, 'method_not_allowed');
    expect(String(answer.headers.allow).split(', ').sort()).toEqual(['GET', 'HEAD', 'POST']);
  });
});
