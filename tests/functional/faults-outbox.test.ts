import { afterAll, describe, expect, it } from 'vitest';
import { FakeLiveKit } from '../support/fake-livekit.ts';
import { endSteadily, outboxIsEmpty } from '../support/outbox.ts';
import { withClient } from '../support/postgres.ts';
import { serve } from '../support/suite.ts';
import { until } from '../support/wait.ts';

const livekit = await FakeLiveKit.start();
afterAll(() => livekit.stop());

describe('connections cut while deletions are recorded', () => {
  const served = serve('postgresql', () => ({ LIVEKIT_URL: livekit.url }));

  it('lose no deletion, though others go on all the time', async () => {
    livekit.delays.set('DeleteRoom', 3_000);
    const ends = endSteadily(served, livekit, 1_200);
    // The lock makes the cut come while a done deletion is being recorded.
    const lost = await withClient(served.database.url, async (client) => {
      await until(async () => (await served.database.query(`select 1 as n from calls where room_deletion = 'done'`)).length > 0);
      await client.query('begin');
      await client.query('lock table outbox in exclusive mode');
      const waiting = `select pid from pg_stat_activity where datname = current_database() and application_name = 'call-service'
        and wait_event_type = 'Lock' and query ilike '%delete from%outbox%'`;
      await until(async () => (await served.database.query(waiting)).length > 0, { interval: 5, what: 'a deletion is being recorded' });
      const kept = await client.query(`select call_id from outbox order by created_at limit 1`);
      await client.query(`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'call-service'`);
      await client.query('rollback');
      return kept.rows[0].call_id as string;
    });
    const deletion = async (): Promise<string | null> => (await served.api.call(lost)).body.room_deletion;
    await until(async () => (await deletion()) === 'done', { timeout: 15_000, what: 'the lost deletion is recorded' });
    // However fast that was: others have to come after it.
    await until(() => ends.calls.length >= 8, { timeout: 20_000, what: 'others go on' });
    await ends.stop();
    await outboxIsEmpty(served, 10_000);
    for (const call of ends.calls) {
      expect((await served.api.call(call.call_id)).body.room_deletion).toBe('done');
      expect(livekit.callsOf('DeleteRoom', call.room_name).length).toBeLessThanOrEqual(3);
    }
  }, 60_000);
});
