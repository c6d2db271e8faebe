import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEndOfFile } from './cleanup.ts';
import { freePort, Running } from './process.ts';
import { until } from './wait.ts';

export interface Sample {
  metric: Record<string, string>;
  value: number;
}

export interface Rule {
  name: string;
  query: string;
  state: 'inactive' | 'pending' | 'firing';
  health: string;
  lastError?: string;
}

/** A real Prometheus with a configuration and a directory of its own. */
export class Prometheus {
  private constructor(
    private readonly process: Running,
    private readonly directory: string,
    private readonly port: number,
  ) {}

  /** `config` is JSON, which is YAML too. */
  static async start(config: object): Promise<Prometheus> {
    const directory = await mkdtemp(join(tmpdir(), 'call-service-prometheus-'));
    atEndOfFile(() => rm(directory, { recursive: true, force: true }));
    const file = join(directory, 'prometheus.yml');
    await writeFile(file, JSON.stringify(config));
    const port = await freePort();
    const options = [`--config.file=${file}`, `--storage.tsdb.path=${join(directory, 'data')}`, `--web.listen-address=127.0.0.1:${port}`];
    const prometheus = new Prometheus(new Running('prometheus', [...options, '--log.level=warn']), directory, port);
    await until(() => prometheus.get('/-/ready').then(() => true), { timeout: 30_000, what: `Prometheus is ready: ${prometheus.process.stderr}` });
    return prometheus;
  }

  /** The result of an instant query. */
  async query(expression: string): Promise<Sample[]> {
    const { data } = await this.get(`/api/v1/query?query=${encodeURIComponent(expression)}`);
    const result: { metric: Record<string, string>; value: [number, string] }[] = data.resultType === 'vector' ? data.result : [{ metric: {}, value: data.result }];
    return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  async rules(): Promise<Rule[]> {
    const { data } = await this.get('/api/v1/rules');
    return data.groups.flatMap((group: { rules: Rule[] }) => group.rules);
  }

  async stop(): Promise<void> {
    this.process.signal('SIGTERM');
    await this.process.exited;
    await rm(this.directory, { recursive: true, force: true });
  }

  private async get(path: string): Promise<any> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text}`);
    return text.startsWith('{') ? JSON.parse(text) : text;
  }
}
