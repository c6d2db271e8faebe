import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import { atEndOfFile } from './cleanup.ts';
import { check } from './process.ts';
import { withClient } from './postgres.ts';

export const databaseKinds = ['sqlite', 'postgresql'] as const;
export type DatabaseKind = (typeof databaseKinds)[number];

/** A database of one test, as other teams see it: read with its own tools, beside the running service. */
export interface Database {
  readonly kind: DatabaseKind;
  /** As `DATABASE_URL`. */
  readonly url: string;
  /** Rows of a reading statement. Times are RFC 3339 texts on both databases. */
  query<Row = Record<string, unknown>>(sql: string): Promise<Row[]>;
  /** Changes the database behind the service's back. */
  execute(sql: string): Promise<void>;
  remove(): Promise<void>;
}

export async function createDatabase(kind: DatabaseKind): Promise<Database> {
  return kind === 'sqlite' ? SqliteDatabase.create() : PostgresDatabase.create(inject('postgresUrl'));
}

export class SqliteDatabase implements Database {
  readonly kind = 'sqlite';

  constructor(
    readonly directory: string,
    readonly file: string,
  ) {}

  static async create(): Promise<SqliteDatabase> {
    const directory = await mkdtemp(join(tmpdir(), 'call-service-sqlite-'));
    atEndOfFile(() => rm(directory, { recursive: true, force: true }));
    return new SqliteDatabase(directory, join(directory, 'calls.db'));
  }

  get url(): string {
    return `sqlite:///${this.file}`;
  }

  async query<Row>(sql: string): Promise<Row[]> {
    const text = await check('sqlite3', ['-readonly', '-json', '-cmd', '.timeout 10000', this.file, sql]);
    return text.trim() === '' ? [] : (JSON.parse(text) as Row[]);
  }

  async execute(sql: string): Promise<void> {
    await check('sqlite3', ['-cmd', '.timeout 10000', this.file, sql]);
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}

export const types = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === pg.types.builtins.TIMESTAMPTZ) return (text: string) => new Date(text).toISOString();
    if (oid === pg.types.builtins.INT8) return Number;
    return pg.types.getTypeParser(oid, format);
  },
} as pg.CustomTypesConfig;

export class PostgresDatabase implements Database {
  readonly kind = 'postgresql';

  constructor(
    readonly url: string,
    private readonly clusterUrl: string,
    private readonly name: string,
  ) {}

  static async create(clusterUrl: string): Promise<PostgresDatabase> {
    const name = `calls_${randomBytes(6).toString('hex')}`;
    await withClient(clusterUrl, (client) => client.query(`create database ${name}`));
    return new PostgresDatabase(clusterUrl.replace(/[^/]*$/, name), clusterUrl, name);
  }

  async query<Row>(sql: string): Promise<Row[]> {
    return withClient(this.url, async (client) => (await client.query({ text: sql, types })).rows as Row[]);
  }

  async execute(sql: string): Promise<void> {
    await withClient(this.url, (client) => client.query(sql));
  }

  async remove(): Promise<void> {
    await withClient(this.clusterUrl, (client) => client.query(`drop database if exists ${this.name} with (force)`));
  }
}
