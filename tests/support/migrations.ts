import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEndOfFile } from './cleanup.ts';
import type { Database } from './database.ts';
import type { Finished } from './process.ts';
import { runService, type Environment } from './service.ts';

/** `call-service migrate …` on one database, with a directory of migrations of the test's own. */
export class Migrations {
  private constructor(
    private readonly database: Database,
    readonly directory: string,
    private readonly changes: Environment,
  ) {}

  static async create(database: Database, changes: Environment = {}): Promise<Migrations> {
    const directory = await mkdtemp(join(tmpdir(), 'call-service-migrations-'));
    atEndOfFile(() => rm(directory, { recursive: true, force: true }));
    return new Migrations(database, directory, changes);
  }

  run(...args: string[]): Promise<Finished> {
    return runService(['migrate', ...args, '--dir', this.directory], this.database.url, this.changes);
  }

  /** Runs a command that has to succeed; its standard output. */
  async check(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args);
    if (code !== 0) throw new Error(`migrate ${args.join(' ')}: exit ${code}\n${stdout}${stderr}`);
    return stdout;
  }

  /** The differences that `migrate check` tells, none if it finds none. */
  async differences(): Promise<string[]> {
    const { code, stdout, stderr } = await this.run('check');
    const lines = stdout.trim().split('\n');
    if (code === 0 && lines.length === 1 && lines[0]?.startsWith('no difference')) return [];
    if (code !== 1) throw new Error(`migrate check: exit ${code}\n${stdout}${stderr}`);
    return lines;
  }

  /** Writes a migration with the same statements for both databases. */
  async write(file: string, upgrade: string, downgrade = ''): Promise<void> {
    const sections = ['postgresql', 'sqlite'].flatMap((kind) => [
      `\n-- upgrade ${kind}\n${upgrade}\n`,
      `\n-- downgrade ${kind}\n${downgrade}\n`,
    ]);
    await writeFile(join(this.directory, file), `-- A test's own.\n${sections.join('')}`);
  }
}

/** What stands in a migration between `-- heading` and the next section. */
export async function sectionOf(path: string, heading: string): Promise<string> {
  const text = (await readFile(path, 'utf8')).split(`\n-- ${heading}\n`)[1] ?? '';
  return text.split(/\n-- (?:up|down)grade /)[0] ?? '';
}

/** Names of all tables, views, functions and triggers but those that record migrations. */
export async function objectsIn(database: Database): Promise<string[]> {
  const sql =
    database.kind === 'sqlite'
      ? `select name from sqlite_schema where name not like 'sqlite_%'`
      : `select relname as name from pg_class where relnamespace = 'public'::regnamespace
         union select proname from pg_proc where pronamespace = 'public'::regnamespace`;
  const names = (await database.query<{ name: string }>(sql)).map(({ name }) => name);
  return names.filter((name) => !name.startsWith('call_service_migration')).sort();
}

/** Changes the text of a SQLite table behind SQLite's back, as only a table made anew could. */
export async function editSqliteTable(database: Database, table: string, from: string, to: string): Promise<void> {
  const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;
  const before = await database.query<{ sql: string }>(`select sql from sqlite_schema where name = ${quote(table)}`);
  if (!before[0]?.sql.includes(from)) throw new Error(`${table} has no ${from}: ${before[0]?.sql}`);
  await database.execute(
    `pragma writable_schema = on; update sqlite_schema set sql = replace(sql, ${quote(from)}, ${quote(to)}) where name = ${quote(table)}`,
  );
}
