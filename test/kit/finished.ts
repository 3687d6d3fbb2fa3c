/** Ends what a test started, also if tests of its file run at the same time. */

import { AsyncLocalStorage } from 'node:async_hooks';
import { type RedisServer, type RedisServerOptions, startRedis } from '@chaosdemo/testbed';
import { aroundEach, onTestFinished as ofTheOnlyTest, type TestContext } from 'vitest';

const current = new AsyncLocalStorage<TestContext>();
aroundEach((run, context) => current.run(context, run));

/** As that of vitest, which knows no test if several run at the same time. */
export function onTestFinished(end: () => unknown): void {
  const register = current.getStore()?.onTestFinished ?? ofTheOnlyTest;
  register(async () => void (await end()));
}

/** A Redis for one test: a fault in it holds up no other test. */
export async function redisOfTest(options?: RedisServerOptions): Promise<RedisServer> {
  const redis = await startRedis(options);
  onTestFinished(() => redis.stop());
  return redis;
}
