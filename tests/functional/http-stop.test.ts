import { describe, expect, it } from 'vitest';
import { parseRaw } from '../support/api.ts';
import { createDatabase, databaseKinds, type DatabaseKind } from '../support/database.ts';
import { answersIn, RawClient } from '../support/raw-client.ts';
import { secrets, Service } from '../support/service.ts';
import { expectProblem } from '../support/suite.ts';
import { until } from '../support/wait.ts';

const body = '{"caller_id":"x"}';
const head = `POST /calls HTTP/1.1\r\nHost: x\r\nX-API-Key: ${secrets.backendKey}\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nX-Request-Id: last\r\nContent-Length: ${body.length}\r\n\r\n`;

/** A service, and a request on it that has begun: the service waits for its body. */
async function withUnfinishedRequest(kind: DatabaseKind) {
  const database = await createDatabase(kind);
  const service = await Service.start(database, { CORS_ALLOW_ORIGINS: 'https://app.example' });
  const client = await RawClient.open(service.port);
  client.send(head.replace('Host', 'Origin: https://app.example\r\nHost'));
  await client.until((seen) => seen === 'HTTP/1.1 100 Continue\r\n\r\n', 'the invitation to send the body');
  return { database, service, client };
}

const answerTo = (seen: string) => parseRaw(seen.replace('HTTP/1.1 100 Continue\r\n\r\n', ''));

const isRefused = (service: Service) =>
  RawClient.open(service.port).then(
    (client) => client.close(),
    () => true,
  );

describe.concurrent.each(databaseKinds)('SIGTERM (%s)', { timeout: 60_000 }, (kind) => {
  it('lets a request become complete that had begun', async () => {
    const { database, service, client } = await withUnfinishedRequest(kind);
    const stopped = service.stop();
    await until(() => isRefused(service), { what: 'new connections are refused' });
    client.send(`${body}GET /health HTTP/1.1\r\nHost: x\r\n\r\n`);
    const { seen, ending } = await client.toEnd();
    expect(ending).toBe('closed');
    const answers = answersIn(seen);
    expect(answers.map(({ status }) => status)).toEqual([100, 201]);
    expect(answers[1]?.headers.connection).toBe('close');
    client.close();
    await stopped;
    expect(await database.query('select call_id from calls')).toHaveLength(1);
    await database.remove();
  });

  it('answers after 10 seconds what did not finish, and writes nothing of it', async () => {
    const { database, service, client } = await withUnfinishedRequest(kind);
    await service.stop();
    const { seen } = await client.toEnd();
    const answer = answerTo(seen);
    const problem = expectProblem(answer, 503, 'shutting_down');
    expect(problem).toMatchObject({ request_id: 'last', instance: '/calls' });
    expect(answer.headers).toMatchObject({ 'retry-after': '1', connection: 'close', 'access-control-allow-origin': 'https://app.example' });
    expect(service.linesOf('last').filter((line) => line.event === 'request')).toMatchObject([{ status: 503, sent: true }]);
    client.close();
    expect(await database.query('select call_id from calls')).toEqual([]);
    await database.remove();
  });

  it('closes connections at once on which nothing runs', async () => {
    const { database, service, client } = await withUnfinishedRequest(kind);
    const fresh = await RawClient.open(service.port);
    const used = await RawClient.open(service.port);
    used.send('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
    await used.until((seen) => seen.includes('"ok"'), 'an answer');
    const stopped = service.stop();
    for (const idle of [fresh, used]) expect((await idle.toEnd()).ending).toBe('closed');
    expect(client.seen).not.toContain('503');
    client.send(body);
    expect(answerTo((await client.toEnd()).seen).status).toBe(201);
    await stopped;
    for (const each of [fresh, used, client]) each.close();
    await database.remove();
  });
});
