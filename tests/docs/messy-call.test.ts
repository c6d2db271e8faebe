import { createServer, type IncomingMessage, type Server } from 'node:http';
import { writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { RtcClient } from '../support/clients.ts';
import { readPage } from '../support/markdown.ts';
import { withScene, type Scene } from '../support/scene.ts';
import { until } from '../support/wait.ts';
import { repository } from './world.ts';

interface Entry {
  seq: number;
  at: string;
  occurred_at: string;
  type: string;
  cause: string;
  user_id?: string;
  session_id?: string;
  detail?: Record<string, string>;
}

interface Held {
  path: string;
  event: { event: string; participant?: { sid: string; identity: string } };
  deliver: () => Promise<string>;
}

/** Stands between LiveKit and the service: takes every webhook, and passes it on when told. */
class Relay {
  readonly held: Held[] = [];
  private target = '';
  private readonly server: Server = createServer((request, response) => {
    void this.take(request).finally(() => response.writeHead(200).end());
  });

  async listen(target: string): Promise<string> {
    this.target = target;
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as { port: number }).port}`;
  }

  /** The next webhook of this type, and of this connection if one is named, as soon as it has come. */
  async next(type: string, sid?: string): Promise<Held> {
    const is = ({ event }: Held) => event.event === type && (sid === undefined || event.participant?.sid === sid);
    await until(() => this.held.some(is), { timeout: 20_000, what: `LiveKit tells ${type} ${sid ?? ''}` });
    return this.held.splice(this.held.findIndex(is), 1)[0]!;
  }

  close(): void {
    this.server.close();
  }

  private async take(request: IncomingMessage): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const headers = { authorization: request.headers.authorization!, 'content-type': request.headers['content-type']! };
    const deliver = async () => ((await (await fetch(this.target, { method: 'POST', body, headers })).json()) as { result: string }).result;
    this.held.push({ path: request.url!, event: JSON.parse(body), deliver });
  }
}

async function sidOf(client: RtcClient): Promise<string> {
  return String((await client.waitFor('connected')).sid);
}

/** The story that the page tells. */
async function play(scene: Scene, relay: Relay): Promise<Entry[]> {
  const { api } = scene;
  const call = (await api.startCall({ caller_id: 'alice' })).body;
  const alice = await RtcClient.connect(call.livekit_url, call.livekit_token);
  await relay.next('room_started'); // lost for good
  const aliceJoined = await relay.next('participant_joined', await sidOf(alice));
  expect(await aliceJoined.deliver()).toBe('applied');
  expect(await aliceJoined.deliver()).toBe('duplicate');

  const first = (await api.join(call.call_id, 'bob')).body;
  const phone = await RtcClient.connect(first.livekit_url, first.livekit_token);
  const phoneJoined = await relay.next('participant_joined', await sidOf(phone)); // late
  const second = (await api.join(call.call_id, 'bob')).body;
  expect(second.session_id).toBe(first.session_id);
  const laptop = await RtcClient.connect(second.livekit_url, second.livekit_token);
  const phoneLeft = await relay.next('participant_left', await sidOf(phone));
  const laptopJoined = await relay.next('participant_joined', await sidOf(laptop));
  for (const held of [laptopJoined, phoneJoined, phoneLeft]) expect(await held.deliver()).toBe('applied');

  scene.livekit.freeze();
  expect((await api.end(call.call_id, { user_id: 'alice' })).body.room_deletion).toBe('pending');
  scene.livekit.thaw();
  await until(async () => (await scene.call(call.call_id)).room_deletion === 'done', { timeout: 20_000, what: 'the room is deleted' });
  for (const client of [alice, laptop]) await (await relay.next('participant_left', await sidOf(client))).deliver();
  await (await relay.next('room_finished')).deliver();

  const ghost = new RtcClient(call.livekit_url, call.livekit_token);
  await (await relay.next('room_started')).deliver();
  await scene.roomIsGone(call.call_id);
  await Promise.all([alice.leave(), laptop.leave(), phone.leave(), ghost.kill()]);
  return (await api.get(`/calls/${call.call_id}/timeline`)).body.data as Entry[];
}

/** One line an entry; sessions and connections are named in the order in which they appear. */
function tell(timeline: Entry[]): string {
  const start = Date.parse(timeline[0]!.at);
  const names = new Map<string, string>();
  const name = (kind: string, id: string) => {
    if (!names.has(id)) names.set(id, `${kind} ${[...names.values()].filter((known) => known.startsWith(kind)).length + 1}`);
    return names.get(id)!;
  };
  const after = (time: string) => `${((Date.parse(time) - start) / 1000).toFixed(3)}`;
  return timeline
    .map(({ seq, at, occurred_at, type, cause, user_id, session_id, detail = {} }) => {
      const who = session_id ? `${user_id}, ${name('session', session_id)}` : '';
      const told = Object.entries(detail).map(([key, value]) => (key.endsWith('_sid') ? name(key === 'room_sid' ? 'room' : 'connection', value) : value));
      return `| ${seq} | ${after(at)} | ${after(occurred_at)} | \`${type}\` | ${cause} | ${who} | ${told.join(', ')} |`;
    })
    .join('\n');
}

const withoutTimes = (rows: string): string => rows.replace(/-?\d+\.\d{3}/g, '·');

it('the timeline in how-state-stays-true.md is what the service writes', async () => {
  const relay = new Relay();
  // By webhooks alone: a comparison with LiveKit might be quicker than those that are held up.
  await withScene('postgresql', { RECONCILE_INTERVAL_SECONDS: '0' }, async (scene) => {
    const url = await relay.listen(`${scene.service.url}/webhooks/livekit`);
    await scene.livekit.kill();
    scene.livekit.webhookUrl = url;
    await scene.livekit.start();
    const rows = tell(await play(scene, relay));
    if (process.env.DOCS_TIMELINE) await writeFile(process.env.DOCS_TIMELINE, `${rows}\n`);
    const { text } = await readPage(repository, 'docs/explanation/how-state-stays-true.md');
    const shown = text.split('\n').filter((line) => /^\| \d+ \|/.test(line));
    expect(withoutTimes(rows)).toBe(withoutTimes(shown.join('\n')));
  });
  relay.close();
});
