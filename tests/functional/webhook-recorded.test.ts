import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Session } from '../support/api.ts';
import { expectProblem, onEachDatabase, serve } from '../support/suite.ts';
import { deliverBody } from '../support/webhooks.ts';

interface Recorded {
  at: string;
  rawHeaders: string[];
  body: string;
}

interface Told {
  id: string;
  event: string;
  room?: { name: string };
  participant?: { sid: string; identity: string; joinedAtMs?: string };
}

const file = join(dirname(fileURLToPath(import.meta.url)), '../data/livekit-webhooks.jsonl');
const recorded: Recorded[] = readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
const told = (request: Recorded): Told => JSON.parse(request.body);
const roomNames = [...new Set(recorded.map((request) => told(request).room?.name ?? ''))];

onEachDatabase('what a real LiveKit server once sent', (kind) => {
  const served = serve(kind);

  it('verbatim, is refused: its tokens have expired', async () => {
    const first = recorded[0]!;
    const authorization = first.rawHeaders[first.rawHeaders.indexOf('Authorization') + 1]!;
    expectProblem(await deliverBody(served.api, first.body, { authorization }), 401, 'webhook_unauthorized');
    expect((await served.api.get('/ready')).body.checks.webhooks.last_rejection).toBe('expired');
  });

  it('signed anew, is ignored: its rooms are not ours', async () => {
    for (const { body } of recorded) {
      const answer = await deliverBody(served.api, body);
      expect({ status: answer.status, body: answer.body }).toEqual({ status: 200, body: { result: 'ignored' } });
    }
  });

  /** Replays the requests of one room as if it were the room of a new call of ours. */
  async function replay(room: string, change: (list: Recorded[]) => Recorded[] = (list) => list) {
    const { body: call } = await served.api.startCall({ caller_id: 'caller' });
    const results: [string, string][] = [];
    for (const request of change(recorded.filter((one) => told(one).room?.name === room))) {
      // Event ids are LiveKit's own; a second replay of the same events needs others.
      const suffix = call.call_id.replaceAll('-', '').slice(-12);
      const body = request.body.replace(`"name":"${room}"`, `"name":"${call.room_name}"`).replace(/"id":"EV_(\w+)"/, `"id":"EV_$1${suffix}"`);
      const answer = await deliverBody(served.api, body);
      expect(answer.status, answer.text).toBe(200);
      results.push([told(request).event, answer.body.result]);
    }
    const after = (await served.api.call(call.call_id)).body;
    const people = after.sessions.filter((session) => session.user_id !== 'caller');
    const of = (user: string): Session[] => people.filter((session) => session.user_id === user);
    return { results, after, people, of };
  }

  /** All times moved on by the same seconds, so that the first request was made now. */
  function asOfNow(list: Recorded[]): Recorded[] {
    const shift = Math.ceil((Date.now() - Date.parse(list[0]!.at)) / 1000);
    const moved = (text: string) => String(Number(text) + (text.length > 11 ? shift * 1000 : shift));
    const times = /("(?:createdAt|creationTime|creationTimeMs|joinedAt|joinedAtMs)":")(\d+)/g;
    return list.map((request) => ({ ...request, body: request.body.replace(times, (_all, name: string, time: string) => name + moved(time)) }));
  }

  it.each(['lc', 'del-off'])('as if it were now, ends the call with its room: room %s', async (room) => {
    const { after } = await replay(room, asOfNow);
    expect(after).toMatchObject({ status: 'ended', end_reason: 'room_finished', participant_count: 0 });
  });

  describe.each([
    ['as it was sent', (list: Recorded[]) => list],
    ['backwards', (list: Recorded[]) => list.toReversed()],
  ])('renamed to calls of ours, %s', (_name, reorder) => {
    it.each(roomNames)('is accepted, event by event: room %s', async (room) => {
      const { results, people } = await replay(room, reorder);
      for (const [event, result] of results) {
        expect(event.startsWith('track_') ? ['ignored'] : ['applied', 'duplicate']).toContain(result);
      }
      const joinedSids = new Set(
        recorded.filter((one) => told(one).room?.name === room && told(one).event.startsWith('participant_')).map((one) => told(one).participant?.sid),
      );
      expect(people).toHaveLength(joinedSids.size);
      for (const session of people) {
        expect(session.joined_at === null || session.left_at === null || session.joined_at <= session.left_at).toBe(true);
      }
    });

    it('a clean leave and two crashes', async () => {
      const { of } = await replay('lc', reorder);
      expect(of('carol')).toEqual([expect.objectContaining({ status: 'ended', end_reason: 'left', disconnect_reason: 'client_initiated', joined_at: new Date(1795363694575).toISOString() })]);
      for (const user of ['bob', 'alice']) {
        expect(of(user)).toEqual([expect.objectContaining({ status: 'ended', end_reason: 'left', disconnect_reason: 'connection_timeout' })]);
      }
    });

    it('a deleted room', async () => {
      const { people } = await replay('del-off', reorder);
      expect(people).toHaveLength(2);
      for (const session of people) expect(session).toMatchObject({ end_reason: 'call_ended', disconnect_reason: 'room_deleted' });
    });

    it('the same identity twice', async () => {
      const { after, of } = await replay('dup', reorder);
      expect(after.status).toBe('active');
      const [first, second] = of('alice').toSorted((one, other) => one.joined_at!.localeCompare(other.joined_at!));
      expect(first).toMatchObject({ end_reason: 'replaced', disconnect_reason: 'duplicate_identity', joined_at: new Date(1795362714181).toISOString() });
      expect(second).toMatchObject({ end_reason: 'left', disconnect_reason: 'client_initiated', joined_at: new Date(1795362714878).toISOString() });
    });

    it('connections that never came about', async () => {
      const { of } = await replay('ab', reorder);
      expect(of('ws-close')).toEqual([expect.objectContaining({ end_reason: 'connection_aborted', disconnect_reason: 'signal_close' })]);
      expect(of('ws-idle')).toEqual([expect.objectContaining({ end_reason: 'connection_aborted', disconnect_reason: 'join_failure' })]);
    });

    it('every delivery of one event but the first is a duplicate', async () => {
      const { results, of } = await replay('hra1', reorder);
      const count = (event: string, result: string) => results.filter((one) => one[0] === event && one[1] === result).length;
      expect([count('participant_joined', 'applied'), count('participant_joined', 'duplicate')]).toEqual([1, 4]);
      expect([count('participant_left', 'applied'), count('participant_left', 'duplicate')]).toEqual([1, 3]);
      expect(of('p1')).toHaveLength(1);
    });
  });
});
