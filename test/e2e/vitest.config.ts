import { defineConfig } from 'vitest/config';

// A separate project: it makes a whole cluster, for which it needs root on Debian or a container engine.
export default defineConfig(({ mode }) => ({
  test: {
    name: 'e2e',
    include: ['test/e2e/on-kind.test.ts'],
    globalSetup: ['test/e2e/global-setup.ts'],
    provide: { isNightly: mode === 'nightly' },
    testTimeout: 1_200_000,
    hookTimeout: 900_000,
    maxWorkers: 1,
  },
}));
