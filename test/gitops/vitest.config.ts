import { defineConfig } from 'vitest/config';

// `npm run test:gitops`: the operator with Flux, Argo CD and Helm, as processes over one API server. Each file
// has its own world; the first run builds those programs, which takes minutes.
export default defineConfig(({ mode }) => ({
  test: {
    name: 'gitops',
    include: ['test/gitops/**/*.test.ts'],
    globalSetup: ['test/gitops/global-setup.ts'],
    provide: { isNightly: mode === 'nightly' },
    testTimeout: 600_000,
    hookTimeout: 600_000,
    maxWorkers: 1,
  },
}));
