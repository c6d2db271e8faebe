import pg from 'pg';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { FakeLiveKit, type Behaviour } from '../support/fake-livekit.ts';
import { ComparedCall } from '../support/reconciling.ts';
import { onEachDatabase, serve } from '../support/suite.ts';
import { until } from '../support/wait.ts';
import { connectionFor } from '../support/webhooks.ts';

const livekit = await FakeLiveKit.start();
afterAll(() => livekit.stop());

onEachDatabase('a LiveKit that does not say who is there', (kind) => {
  const served = serve(kind, () => ({
    LIVEKIT_URL: livekit.url,
    RECONCILE_INTERVAL_SECONDS: '1',
    ROOM_DEPARTURE_TIMEOUT_SECONDS: '1',
    CALL_NEVER_JOINED_TIMEOUT_SECONDS: '60',
  }));
  beforeEach(() => {
    livekit.behaviour = 'normal';
  });

  /** Everything that silence could end: somebody connected, a pending session and a call nobody entered, both long due. */
  const prepare = async () => {
    const entered = await ComparedCall.start(served, livekit);
    const bob = await entered.enter('bob');
    await entered.looks(1);
    const waiting = await ComparedCall.start(served, livekit, 'carol');
    return { entered, bob, waiting };
  };
  const makeDue = async ({ entered, waiting }: Awaited<ReturnType<typeof prepare>>) => {
    const past = `'${new Date(Date.now() - 121_000).toISOString()}'`;
    await served.database.execute(`update sessions set token_expires_at = ${past} where status = 'pending'`);
    await served.database.execute(`update calls set token_issued_at = ${past}, started_at = ${past} where call_id in ('${entered.id}', '${waiting.id}')`);
  };
  const asksOn = async (more: number) => {
    const before = livekit.calls.length;
    await until(() => livekit.calls.length >= before + more, { timeout: 25_000, what: `LiveKit is asked ${more} more times` });
  };

  it.each<[Behaviour, number]>([
    ['hang', 3],
    ['unavailable', 5],
    ['internal_error', 8],
    ['garbage', 8],
    ['half', 8],
  ])('ends nothing: %s; all is repaired when it answers again', async (behaviour, requests) => {
    const all = await prepare();
    livekit.behaviour = behaviour;
    all.entered.vanish(all.bob);
    await makeDue(all);
    await asksOn(requests);
    expect(await all.entered.session('bob')).toMatchObject({ status: 'active' });
    expect(await all.entered.session('ada')).toMatchObject({ status: 'pending' });
    expect(await all.waiting.read()).toMatchObject({ status: 'active' });
    livekit.behaviour = 'normal';
    await all.entered.sessionOf('bob', { status: 'ended', end_reason: 'reconciled' });
    await all.entered.sessionOf('ada', { status: 'ended', end_reason: 'never_joined' });
    await until(async () => (await all.waiting.read()).end_reason === 'never_joined');
    const { left_at } = (await all.entered.session('bob'))!;
    expect(Date.parse(left_at!)).toBeLessThan(Date.now() - 1_000);
  });

  it('ends nobody when it begins anew and lists nothing at first', async () => {
    const all = await prepare();
    await livekit.stop();
    const isNoticed = () => served.service.logs.some(({ event, time }) => event === 'livekit_unreachable' && Date.parse(String(time)) > all.bob.joinedAt);
    await until(isNoticed, { timeout: 15_000, what: 'the outage is noticed' });
    livekit.behaviour = 'empty';
    await livekit.listen();
    await all.entered.looks(1);
    livekit.behaviour = 'normal';
    await all.entered.looks(3);
    expect(await all.entered.session('bob')).toMatchObject({ status: 'active' });
    expect(await all.entered.read()).toMatchObject({ status: 'active' });
  });

  it('ends whoever is gone after its restart when they were last seen', async () => {
    const call = await ComparedCall.start(served, livekit);
    const bob = await call.enter('bob');
    await call.looks(2);
    const seen = Date.now();
    await call.looks(2);
    await livekit.stop();
    call.vanish(bob);
    livekit.rooms.delete(call.call.room_name);
    const gone = Date.now();
    const isNoticed = () => served.service.logs.some(({ event, time }) => event === 'livekit_unreachable' && Date.parse(String(time)) > seen);
    await until(isNoticed, { timeout: 15_000, what: 'the outage is noticed' });
    await livekit.listen();
    const { left_at } = await call.sessionOf('bob', { status: 'ended', end_reason: 'reconciled' });
    expect(Date.parse(left_at!)).toBeGreaterThanOrEqual(seen);
    expect(Date.parse(left_at!)).toBeLessThanOrEqual(gone);
  });

  if (kind === 'postgresql') {
    it('and somebody has locked a call: the others are compared, and their timers ask', async () => {
      const all = await prepare();
      const past = `'${new Date(Date.now() - 121_000).toISOString()}'`;
      await served.database.execute(`update calls set token_issued_at = ${past}, started_at = ${past} where call_id = '${all.waiting.id}'`);
      const locker = new pg.Client(served.database.url);
      await locker.connect();
      await locker.query(`begin; select 1 from calls where call_id = '${all.entered.id}' for update`);
      all.entered.vanish(all.bob);
      const another = await ComparedCall.start(served, livekit, 'dora');
      const isNoticed = () => served.service.logs.some(({ event, call_id }) => event === 'call_not_compared' && call_id === all.entered.id);
      await until(isNoticed, { timeout: 20_000, what: 'the locked call is noticed' });
      another.connect(connectionFor(another.call, 'dora'));
      await another.sessionOf('dora', { status: 'active' }, 20_000);
      await until(async () => (await all.waiting.read()).end_reason === 'never_joined', { timeout: 20_000, what: 'the timer asks' });
      await locker.end();
      await all.entered.sessionOf('bob', { status: 'ended', end_reason: 'reconciled' }, 20_000);
    });
  }

  it('and the service began anew meanwhile: what it shows then is taken over', async () => {
    const all = await prepare();
    await served.service.kill();
    all.entered.vanish(all.bob);
    all.waiting.connect(connectionFor(all.waiting.call, 'carol'));
    await served.service.restart();
    await all.entered.sessionOf('bob', { status: 'ended', end_reason: 'reconciled' }, 15_000);
    await all.waiting.sessionOf('carol', { status: 'active' });
  });
});
