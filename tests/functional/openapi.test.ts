import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import openapiTS, { astToString } from 'openapi-typescript';
import { expect, it } from 'vitest';
import { apiDocument, breachOf } from '../support/contract.ts';
import { check } from '../support/process.ts';
import { secrets, userToken } from '../support/service.ts';
import { onEachDatabase, serve } from '../support/suite.ts';
import { authorizationFor } from '../support/webhooks.ts';

onEachDatabase('the document of the API', (kind) => {
  const served = serve(kind);

  it('is what the program prints, and valid OpenAPI 3.1', async () => {
    const answer = await served.api.get('/openapi.json', { as: null });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.body).toEqual(apiDocument());
    expect(answer.body.openapi).toMatch(/^3\.1\./);
    const config = await createConfig({ extends: ['spec'] });
    expect(await lintFromString({ source: answer.text, config })).toEqual([]);
  });

  it('is sent once to whoever keeps it', async () => {
    const { headers } = await served.api.get('/openapi.json', { as: null });
    const again = await served.api.get('/openapi.json', { as: null, headers: { 'if-none-match': headers.etag } });
    expect({ status: again.status, text: again.text }).toEqual({ status: 304, text: '' });
  });

  it('gives a TypeScript client that compiles, and with which every operation is used', async () => {
    const directory = await mkdtemp(join(import.meta.dirname, '.client-'));
    try {
      await writeFile(join(directory, 'api.ts'), astToString(await openapiTS(JSON.stringify(apiDocument()))));
      const client = join(directory, 'client.ts');
      await writeFile(client, clientOfOneCall);
      await check(join(import.meta.dirname, '../node_modules/.bin/tsc'), [
        '--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--moduleResolution', 'nodenext', '--skipLibCheck', '--allowImportingTsExtensions', client,
      ]);
      const used: string[] = [];
      const tell: Tell = (method, path, answer) => {
        used.push(`${method} ${path}`);
        expect(breachOf(method, path, answer)).toBeUndefined();
      };
      const { oneCall } = (await import(client)) as { oneCall: OneCall };
      const { started, ended } = await oneCall(served.service.url, secrets.backendKey, userToken('ada'), authorizationFor, tell);
      expect(ended).toMatchObject({ call_id: started.call_id, status: 'ended', end_reason: 'ended' });
      const all = Object.entries(apiDocument().paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
      expect([...new Set(used)].sort()).toEqual(all.sort());
    } finally {
      await rm(directory, { recursive: true });
    }
  }, 180_000);
});

type Tell = (method: string, path: string, answer: { status: number; headers: Record<string, unknown>; body: unknown }) => void;
type OneCall = (
  url: string,
  serviceKey: string,
  userToken: string,
  signatureOf: (body: string) => Promise<string>,
  tell: Tell,
) => Promise<{ started: { call_id: string }; ended: object }>;

/**
 * A call from its start to its end by all operations there are, with the types and nothing but the types that come from the
 * document: they say what an answer holds, and refuse what the service would refuse.
 */
