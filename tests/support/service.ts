import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Database } from './database.ts';
import { nowSeconds, signJwt } from './jwt.ts';
import { run, Running, type Finished } from './process.ts';
import { until, within } from './wait.ts';

const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const binary = resolve(repository, process.env.CALL_SERVICE_BINARY ?? 'build/release/call-service');

export const secrets = {
  backendKey: 'backend-key-0123456789-0123456789-0123456789',
  otherKey: 'other-key-0123456789-0123456789-0123456789',
  jwtSecret: 'user-token-secret-0123456789-0123456789',
  previousJwtSecret: 'previous-token-secret-0123456789-012345',
  livekitKey: 'devkey',
  livekitSecret: '0123456789abcdef0123456789abcdef',
} as const;

export type Environment = Record<string, string | undefined>;

/** Nothing listens there: LiveKit is away. */
const nowhere = 'ws://127.0.0.1:1';

/** A whole configuration; what a test gives comes on top, undefined takes a variable away. */
export function environmentFor(databaseUrl: string, changes: Environment = {}): NodeJS.ProcessEnv {
  const all: Environment = {
    PATH: process.env.PATH,
    ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? 'exitcode=99',
    UBSAN_OPTIONS: process.env.UBSAN_OPTIONS ?? 'print_stacktrace=1',
    TSAN_OPTIONS: process.env.TSAN_OPTIONS ?? 'exitcode=66',
    LSAN_OPTIONS: process.env.LSAN_OPTIONS,
    DATABASE_URL: databaseUrl,
    MIGRATE_ON_START: 'true',
    LIVEKIT_API_KEY: secrets.livekitKey,
    LIVEKIT_API_SECRET: secrets.livekitSecret,
    LIVEKIT_URL: nowhere,
    AUTH_API_KEYS: `backend:${secrets.backendKey},other:${secrets.otherKey}`,
    AUTH_JWT_SECRET: secrets.jwtSecret,
    AUTH_JWT_SECRET_PREVIOUS: secrets.previousJwtSecret,
    HOST: '127.0.0.1',
    PORT: '0',
    WORKERS: '2',
    // Most tests tell of rooms that no LiveKit has: a comparison with it would end their calls.
    RECONCILE_INTERVAL_SECONDS: '0',
    ...changes,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as NodeJS.ProcessEnv;
}

/** Runs one command of the program to its end. */
export async function runService(args: string[], databaseUrl: string, changes: Environment = {}): Promise<Finished> {
  const finished = await run(binary, args, { env: environmentFor(databaseUrl, changes), cwd: '/tmp' });
  refuseSanitizerFindings(finished);
  return finished;
}

export type LogLine = Record<string, unknown> & { event?: string };

/** A long run logs more than there is memory for. */
const mostKept = { lines: 100_000, characters: 64 * 1024 * 1024 };

/** The real program, serving. */
export class Service {
  port = 0;
  /** Every log line since the first start, across restarts; of very many the last ones. */
  readonly logs: LogLine[] = [];
  /** All it ever wrote, standard error included; of very much the last part. */
  output = '';
  private process!: Running;

  private constructor(
    readonly database: Database,
    private readonly changes: Environment,
  ) {}

  static async start(database: Database, changes: Environment = {}): Promise<Service> {
    const service = new Service(database, changes);
    await service.restart();
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.process.child.pid;
  }

  /** Starts on the same database and, from the second time on, the same port. */
  async restart(changes: Environment = {}): Promise<void> {
    const env = environmentFor(this.database.url, { ...this.changes, ...changes });
    if (this.port !== 0) env.PORT = String(this.port);
    this.forgetTheOldest();
    const firstLine = this.logs.length;
    const started = new Running(binary, ['serve'], { env, cwd: '/tmp' }, (line) => this.collect(line));
    this.process = started;
    const listening = await until(
      () => {
        if (!started.isRunning) throw new Error(`the service did not start:\n${started.stdout}${started.stderr}`);
        return this.logs.slice(firstLine).find((line) => line.event === 'listening');
      },
      { timeout: 30_000, what: 'the service logs "listening"' },
    );
    this.port = Number(listening.port);
  }

  /** Stops it as an operator does, and expects it to have been healthy to its end. */
  async stop(): Promise<void> {
    const exit = await this.terminate();
    if (exit.code !== 0) {
      throw new Error(`exit status ${exit.code ?? exit.signal} after SIGTERM:\n${this.output.slice(-4000)}`);
    }
  }

  async terminate(): Promise<Finished> {
    this.process.signal('SIGTERM');
    const finished = await within(this.process.finished(), 20_000, 'the service ends after SIGTERM').catch((error) => {
      this.process.signal('SIGKILL');
      throw error;
    });
    this.output += finished.stderr;
    refuseSanitizerFindings(finished);
    return finished;
  }

  /** As a power cut would. */
  async kill(): Promise<void> {
    this.process.signal('SIGKILL');
    const finished = await this.process.finished();
    this.output += finished.stderr;
    refuseSanitizerFindings(finished);
  }

  /** The log lines of one request. */
  linesOf(requestId: string): LogLine[] {
    return this.logs.filter((line) => line.request_id === requestId);
  }

  /** Only between two runs: nobody looks for a line by its place then. */
  private forgetTheOldest(): void {
    if (this.logs.length > mostKept.lines) this.logs.splice(0, this.logs.length - mostKept.lines / 2);
    if (this.output.length > mostKept.characters) this.output = this.output.slice(-mostKept.characters / 2);
  }

  private collect(text: string): void {
    this.output += `${text}\n`;
    try {
      this.logs.push(JSON.parse(text));
    } catch {
      this.logs.push({ unparsed: text });
    }
  }
}

function refuseSanitizerFindings({ code, stdout, stderr }: Finished): void {
  const found = code === 99 || code === 66 || /(Address|Thread|Leak|UndefinedBehavior)Sanitizer|runtime error:/.test(stderr);
  if (found) throw new Error(`a sanitizer found something (exit status ${code}):\n${stdout.slice(-2000)}${stderr}`);
}

/** A user's token, as a team's own login would make it. */
export function userToken(user: string, claims: Record<string, unknown> = {}, secret: string = secrets.jwtSecret): string {
  return signJwt({ sub: user, exp: nowSeconds() + 600, ...claims }, secret);
}
