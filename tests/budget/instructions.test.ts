import { env } from 'node:process';
import { beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type Database } from '../support/database.ts';
import { secrets } from '../support/service.ts';
import { authorizationFor, connectionFor, events, roomOf } from '../support/webhooks.ts';
import { allocations, asText, instructions, readBudget, spending, writeBudget, type Budget, type WrittenBudget } from './budget.ts';
import { CountedService } from './counted-service.ts';
import { spenderNames } from './spenders.ts';

const uncounted = 60;
const counted = 150;

const start = '`POST /calls`';
const joined = 'webhook `participant_joined`';

function post(path: string, type: string, authorization: string, body: string): string {
  const headers = ['Host: 127.0.0.1:8000', 'User-Agent: Go-http-client/1.1', `Content-Length: ${Buffer.byteLength(body)}`];
  headers.push(`Authorization: ${authorization}`, `Content-Type: ${type}`, 'Accept-Encoding: gzip');
  return `POST ${path} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`;
}

function starts(): string[] {
  const users = Array.from({ length: uncounted + counted }, (_, index) => `user-${String(index).padStart(6, '0')}`);
  return users.map((user) => post('/calls', 'application/json', `Bearer ${secrets.backendKey}`, JSON.stringify({ caller_id: user, name: 'Ada Lovelace' })));
}

/** LiveKit tells of everybody who has started a call that they are there. */
async function arrivals(database: Database): Promise<string[]> {
  const sessions = await database.query<{ call_id: string; session_id: string; user_id: string }>('select * from sessions');
  const bodies = sessions.map((session) => JSON.stringify(events.joined(roomOf(session.call_id), connectionFor(session, session.user_id))));
  return Promise.all(bodies.map(async (body) => post('/webhooks/livekit', 'application/webhook+json', await authorizationFor(body), body)));
}

async function measure(): Promise<Budget> {
  const database = await createDatabase('postgresql');
  const service = await CountedService.start(database);
  const ofStart = await service.count(starts(), uncounted, 201);
  const ofJoined = await service.count(await arrivals(database), uncounted, 200);
  await service.stop();
  await database.remove();
  return new Map([
    [start, spending(ofStart, counted)],
    [joined, spending(ofJoined, counted)],
  ]);
}

describe.each([start, joined])('what is spent on a %s', (kind) => {
  const spent = (row: string) => budget.get(kind)!.get(row)!;
  const allowed = (row: string) => written.budget.get(kind)!.get(row)!;

  it('is not more allocations than are written down', () => {
    expect(spent(allocations)).toBeLessThan(allowed(allocations) + 0.6);
  });

  it('is as many instructions as are written down', () => {
    const tolerance = written.isOfThisRelease ? 0.01 : 0.15;
    expect(spent(instructions) / allowed(instructions)).toBeLessThanOrEqual(1 + tolerance);
  });

  it('is spent by those who are written down', () => {
    const most = (row: string) => allowed(row) * (written.isOfThisRelease ? 1.05 : 1.3) + 100;
    const tooMuch = spenderNames.filter((row) => spent(row) > most(row));
    expect(tooMuch.map((row) => `${row}: ${spent(row)}, written: ${allowed(row)}`)).toEqual([]);
  });

  it('is not far less than is written down: that would let something needless in unseen', () => {
    const least = written.isOfThisRelease ? 0.98 : 0.7;
    expect(spent(instructions) / allowed(instructions)).toBeGreaterThan(least);
    expect(spent(allocations)).toBeGreaterThan(allowed(allocations) - (written.isOfThisRelease ? 2 : 20));
  });
});

let budget: Budget;
let written: WrittenBudget;

beforeAll(async () => {
  budget = await measure();
  if (env.BUDGET === 'write') await writeBudget(budget);
  written = await readBudget();
  console.log(await asText(budget));
}, 180_000);
