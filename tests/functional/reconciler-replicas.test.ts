import { afterAll, expect, it } from 'vitest';
import { Api } from '../support/api.ts';
import { createDatabase, type Database } from '../support/database.ts';
import { FakeLiveKit } from '../support/fake-livekit.ts';
import { expectInvariants } from '../support/invariants.ts';
import { ComparedCall } from '../support/reconciling.ts';
import { Service } from '../support/service.ts';
import { until } from '../support/wait.ts';
import { connectionFor } from '../support/webhooks.ts';

const livekit = await FakeLiveKit.start();
afterAll(() => livekit.stop());

const held = (service: Service) => service.logs.some((line) => line.event === 'lease_taken');

it('two replicas on one PostgreSQL: one compares, each repair is made once, and the other takes over', { timeout: 90_000 }, async () => {
  const database: Database = await createDatabase('postgresql');
  const environment = { LIVEKIT_URL: livekit.url, RECONCILE_INTERVAL_SECONDS: '1' };
  const services = [await Service.start(database, environment), await Service.start(database, environment)];
  const apis = services.map((service) => new Api(service.port));
  await until(() => services.some(held), { what: 'somebody has the lease' });
  const holder = services.find(held)!;
  const other = services.find((service) => service !== holder)!;
  const served = { database, service: other, api: apis[services.indexOf(other)]! };

  const arrive = async () => {
    const calls = await Promise.all(Array.from({ length: 10 }, () => ComparedCall.start(served, livekit)));
    for (const call of calls) call.connect(connectionFor(call.call, 'ada'));
    for (const call of calls) await call.sessionOf('ada', { status: 'active' }, 20_000);
    return calls;
  };
  const calls = await arrive();
  expect(held(other)).toBe(false);
  const asked = livekit.count('ListRooms');
  expect(asked).toBeGreaterThan(0);

  await holder.kill();
  calls.push(...(await arrive()));
  expect(held(other)).toBe(true);

  await holder.restart();
  for (const call of calls) livekit.rooms.set(call.call.room_name, []);
  for (const call of calls) await call.sessionOf('ada', { status: 'ended', end_reason: 'reconciled' }, 20_000);
  for (const call of calls) {
    expect(await call.causes('session.joined')).toEqual(['reconciler']);
    expect(await call.causes('session.left')).toEqual(['reconciler']);
  }

  for (const api of apis) api.close();
  for (const service of services) await service.stop();
  await expectInvariants(database);
  await database.remove();
});
