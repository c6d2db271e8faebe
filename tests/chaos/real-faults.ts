import type { Random } from '../support/random.ts';
import type { Fate } from '../support/webhook-gate.ts';
import { faults, type Fault } from './faults.ts';
import type { RealLiveKit } from './real-livekit.ts';
import type { World } from './world.ts';

/** Every second webhook, whatever it tells. */
export const half = (index: number): Fate => (index % 2 === 0 ? 'pass' : 'lose');

const webhookFault = (name: string, choose: (random: Random) => Fate): Fault<RealLiveKit> => ({
  name: `webhooks.${name}`,
  begin: ({ parts }, random) => void (parts.livekit.fate = () => choose(random)),
  end: ({ parts }) => void (parts.livekit.fate = half),
});

async function killLiveKit({ parts }: World<RealLiveKit>): Promise<void> {
  await parts.livekit.server.kill();
}

/** With a real LiveKit server. Half of its webhooks are lost all the time. */
export const realFaults: Fault<RealLiveKit>[] = [
  ...faults,
  {
    name: 'livekit.killed',
    begin: async (world, _random, ledger) => {
      await killLiveKit(world);
      ledger.everybodyWentAway(Date.now());
    },
    end: ({ parts }) => parts.livekit.server.start(),
    lasts: [200, 5_000],
  },
  {
    name: 'livekit.frozen',
    begin: ({ parts }) => parts.livekit.server.freeze(),
    end: ({ parts }) => parts.livekit.server.thaw(),
    lasts: [1_000, 8_000],
  },
  webhookFault('all_lost', () => 'lose'),
  webhookFault('doubled', () => 'twice'),
  webhookFault('late', (random) => random.pick(['late', 'pass', 'late', 'lose'])),
  webhookFault('mixed', (random) => random.pick(['pass', 'lose', 'twice', 'late'])),
];
