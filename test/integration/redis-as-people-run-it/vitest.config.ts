import { messageOf } from '@chaosdemo/testbed';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { ensureRedisRelease, REDIS_RELEASES } from '../../../tools/offline/redis-releases.ts';

// `npm run test:redis`: the tests of this folder on each Redis and Valkey that people run, a project each, whose
// server stands first in PATH; the first is that of this machine. What cannot be had is a skipped test that says why.

const here = 'test/integration/redis-as-people-run-it';
const tooOld = 'redis-6.2';
const path = process.env['PATH'] ?? '';
const progress = (line: string): void => void process.stderr.write(`[redis] ${line}\n`);
const timeouts = { testTimeout: 120_000, hookTimeout: 120_000, maxConcurrency: 10 };
const missing: Record<string, string> = {};

function onServer(name: string, folder?: string): TestProjectInlineConfiguration {
  // Of what may not be paused only the refusal is looked at.
  const files =
    name === tooOld
      ? { include: [`${here}/too-old.matrix.ts`] }
      : {
          include: [`${here}/*.test.ts`, `${here}/*.matrix.ts`],
          exclude: [`${here}/too-old.matrix.ts`],
        };
  return {
    test: {
      ...timeouts,
      name,
      ...files,
      env: { PATH: folder === undefined ? path : `${folder}:${path}` },
      provide: { redisServer: name, redisMissing: missing },
    },
  };
}

const projects = [onServer('this machine')];
for (const release of REDIS_RELEASES) {
  try {
    projects.push(onServer(release.name, await ensureRedisRelease(release, { progress })));
  } catch (error) {
    missing[release.name] = messageOf(error);
  }
}

export default defineConfig({
  test: {
    projects,
    globalSetup: ['test/integration/global-setup.ts'],
    // Whole runs keep time only where the processors are not all taken.
    maxWorkers: 3,
  },
});
