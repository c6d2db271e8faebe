import type { Call } from './api.ts';
import type { FakeLiveKit } from './fake-livekit.ts';
import type { Served } from './suite.ts';
import { until } from './wait.ts';

/** A new call, whose room LiveKit has. */
export async function startIn({ api }: Served, livekit: FakeLiveKit): Promise<Call> {
  const { status, text, body: call } = await api.startCall({ caller_id: 'ada' });
  if (status !== 201) throw new Error(text);
  livekit.rooms.set(call.room_name, []);
  return call;
}

/** Ends a new call every so many milliseconds until it is told to stop; then answers them all. */
export function endSteadily(served: Served, livekit: FakeLiveKit, pause: number): { calls: Call[]; stop: () => Promise<void> } {
  const calls: Call[] = [];
  let stopped = false;
  const run = async (): Promise<void> => {
    for (let due = Date.now(); !stopped; due += pause) {
      await until(() => stopped || Date.now() >= due, { timeout: pause * 2 + 5_000, what: 'the next end is due' });
      if (stopped) return;
      const call = await until(() => startIn(served, livekit), { what: 'a call is started' });
      // While connections are cut a client may have to ask again.
      await until(async () => (await served.api.end(call.call_id)).status === 200, { what: 'the call is ended' });
      calls.push(call);
    }
  };
  const done = run();
  done.catch(() => undefined);
  return {
    calls,
    stop: () => {
      stopped = true;
      return done;
    },
  };
}

export const outboxIsEmpty = (served: Served, timeout: number): Promise<unknown> =>
  until(async () => (await served.database.query('select intent_id from outbox')).length === 0, { timeout, what: 'the outbox is empty' });