const clientOfOneCall = `
import createClient from 'openapi-fetch';
import type { paths } from './api.ts';

type Answer = { status: number; headers: Record<string, unknown>; body: unknown };

export async function oneCall(
  baseUrl: string,
  serviceKey: string,
  userToken: string,
  signatureOf: (body: string) => Promise<string>,
  tell: (method: string, path: string, answer: Answer) => void,
) {
  const client = createClient<paths>({ baseUrl, headers: { 'X-API-Key': serviceKey } });
  client.use({
    async onResponse({ request, response, schemaPath }) {
      const isJson = response.headers.get('content-type')?.includes('json');
      const body: unknown = await (isJson ? response.clone().json() : response.clone().text());
      tell(request.method, schemaPath, { status: response.status, headers: Object.fromEntries(response.headers), body });
    },
  });

  const health = must(await client.GET('/health'));
  const ready = must(await client.GET('/ready'));
  const states: string[] = [health.status, ready.status, ready.checks.database.status];

  const started = must(await client.POST('/calls', { body: { caller_id: 'ada', metadata: { topic: 'x' }, user_ids: ['bob'] } }));
  const { call_id, session_id } = started;
  const call = { path: { call_id } };
  const bob = { path: { call_id, user_id: 'bob' } };
  const joined = must(await client.POST('/calls/{call_id}/join/{user_id}', { params: bob, body: { name: 'Bob' } }));
  const entry: [string, string][] = [started, joined].map((seat) => [seat.livekit_url, seat.livekit_token]);

  const event = {
    event: 'participant_joined',
    id: 'EV_' + session_id,
    room: { sid: 'RM_' + call_id, name: started.room_name },
    participant: { sid: 'PA_' + session_id, identity: 'ada', joinedAtMs: String(Date.now()), attributes: { call_id, session_id } },
  };
  const told = must(
    await client.POST('/webhooks/livekit', {
      body: event,
      headers: { 'X-API-Key': null, Authorization: await signatureOf(JSON.stringify(event)), 'Content-Type': 'application/webhook+json' },
    }),
  );
  const left = must(await client.POST('/calls/{call_id}/leave/{user_id}', { params: bob, body: { session_id: joined.session_id } }));

  const page = must(await client.GET('/calls', { params: { query: { caller_id: 'ada', status: 'active', limit: 1 } } }));
  const { participant_count, sessions } = must(await client.GET('/calls/{call_id}', { params: call }));
  const listed = must(await client.GET('/calls/{call_id}/sessions', { params: { ...call, query: { user_id: 'bob' } } }));
  const timeline = must(await client.GET('/calls/{call_id}/timeline', { params: call }));
  const asAda = { 'X-API-Key': null, Authorization: 'Bearer ' + userToken };
  const ada = must(await client.GET('/users/{user_id}', { params: { path: { user_id: 'ada' } }, headers: asAda }));
  const metrics: string = must(await client.GET('/metrics', { parseAs: 'text' }));
  const ended = must(await client.POST('/calls/{call_id}/end', { params: call }));

  const seen = {
    states,
    told: told.result,
    left: left.end_reason,
    calls: page.data.map((one) => one.call_id),
    participant_count,
    sessions: sessions.map(({ user_id, status }) => [user_id, status]),
    bob: listed.data.map(({ name }) => name),
    types: timeline.data.map(({ type }) => type),
    ada: ada.active_sessions.map((session) => session.session_id),
  };
  const expected = {
    states: ['ok', 'ready', 'ok'],
    told: 'applied',
    left: 'left',
    calls: [call_id],
    participant_count: 1,
    sessions: [['ada', 'active'], ['bob', 'ended']],
    bob: ['Bob'],
    types: ['call.started', 'session.created', 'session.created', 'room.started', 'session.joined', 'session.left'],
    ada: [session_id],
  };
  if (JSON.stringify(seen) !== JSON.stringify(expected)) throw new Error(JSON.stringify({ seen, expected }));
  if (!metrics.includes('call_service_calls_started_total')) throw new Error(metrics);
  if (entry.flat().some((text) => text === '')) throw new Error('no way into the room');

  const refused = await client.POST('/calls/{call_id}/join/{user_id}', { params: bob });
  if (refused.error?.code !== 'call_ended') throw new Error(JSON.stringify(refused));
  // @ts-expect-error an id is a text
  const { error } = await client.POST('/calls', { body: { caller_id: 7 } });
  if (error?.errors?.[0]?.pointer !== '/caller_id') throw new Error(JSON.stringify(error));
  return { started, ended };
}

function must<T>({ data, error, response }: { data?: T; error?: unknown; response: Response }): T {
  if (data === undefined) throw new Error(response.url + ': ' + response.status + ' ' + JSON.stringify(error));
  return data;
}
`;
