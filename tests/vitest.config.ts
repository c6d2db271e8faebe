import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Files that wait for a time-out of the service go first, so that the others run while they wait.
const waiting = ['somebody-on-the-way', 'webhook-order', 'http-timeouts', 'metrics', 'prometheus', 'list-growth', 'faults-', 'departures'];

class WaitingFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = (file: TestSpecification) => {
      const index = waiting.findIndex((name) => file.moduleId.includes(name));
      return index < 0 ? waiting.length : index;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

// Every project gets one PostgreSQL cluster; every test file makes databases of its own in it.
const common = {
  globalSetup: ['support/global-setup.ts'],
  setupFiles: ['support/setup-file.ts'],
  environment: 'node' as const,
  pool: 'forks' as const,
  hookTimeout: 60_000,
};

export default defineConfig({
  test: {
    reporters: ['default'],
    sequence: { sequencer: WaitingFirst },
    poolOptions: { forks: { maxForks: 6 } },
    projects: [
      { test: { ...common, name: 'functional', include: ['functional/**/*.test.ts'], testTimeout: 30_000 } },
      { test: { ...common, name: 'e2e', include: ['e2e/**/*.test.ts'], testTimeout: 90_000 } },
      { test: { ...common, name: 'fuzz', include: ['fuzz/**/*.test.ts'] } },
      { test: { ...common, name: 'chaos', include: ['chaos/**/*.test.ts'] } },
      { test: { ...common, name: 'ha', include: ['ha/**/*.test.ts'], globalSetup: [] } },
      { test: { ...common, name: 'budget', include: ['budget/**/*.test.ts'] } },
      { test: { ...common, name: 'docs', include: ['docs/**/*.test.ts'], testTimeout: 90_000 } },
    ],
  },
});
