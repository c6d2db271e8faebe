import { afterAll, beforeAll, describe, expect } from 'vitest';
import { Api, type Answer, type Problem } from './api.ts';
import { createDatabase, databaseKinds, type Database, type DatabaseKind } from './database.ts';
import { expectInvariants } from './invariants.ts';
import { Service, type Environment } from './service.ts';

/** The same suite on both databases. */
export function onEachDatabase(name: string, suite: (kind: DatabaseKind) => void): void {
  describe.each(databaseKinds)(`${name} (%s)`, (kind) => suite(kind));
}

export interface Served {
  database: Database;
  service: Service;
  /** As the service key `backend`. */
  api: Api;
}

/** A service of the suite's own, on an empty database, for all its tests. What they leave behind must be sound. */
export function serve(kind: DatabaseKind, changes: Environment | (() => Environment) = {}): Served {
  const served = {} as Served;
  beforeAll(async () => {
    served.database = await createDatabase(kind);
    served.service = await Service.start(served.database, typeof changes === 'function' ? changes() : changes);
    served.api = new Api(served.service.port);
  });
  afterAll(async () => {
    served.api?.close();
    try {
      await served.service?.stop();
      if (served.service) await expectInvariants(served.database);
    } finally {
      await served.database?.remove();
    }
  });
  return served;
}

/** Expects an RFC 9457 document in every detail the contract names. */
export function expectProblem(answer: Answer, status: number, code: string): Problem {
  expect({ status: answer.status, code: answer.body?.code }, answer.text).toEqual({ status, code });
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  const problem = answer.body as Problem;
  expect(problem.status).toBe(status);
  for (const member of ['type', 'title', 'detail', 'instance'] as const) expect(problem[member], member).toBeTypeOf('string');
  expect(problem.request_id).toBe(answer.headers['x-request-id']);
  return problem;
}

/** Expects exactly these faults, in any order: pointers as "/name", parameters as "?name". */
export function expectFaults(answer: Answer, faults: Record<string, string>): void {
  const problem = expectProblem(answer, 422, 'validation_failed');
  const found = (problem.errors ?? []).map((fault) => {
    expect(fault.detail).toBeTypeOf('string');
    return [fault.pointer ?? `?${fault.parameter}`, fault.code];
  });
  expect(Object.fromEntries(found)).toEqual(faults);
  expect(found.length).toBe(Object.keys(faults).length);
}

export const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
export const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
