import { mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEndOfFile } from '../support/cleanup.ts';
import type { Database } from '../support/database.ts';
import { check, Running } from '../support/process.ts';
import { answersIn, RawClient, type RawAnswer } from '../support/raw-client.ts';
import { binary, environmentFor } from '../support/service.ts';
import { until } from '../support/wait.ts';
import { Profile } from './profile.ts';

const callgrind = ['--tool=callgrind', '--separate-threads=yes', '--instr-atstart=no', '--compress-strings=no', '--compress-pos=no'];

// What libraries choose by the CPU would be counted differently on every machine: they get to see an old one.
const sameOnEveryMachine = { OPENSSL_ia32cap: '0:0', GLIBC_TUNABLES: 'glibc.cpu.hwcaps=-AVX2,-ERMS,-FSRM' };

// The thread that serves and those of the database. What others do depends on the clock, not on requests.
const isCounted = (dump: string): boolean => /^fn=.*(HttpConnection::serve_request|PostgresConnection::run)/m.test(dump);

/** The real program with one serving thread, run by Callgrind, which counts the instructions in user space. */
export class CountedService {
  port = 0;
  private answered = 0;
  private dumps = 0;

  private constructor(
    private readonly directory: string,
    private readonly process: Running,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  static async start(database: Database): Promise<CountedService> {
    const directory = await mkdtemp(join(tmpdir(), 'call-service-budget-'));
    atEndOfFile(() => rm(directory, { recursive: true, force: true }));
    const log = await open(join(directory, 'log'), 'w');
    const args = [...callgrind, `--callgrind-out-file=${directory}/dump`, binary, 'serve'];
    const env = environmentFor(database.url, { WORKERS: '1', ...sameOnEveryMachine });
    const started = new Running('valgrind', args, { env, cwd: directory, stdio: ['ignore', log.fd, 'pipe'] });
    await log.close();
    const service = new CountedService(directory, started, env);
    service.port = await until(() => service.loggedPort(), { timeout: 60_000, what: 'the service logs "listening"' });
    return service;
  }

  /** Sends requests one after the other on one connection; counts what is spent on those after the first `uncounted`. */
  async count(requests: string[], uncounted: number, status: number): Promise<Profile> {
    const client = await RawClient.open(this.port);
    for (const [index, request] of requests.entries()) {
      // Not at once: the first requests that Callgrind sees find it in the middle of functions.
      if (index === Math.floor(uncounted / 2)) await this.command('instrumentation', 'on');
      if (index === uncounted) await this.command('zero');
      const answer = await exchange(client, request);
      if (answer.status !== status) throw new Error(`${answer.status}: ${answer.body}`);
      this.answered += 1;
    }
    await this.command('dump');
    this.dumps += 1;
    client.close();
    return this.readDump();
  }

  async stop(): Promise<void> {
    this.process.signal('SIGTERM');
    const { code, stderr } = await this.process.finished();
    if (code !== 0) throw new Error(`exit status ${code} after SIGTERM:\n${stderr}`);
  }

  private async logged(event: string): Promise<string[]> {
    const lines = (await readFile(join(this.directory, 'log'), 'utf8')).split('\n');
    return lines.filter((line) => line.includes(`"event":"${event}"`));
  }

  private async loggedPort(): Promise<number | undefined> {
    if (!this.process.isRunning) throw new Error(`it did not start: ${this.process.stderr}`);
    const [line] = await this.logged('listening');
    return line && JSON.parse(line).port;
  }

  /** Commands Callgrind once nothing is under way: a request's last work is its line in the log. */
  private async command(...words: string[]): Promise<void> {
    await until(async () => (await this.logged('request')).length === this.answered, { what: 'all requests are in the log' });
    // It finds the program by what both have in their environment, too.
    await check('vgdb', [`--pid=${this.process.child.pid}`, ...words], { env: this.env });
  }

  private async readDump(): Promise<Profile> {
    const profile = new Profile();
    const names = (await readdir(this.directory)).filter((name) => name.startsWith(`dump.${this.dumps}-`));
    for (const name of names) {
      const dump = await readFile(join(this.directory, name), 'utf8');
      if (isCounted(dump)) profile.add(dump);
    }
    return profile;
  }
}

async function exchange(client: RawClient, request: string): Promise<RawAnswer> {
  client.seen = '';
  client.send(request);
  await client.until(isWhole, 'an answer');
  return answersIn(client.seen)[0]!;
}

function isWhole(seen: string): boolean {
  const head = seen.indexOf('\r\n\r\n');
  return head >= 0 && seen.length >= head + 4 + Number(/content-length: *(\d+)/i.exec(seen)?.[1]);
}
