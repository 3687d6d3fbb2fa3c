import { defineConfig } from 'vitest/config';
import { LargeApart } from './test/kit/file-order.ts';

// Two projects: `unit` needs nothing but Node; `integration` starts one real
// kube-apiserver in its global setup, which all files share, and real Redis servers
// and limiters where they are used. What needs more than `npm test` brings has a configuration of its
// own in its folder. Timeouts are guards against waiting for ever, not measures.

/**
 * Files side by side. Most of them wait most of their time, for pauses, deadlines and countdowns: so many keep
 * two cores busy, and still leave every run its samples in time.
 */
const WORKERS = 4;

export default defineConfig(({ mode }) => ({
  test: {
    sequence: { sequencer: LargeApart },
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{src,packages,bench,tools,survey,test/histories,test/kit,test/simulation,test/torture}/**/*.test.ts',
          ],
          provide: { isNightly: mode === 'nightly' },
          testTimeout: 300_000,
          maxWorkers: WORKERS,
          // Loading the same modules for each of its many files takes half of the processor time.
          isolate: false,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: mode === 'nightly' ? [] : ['test/integration/nightly/**'],
          provide: { isNightly: mode === 'nightly' },
          globalSetup: ['test/integration/global-setup.ts'],
          testTimeout: 600_000,
          hookTimeout: 900_000,
          maxWorkers: WORKERS,
          // Tests of one file that run at the same time wait most of it, and share one event loop.
          maxConcurrency: 4,
        },
      },
    ],
  },
}));
