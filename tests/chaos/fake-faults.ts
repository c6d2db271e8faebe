import { faults, type Fault } from './faults.ts';

/** Of all requests to LiveKit's API, or of some. */
const requestFault = (fault: string): Fault => ({
  name: `livekit.${fault}`,
  begin: ({ parts }, random) => void parts.livekit.failRequests(fault, { percent: random.pick([100, 100, 50]), milliseconds: 7_000 }),
  end: ({ parts }) => parts.livekit.clearFaults(),
});

/** What is held back goes on coming after the fault, one event of a room behind the other: so not for long. */
const webhookFault = (fault: string): Fault => ({
  name: `webhooks.${fault}`,
  begin: ({ parts }, random) => void parts.livekit.failWebhooks(fault, { percent: random.pick([100, 50, 20]), milliseconds: Math.round(random.between(50, 250)) }),
  end: ({ parts }) => parts.livekit.clearFaults(),
});

/** With a LiveKit that does what it is told. */
export const fakeFaults: Fault[] = [
  ...faults,
  {
    name: 'livekit.unreachable',
    begin: ({ parts }) => parts.livekit.stop(),
    end: ({ parts }) => parts.livekit.listen(),
  },
  {
    name: 'livekit.restarted',
    begin: ({ parts }, _random, ledger) => {
      parts.livekit.restartEmpty();
      ledger.everybodyWentAway(Date.now());
    },
    lasts: [0, 1_000],
  },
  ...['hang', 'delay', 'lose_answer', 'internal_error', 'unavailable', 'unauthorized', 'garbage', 'half', 'empty_list'].map(requestFault),
  ...['drop', 'duplicate', 'reorder', 'delay', 'wrong_secret', 'wrong_hash'].map(webhookFault),
  {
    name: 'webhooks.link_cut',
    begin: ({ parts }) => parts.front.become('cut'),
    end: ({ parts }) => parts.front.become('pass'),
  },
];
