import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Running } from './process.ts';
import { until, within } from './wait.ts';

/** One shell in which commands run one after the other, as somebody types them: variables and the folder stay. */
export class Terminal {
  private readonly shell: Running;
  private readonly programs: Running[] = [];
  private readonly answers: string[] = [];

  constructor(
    private readonly folder: string,
    private readonly scratch: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {
    const options = { cwd: folder, env, detached: true };
    this.shell = new Running('bash', ['--norc', '--noprofile', '-s'], options, (line) => this.answers.push(line));
    this.type('set -eu -o pipefail');
  }

  /** Runs commands to their end; what they wrote. Throws if one of them fails, unless they should. */
  async run(commands: string, { shouldFail = false } = {}): Promise<string> {
    const name = join(this.scratch, `commands-${randomBytes(4).toString('hex')}`);
    await writeFile(`${name}.sh`, commands);
    const body = `. '${name}.sh' </dev/null >'${name}.out' 2>&1`;
    // In a shell of their own, what may fail does not end this one.
    this.type(shouldFail ? `set +e; ( set -e; ${body} ); echo done $?; set -e` : `${body}; echo done 0`);
    const answer = await this.nextAnswer();
    const output = await readFile(`${name}.out`, 'utf8');
    const hasFailed = answer !== 'done 0';
    if (hasFailed !== shouldFail) throw new Error(`${hasFailed ? 'failed' : 'did not fail'}:\n${commands}\n--- it wrote:\n${output}`);
    return output;
  }

  /** Starts a program in another terminal, and waits until it has written `text`. */
  async start(commands: string, text: string, timeout = 120_000): Promise<Running> {
    const program = new Running('bash', ['-eu', '-c', commands], { cwd: this.folder, env: this.env, detached: true });
    this.programs.push(program);
    const seen = () => program.stdout + program.stderr;
    await until(
      () => {
        if (!program.isRunning) throw new Error(`it ended:\n${commands}\n--- it wrote:\n${seen()}`);
        return seen().includes(text);
      },
      { timeout, what: `"${text}" by:\n${commands}` },
    ).catch((error) => {
      throw new Error(`${error}\n--- it wrote:\n${seen()}`);
    });
    return program;
  }

  /** Ends the shell and, by Ctrl-C's elder brother, what was started. */
  async close(): Promise<void> {
    this.shell.child.stdin?.end();
    for (const program of this.programs.toReversed()) {
      if (program.isRunning) process.kill(-program.child.pid!, 'SIGTERM');
      await within(program.exited, 30_000, 'a program ends after SIGTERM');
    }
    await within(this.shell.exited, 5_000, 'the shell ends');
  }

  private type(line: string): void {
    this.shell.child.stdin?.write(`${line}\n`);
  }

  private async nextAnswer(): Promise<string> {
    await until(() => this.answers.length > 0 || !this.shell.isRunning, { timeout: 60_000, what: 'the commands end' });
    return this.answers.shift() ?? 'the shell ended';
  }
}
