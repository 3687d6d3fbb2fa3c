import { defineConfig } from 'vitest/config';

/**
 * The tests that have to notice a change: unit tests of what is changed. The simulation is left out, since it takes
 * a minute for each change; so are property tests, which search as long for the smallest example.
 */
export default defineConfig({
  test: {
    include: [
      'src/engine/**/*.test.ts',
      'src/subjects/{,ratelimiter/}{checkers,limits}/**/*.test.ts',
      'src/subjects/redis/{client,faults}/**/*.test.ts',
      // On a real Redis, which starts in 50 ms: a fake one would repeat the rules of the fence.
      'test/integration/fence.test.ts',
    ],
    exclude: ['**/*.property.test.ts'],
    testTimeout: 300_000,
  },
});
