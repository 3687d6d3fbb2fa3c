/** The example of packages/limiter, over a real Redis. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startRedis } from '@chaosdemo/testbed';
import { expect, it, onTestFinished } from 'vitest';

const EXAMPLE = fileURLToPath(new URL('../../packages/limiter/example/burst.ts', import.meta.url));

it.each([
  ['approximate', /^(1[1-9]|20) of 20 requests/],
  ['strict', /^10 of 20 requests/],
])('the example shows what a burst is admitted: %s', async (mode, output) => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const env = {
    ...process.env,
    REDIS_PORT: String(redis.port),
    LIMITER_MODE: mode,
    LIMITER_CHECK_TIMEOUT: '10s',
  };
  const { stdout } = await promisify(execFile)(process.execPath, [EXAMPLE], { env });
  expect(stdout).toMatch(output);
});
