import { defineConfig } from 'vitest/config';

// `npm run check:manifests`: everything that is shipped for clusters, looked at by the programs that others
// use for it. The API server is there for the schemas of the kinds that Kubernetes brings.
export default defineConfig({
  test: {
    name: 'manifests',
    include: ['test/manifests/**/*.test.ts'],
    globalSetup: ['test/integration/global-setup.ts'],
    testTimeout: 300_000,
    hookTimeout: 3_600_000,
    maxWorkers: 1,
  },
});
