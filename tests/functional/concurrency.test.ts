import { randomUUID } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { expectInvariants } from '../support/invariants.ts';
import { secrets, userToken } from '../support/service.ts';
import { onEachDatabase, serve } from '../support/suite.ts';
import { connectionFor, connectionOf, deliver, events, roomOf } from '../support/webhooks.ts';

const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));
const countOf = (list: unknown[], value: unknown): number => list.filter((one) => one === value).length;

onEachDatabase('at the same time', (kind) => {
  const served = serve(kind, { WORKERS: '4' });
  const start = async (body: object = {}) => (await served.api.startCall({ caller_id: 'ada', ...body })).body;
  const rows = <Row = Record<string, unknown>>(sql: string) => served.database.query<Row>(sql);

  afterEach(() => expectInvariants(served.database));

  it('50 ends of one call are one end', async () => {
    const call = await start();
    await Promise.all(times(10, (index) => served.api.join(call.call_id, `user-${index}`)));
    const callers = [{}, { as: secrets.otherKey }, { as: userToken('ada') }];
    const answers = await Promise.all(times(50, (index) => served.api.end(call.call_id, {}, callers[index % 3])));
    expect(countOf(answers.map(({ status }) => status), 200)).toBe(50);
    expect(new Set(answers.map(({ body }) => `${body.ended_at} ${body.ended_by} ${body.ended_by_type}`)).size).toBe(1);
    const sessions = await rows(`select distinct status, left_at, end_reason from sessions where call_id = '${call.call_id}'`);
    expect(sessions).toEqual([{ status: 'ended', left_at: answers[0]!.body.ended_at, end_reason: 'call_ended' }]);
  });

  it('50 starts with one call_id are one call with one session', async () => {
    const call_id = randomUUID();
    const answers = await Promise.all(times(50, () => served.api.startCall({ caller_id: 'ada', call_id })));
    const statuses = answers.map(({ status }) => status);
    expect([countOf(statuses, 201), countOf(statuses, 200)]).toEqual([1, 49]);
    expect(new Set(answers.map(({ body }) => body.session_id)).size).toBe(1);
    expect(await rows(`select user_id, status from sessions where call_id = '${call_id}'`)).toEqual([{ user_id: 'ada', status: 'pending' }]);
  });

  it('50 starts of different callers with one call_id have one winner', async () => {
    const call_id = randomUUID();
    const answers = await Promise.all(times(50, (index) => served.api.startCall({ caller_id: `caller-${index}`, call_id })));
    const statuses = answers.map(({ status }) => status);
    expect([countOf(statuses, 201), countOf(statuses, 409)]).toEqual([1, 49]);
    const winner = answers.find(({ status }) => status === 201)!.body;
    expect(await rows(`select caller_id from calls where call_id = '${call_id}'`)).toEqual([{ caller_id: winner.caller_id }]);
    expect(await rows(`select user_id from sessions where call_id = '${call_id}'`)).toEqual([{ user_id: winner.caller_id }]);
  });

  it('50 joins of one new user are one session', async () => {
    const call = await start();
    const user = `newcomer-${randomUUID()}`;
    const answers = await Promise.all(times(50, () => served.api.join(call.call_id, user)));
    expect(countOf(answers.map(({ status }) => status), 200)).toBe(50);
    expect(new Set(answers.map(({ body }) => body.session_id)).size).toBe(1);
    expect(await rows(`select status from sessions where user_id = '${user}'`)).toEqual([{ status: 'pending' }]);
  });

  it('50 users cannot take more places than there are', async () => {
    const call = await start({ max_participants: 10 });
    const answers = await Promise.all(times(50, (index) => served.api.join(call.call_id, `guest-${index}`)));
    const statuses = answers.map(({ status }) => status);
    expect([countOf(statuses, 200), countOf(statuses, 409)]).toEqual([9, 41]);
    const [open] = await rows<{ number: number }>(
      `select count(distinct user_id) as number from sessions where call_id = '${call.call_id}' and status <> 'ended'`,
    );
    expect(open?.number).toBe(10);
  });

  it('the same new users joining many calls in opposite orders do not block each other', async () => {
    const calls = await Promise.all(times(10, () => start()));
    const users = times(10, () => `shared-${randomUUID()}`);
    const joins = calls.flatMap((call, index) => (index % 2 ? users : users.toReversed()).map((user) => served.api.join(call.call_id, user)));
    expect(countOf((await Promise.all(joins)).map(({ status }) => status), 200)).toBe(100);
  });

  it('an end that races with joins leaves no open session', async () => {
    for (const round of times(10, (index) => index)) {
      const call = await start();
      const joins = times(20, (index) => served.api.join(call.call_id, `racer-${round}-${index}`));
      const end = served.api.end(call.call_id);
      const more = times(20, (index) => served.api.join(call.call_id, `late-${round}-${index}`));
      const answers = await Promise.all([...joins, ...more]);
      expect((await end).status).toBe(200);
      expect(answers.every(({ status, text }) => status === 200 || (status === 409 && text.includes('"call_ended"')))).toBe(true);
      expect(await rows(`select session_id from sessions where call_id = '${call.call_id}' and status <> 'ended'`)).toEqual([]);
    }
  });

  it('an end that races with what LiveKit tells leaves no open session', async () => {
    for (const round of times(10, (index) => index)) {
      const call = await start();
      const room = roomOf(call.call_id, Date.now() - 1_000);
      const tell = times(8, (index) => deliver(served.api, events.joined(room, connectionOf(`racer-${round}-${index}`, Date.now() - 500))));
      const [end, ...answers] = await Promise.all([served.api.end(call.call_id), ...tell]);
      expect(countOf([end!, ...answers].map(({ status }) => status), 200)).toBe(9);
      expect(await rows(`select session_id from sessions where call_id = '${call.call_id}' and status <> 'ended'`)).toEqual([]);
    }
  });

  it('starting, joining, leaving, connecting and ending leave every rule kept', async () => {
    const calls = await Promise.all(times(8, () => start({ max_participants: 5 })));
    const work = calls.flatMap((call) => {
      const room = roomOf(call.call_id, Date.now() - 1_000);
      const users = times(6, (index) => `busy-${index}`);
      return users.flatMap((user) => {
        const connection = connectionFor(call, user, Date.now() - 400);
        return [
          served.api.join(call.call_id, user),
          deliver(served.api, events.joined(room, connection)),
          served.api.leave(call.call_id, user),
          deliver(served.api, events.joined(room, connectionOf(user, Date.now() - 200))),
          deliver(served.api, events.left(room, connection)),
          served.api.join(call.call_id, user),
          ...(user === 'busy-3' ? [served.api.end(call.call_id), deliver(served.api, events.finished(room))] : []),
        ];
      });
    });
    const unexpected = (await Promise.all(work)).filter(({ status }) => ![200, 404, 409].includes(status));
    expect(unexpected.map(({ text }) => text)).toEqual([]);
    await expectInvariants(served.database);
    for (const call of calls) expect((await served.api.call(call.call_id)).body.status).toBe('ended');
  });

  it('many small requests on many connections are all answered', async () => {
    const answers = await Promise.all(times(400, (index) => served.api.startCall({ caller_id: `many-${index % 20}` })));
    expect(countOf(answers.map(({ status }) => status), 201)).toBe(400);
    const ids = new Set(answers.map(({ body }) => body.call_id));
    const [stored] = await rows<{ number: number }>(`select count(*) as number from calls where caller_id like 'many-%'`);
    expect([ids.size, stored?.number]).toEqual([400, 400]);
  });
});
