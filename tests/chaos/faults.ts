import type { FakeLiveKit } from '../support/fake-livekit.ts';
import type { Random } from '../support/random.ts';
import type { Ledger } from './ledger.ts';
import type { LiveKitInPlay, World } from './world.ts';

/** Something that goes wrong for a while. What it killed is started again when all that struck with it is over. */
export interface Fault<LiveKit extends LiveKitInPlay = FakeLiveKit> {
  name: string;
  /** Where it cannot be made to happen it is left out. */
  isPossible?: (world: World<LiveKit>) => boolean;
  begin(world: World<LiveKit>, random: Random, ledger: Ledger): Promise<void> | void;
  end?(world: World<LiveKit>, random: Random): Promise<void> | void;
  /** Milliseconds that it lasts. */
  lasts?: [number, number];
}

const onPostgres = ({ parts }: World<LiveKitInPlay>): boolean => parts.cluster !== undefined;

/** Whatever LiveKit the services have. */
export const faults: Fault<LiveKitInPlay>[] = [
  { name: 'nothing', begin: () => undefined },
  {
    name: 'service.killed',
    begin: async (world, random) => {
      for (const service of world.parts.services) if (random.chance(0.7) && world.parts.serving.has(service)) await world.kill(service);
    },
    lasts: [200, 3_000],
  },
  {
    name: 'service.restarted',
    begin: async (world) => {
      for (const service of [...world.parts.serving]) {
        // Another fault may have killed it, or keep it from starting.
        if (!world.parts.serving.has(service)) continue;
        await world.terminate(service);
        await world.restart(service, 0).catch(() => undefined);
      }
    },
    lasts: [0, 500],
  },
  {
    name: 'replica.lost',
    isPossible: onPostgres,
    begin: async (world, random) => {
      const { serving } = world.parts;
      if (serving.size > 0) await world.kill(random.pick([...serving]));
    },
    lasts: [3_000, 6_000],
  },
  {
    name: 'postgres.killed',
    isPossible: onPostgres,
    begin: ({ parts }) => parts.cluster!.kill(),
    lasts: [500, 4_000],
  },
  {
    name: 'postgres.frozen',
    isPossible: onPostgres,
    begin: ({ parts }) => parts.cluster!.pause(),
    end: ({ parts }) => parts.cluster!.resume(),
    lasts: [1_000, 7_000],
  },
  ...(['slow', 'hang', 'cut'] as const).map((mode): Fault<LiveKitInPlay> => ({
    name: `postgres.link_${mode}`,
    isPossible: onPostgres,
    begin: ({ parts }) => parts.databaseLink!.become(mode),
    end: ({ parts }) => parts.databaseLink!.become('pass'),
    lasts: [1_000, 7_000],
  })),
  {
    name: 'disk.full',
    isPossible: ({ parts }) => parts.disk.canBeFull,
    begin: ({ parts }) => parts.disk.fill(),
    end: ({ parts }) => parts.disk.free(),
    lasts: [1_000, 4_000],
  },
  {
    name: 'clock.stepped',
    isPossible: ({ parts }) => parts.clock !== undefined,
    begin: (world, random) => world.stepClock(Math.round(random.between(-clockStep, clockStep))),
    end: (world) => world.stepClock(0),
  },
];

/** Seconds by which a clock is wrong at most. */
export const clockStep = 30;
