import { defineConfig } from 'vitest/config';

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
    poolOptions: { forks: { maxForks: 3 } },
    projects: [
      { test: { ...common, name: 'functional', include: ['functional/**/*.test.ts'], testTimeout: 30_000 } },
      { test: { ...common, name: 'e2e', include: ['e2e/**/*.test.ts'], testTimeout: 90_000 } },
    ],
  },
});
