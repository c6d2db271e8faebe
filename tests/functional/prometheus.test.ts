import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeLiveKit } from '../support/fake-livekit.ts';
import { run } from '../support/process.ts';
import { Prometheus } from '../support/prometheus.ts';
import { secrets } from '../support/service.ts';
import { onEachDatabase, serve } from '../support/suite.ts';
import { until } from '../support/wait.ts';
import { connectionFor, deliverAll, events, roomOf } from '../support/webhooks.ts';

const monitoring = (name: string): string => fileURLToPath(new URL(`../../packaging/monitoring/${name}`, import.meta.url));
const data = (name: string): string => fileURLToPath(new URL(`../data/${name}`, import.meta.url));

interface Panel {
  title: string;
  type: string;
  targets?: { expr: string }[];
}

/** The queries of the dashboard, as Grafana would send them. */
async function dashboardQueries(): Promise<[string, string][]> {
  const { panels } = JSON.parse(await readFile(monitoring('grafana-dashboard.json'), 'utf8')) as { panels: Panel[] };
  const filled = (expr: string): string => expr.replaceAll('$__rate_interval', '30s').replaceAll('$job', 'call-service').replaceAll('$instance', '.*');
  return panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }): [string, string] => [title, filled(expr)]));
}

describe('the files for monitoring', () => {
  it.each([
    [['check', 'rules', monitoring('alerts.yml')]],
    [['check', 'config', monitoring('prometheus.yml')]],
    [['test', 'rules', data('alerts.test.yml')]],
  ])('promtool %s', async (args) => {
    const { code, stdout, stderr } = await run('promtool', args);
    expect(code, stdout + stderr).toBe(0);
  });

  it('every alert has a summary, a description, a hint, a chapter in the guide and a test', async () => {
    const rules = await readFile(monitoring('alerts.yml'), 'utf8');
    const guide = await readFile(fileURLToPath(new URL('../../docs/how-to/monitoring.md', import.meta.url)), 'utf8');
    const tests = await readFile(data('alerts.test.yml'), 'utf8');
    const alerts = rules.split('- alert: ').slice(1);
    expect(alerts.length).toBeGreaterThanOrEqual(10);
    for (const alert of alerts) {
      const name = alert.split('\n')[0]!;
      for (const member of ['summary: ', 'description: ', 'runbook: ', 'severity: ']) expect(alert, name).toContain(member);
      expect(alert).toContain(`docs/how-to/monitoring.md, ${name}.`);
      expect(guide).toContain(`\n### ${name}\n`);
      expect(tests).toContain(`- name: ${name}\n`);
    }
  });

  it('the dashboard shows every series of the service', async () => {
    const reference = await readFile(fileURLToPath(new URL('../../docs/reference/metrics.md', import.meta.url)), 'utf8');
    const series = [...reference.matchAll(/^\| `([a-z_]+)`/gm)].map(([, name]) => name!);
    expect(series.length).toBeGreaterThan(20);
    const queries = (await dashboardQueries()).map(([, query]) => query).join('\n');
    expect(series.filter((name) => !new RegExp(`\\b${name}(_bucket|_sum|_count)?\\b`).test(queries))).toEqual([]);
  });

  it('the dashboard can be imported: panels with ids of their own, queries of the data source that is chosen', async () => {
    const dashboard = JSON.parse(await readFile(monitoring('grafana-dashboard.json'), 'utf8'));
    const ids = dashboard.panels.map((panel: { id: number }) => panel.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(dashboard.templating.list.map((variable: { name: string }) => variable.name)).toEqual(['datasource', 'job', 'instance']);
    expect(dashboard.id).toBeUndefined();
    for (const panel of dashboard.panels.filter(({ type }: Panel) => type !== 'row')) {
      expect(panel.datasource).toEqual({ type: 'prometheus', uid: '${datasource}' });
      expect(panel.targets.length).toBeGreaterThan(0);
    }
  });
});

onEachDatabase('a real Prometheus', (kind) => {
  let livekit: FakeLiveKit;
  let prometheus: Prometheus;
  beforeAll(async () => {
    livekit = await FakeLiveKit.start();
  });
  const served = serve(kind, () => ({ LIVEKIT_URL: livekit.url, METRICS_PORT: '0' }));
  beforeAll(async () => {
    const metricsPort = served.service.logs.find((line) => line.event === 'listening_for_metrics')?.port;
    prometheus = await Prometheus.start({
      global: { scrape_interval: '500ms', evaluation_interval: '500ms' },
      rule_files: [monitoring('alerts.yml')],
      scrape_configs: [
        { job_name: 'call-service', static_configs: [{ targets: [`127.0.0.1:${metricsPort}`] }] },
        { job_name: 'by-key', authorization: { credentials: secrets.backendKey }, static_configs: [{ targets: [`127.0.0.1:${served.service.port}`] }] },
        { job_name: 'by-wrong-key', authorization: { credentials: 'wrong' }, static_configs: [{ targets: [`127.0.0.1:${served.service.port}`] }] },
      ],
    });
    // A rate needs a sample from before.
    await until(async () => (await prometheus.query('call_service_database_up{job="call-service"}')).length === 1, { timeout: 20_000, what: 'the first scrape' });
  });
  afterAll(async () => {
    await prometheus?.stop();
    await livekit?.stop();
  });

  it('scrapes the listener without a key, and the main port by a service key only', async () => {
    const up = async (job: string): Promise<number | undefined> => (await prometheus.query(`up{job="${job}"}`))[0]?.value;
    await until(async () => (await up('call-service')) === 1 && (await up('by-key')) === 1 && (await up('by-wrong-key')) === 0);
  });

  it('has data for every query of the dashboard after one call, and no alert', async () => {
    const { api } = served;
    const { body: call } = await api.startCall({ caller_id: 'ada' });
    const { body: joined } = await api.join(call.call_id, 'bob');
    const room = roomOf(call.call_id);
    livekit.rooms.set(room.name, []);
    const ada = connectionFor(call, 'ada');
    const bob = connectionFor(joined, 'bob');
    await deliverAll(api, [events.started(room), events.joined(room, ada), events.joined(room, bob), events.left(room, bob)]);
    await api.call(call.call_id);
    await api.call('not-a-uuid');
    await api.end(call.call_id);

    const queries = await dashboardQueries();
    expect(queries.length).toBeGreaterThan(20);
    for (const [title, query] of queries) {
      await until(async () => (await prometheus.query(query)).some(({ value }) => Number.isFinite(value)), { timeout: 15_000, what: `data for "${title}": ${query}` });
    }
    // They are the numbers of this call, not only some.
    await until(async () => (await prometheus.query('call_service_calls_ended_total{job="call-service", reason="ended"}'))[0]?.value === 1);
    await until(async () => (await prometheus.query('call_service_livekit_intents_total{job="by-key", kind="delete_room", result="done"}'))[0]?.value === 1);

    const rules = await prometheus.rules();
    expect(rules.length).toBeGreaterThanOrEqual(10);
    for (const rule of rules) {
      expect({ name: rule.name, state: rule.state, health: rule.health, error: rule.lastError }).toEqual({ name: rule.name, state: 'inactive', health: 'ok', error: undefined });
      expect(await prometheus.query(rule.query), rule.name).toEqual([]);
    }
  }, 60_000);

  it('tells of a service that is gone', async () => {
    await served.service.kill();
    await until(async () => (await prometheus.rules()).find((rule) => rule.name === 'CallServiceDown')?.state === 'pending', { what: 'CallServiceDown is pending' });
    await served.service.restart();
  });
});
