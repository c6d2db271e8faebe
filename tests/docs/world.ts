import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atEndOfFile } from '../support/cleanup.ts';
import type { Database } from '../support/database.ts';
import { fakeBinary } from '../support/fake-livekit.ts';
import { findServer } from '../support/livekit.ts';
import type { Block, Mark } from '../support/markdown.ts';
import { check, freePort } from '../support/process.ts';
import { Scene } from '../support/scene.ts';
import { binary, environmentFor, secrets } from '../support/service.ts';
import { Terminal } from '../support/terminal.ts';

export const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** The reader of one page: a checkout, a terminal in it, and what the page takes for granted. */
export class World {
  /** What one step of a page keeps for a later one. */
  readonly memory: { oldDatabase?: Database } = {};

  private constructor(
    /** The checkout that the reader works in. */
    readonly folder: string,
    readonly terminal: Terminal,
    /** A service on PostgreSQL and a LiveKit server that know each other; none where the page starts its own. */
    readonly scene: Scene | undefined,
    /** Of the service, of LiveKit, and one that is free for what the page starts. */
    readonly ports: { service: number; livekit: number; page: number },
    /** What the page's texts stand for. */
    readonly replacements: Record<string, string>,
  ) {}

  /** A page that `startsItself` what it needs does so on free ports. */
  static async make({ startsItself = false, without = [] }: { startsItself?: boolean; without?: string[] }): Promise<World> {
    const scratch = await mkdtemp(join(tmpdir(), 'call-service-docs-'));
    atEndOfFile(() => rm(scratch, { recursive: true, force: true }));
    const folder = join(scratch, 'checkout');
    await makeCheckout(folder);
    await makeCommands(join(scratch, 'bin'));
    const scene = startsItself ? undefined : await Scene.start('postgresql');
    const ports = {
      service: scene?.service.port ?? (await freePort()),
      livekit: scene?.livekit.port ?? (await freePort()),
      page: await freePort(),
    };
    const env = { ...environmentOf(scene, ports), PATH: `${join(scratch, 'bin')}:${process.env.PATH}`, HOME: scratch };
    for (const name of without) delete env[name as keyof typeof env];
    return new World(folder, new Terminal(folder, scratch, env), scene, ports, {
      '127.0.0.1:8000': `127.0.0.1:${ports.service}`,
      '127.0.0.1:7880': `127.0.0.1:${ports.livekit}`,
      5173: String(ports.page),
    });
  }

  /** Runs one block as its marks say, or writes the file that it is. */
  async run({ language, text, marks }: Block, databaseUrl = '"$DATABASE_URL"'): Promise<void> {
    const of = (kind: Mark['kind']) => marks.find((mark) => mark.kind === kind)?.text;
    const file = of('file');
    if (file !== undefined) return writeFile(join(this.folder, file), this.replace(text));
    if (of('not run') !== undefined) return;
    const commands = this.replace(language === 'sql' ? `psql -X -q -v ON_ERROR_STOP=1 ${databaseUrl} <<'SQL'\n${text}SQL\n` : text);
    const program = of('runs until');
    if (program !== undefined) {
      await this.terminal.start(commands, program);
      return;
    }
    const output = await this.terminal.run(commands, { shouldFail: of('fails') !== undefined });
    for (const wanted of marks.filter(({ kind }) => kind === 'prints' || kind === 'fails')) {
      if (!output.includes(this.replace(wanted.text))) throw new Error(`"${wanted.text}" is not in the output of:\n${text}\n--- it wrote:\n${output}`);
    }
  }

  private replace(text: string): string {
    return Object.entries(this.replacements).reduce((all, [from, to]) => all.replaceAll(from, to), text);
  }

  async close(): Promise<void> {
    await this.terminal.close();
    await this.scene?.close();
  }
}

/** The files of the repository, the build too; but what is made in .dev/ and in examples/ stays in the copy. */
async function makeCheckout(folder: string): Promise<void> {
  await mkdir(join(folder, '.dev'), { recursive: true });
  for (const name of await readdir(repository)) {
    if (!['.dev', '.git', 'examples', 'node_modules'].includes(name)) await symlink(join(repository, name), join(folder, name));
  }
  const skipped = /node_modules/;
  await cp(join(repository, 'examples'), join(folder, 'examples'), { recursive: true, filter: (path) => !skipped.test(path) });
}

const forbidden = 'apt apt-get dpkg sudo su runuser systemctl service docker podman npm npx pip go rm mount nginx useradd kill'.split(' ');

/** Programs as on an installed system. An HTTP error that a page does not speak of is a failure of the page. */
async function makeCommands(folder: string): Promise<void> {
  await mkdir(folder);
  // A page's commands run with the rights of whoever tests: what changes the machine or asks the network needs a mark.
  for (const name of forbidden) {
    await writeFile(join(folder, name), `#!/bin/sh\necho "no test runs ${name}: mark the block as not run" >&2\nexit 97\n`, { mode: 0o755 });
  }
  await symlink(binary, join(folder, 'call-service'));
  await symlink(fakeBinary, join(folder, 'call-service-fake-livekit'));
  await symlink(findServer(), join(folder, 'livekit-server'));
  const curl = (await check('bash', ['-c', 'command -v curl'])).trim();
  await writeFile(join(folder, 'curl'), `#!/bin/sh\nexec ${curl} --fail-with-body "$@"\n`, { mode: 0o755 });
}

function environmentOf(scene: Scene | undefined, ports: World['ports']): NodeJS.ProcessEnv {
  const common = { PORT: String(ports.service), LANG: 'C.UTF-8' };
  if (!scene) return { ...common, LIVEKIT_PORT: String(ports.livekit) };
  const settings = { LIVEKIT_URL: scene.livekit.url, MIGRATE_ON_START: undefined };
  return { ...environmentFor(scene.database.url, settings), ...common, KEY: secrets.backendKey };
}
