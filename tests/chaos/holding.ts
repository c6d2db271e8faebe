import { expect } from 'vitest';
import type { DatabaseKind } from '../support/database.ts';
import { binary } from '../support/service.ts';
import type { Holdings } from './world.ts';

const isSanitized = /asan|tsan/.test(binary);

/**
 * What a process may hold at rest, descriptors beside those of connections. They and threads do not depend on how long it has run. How
 * many connections clients keep open is theirs to say: delayed webhooks all come at once, each on its own.
 */
const most: Omit<Holdings, 'pid' | 'kinds'> = { descriptors: 48, threads: 40, connections: 5, clients: 512, livekit: 64, reset: 64, memory: isSanitized ? 1_500 : 150 };

/**
 * By how much it may differ between two rests: connections to the database and what is under way; what is kept of open calls; of
 * SQLite also the pages that its two connections keep.
 */
const mostGrowth = { descriptors: 16, memory: { postgresql: 40, sqlite: 100 } };

const units: Record<keyof typeof most, string> = {
  memory: 'MiB',
  descriptors: 'descriptors',
  threads: 'threads',
  connections: 'database connections',
  clients: 'clients',
  livekit: 'connections to LiveKit',
  reset: 'that it has reset',
};

const amount = (holdings: Holdings, what: keyof typeof most): string => `${holdings[what]} ${units[what]}`;

/** What comes and goes with clients and LiveKit is not the process's own. */
const own = (holdings: Holdings, what: keyof typeof most): number =>
  holdings[what] - (what === 'descriptors' ? holdings.clients + holdings.livekit + holdings.reset : 0);

/** What the processes hold, each time the load rests. */
export class Holding {
  private readonly first = new Map<number, Holdings>();
  private last: readonly Holdings[] = [];
  private readonly faults: string[] = [];
  private readonly growth: Record<keyof typeof mostGrowth, number>;

  constructor(kind: DatabaseKind) {
    this.growth = { descriptors: mostGrowth.descriptors, memory: isSanitized ? 1_000 : mostGrowth.memory[kind] };
  }

  look(now: readonly Holdings[]): void {
    this.last = now;
    for (const holdings of now) {
      const before = this.first.get(holdings.pid) ?? holdings;
      this.first.set(holdings.pid, before);
      for (const [what, limit] of Object.entries(most) as [keyof typeof most, number][]) {
        if (own(holdings, what) > limit) this.faults.push(`process ${holdings.pid} holds ${amount(holdings, what)} (${holdings.kinds})`);
      }
      for (const [what, limit] of Object.entries(this.growth) as [keyof typeof mostGrowth, number][]) {
        if (own(holdings, what) > own(before, what) + limit) this.faults.push(`process ${holdings.pid} held ${amount(before, what)}, and holds ${amount(holdings, what)} (${holdings.kinds})`);
      }
    }
  }

  get report(): string {
    const all = Object.keys(units) as (keyof typeof units)[];
    const each = this.last.map((holdings) => all.map((what) => amount(holdings, what)).join(', '));
    return `at rest: ${each.join('; ')}`;
  }

  expectNoLeak(): void {
    expect(this.faults).toEqual([]);
  }
}
