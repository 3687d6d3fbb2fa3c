/** A pod of a rate limiter that counts in a Redis Cluster, by the client that people use. It ends with its test. */
import type { RedisTarget } from '@chaosdemo/redis-faults';
import { Cluster } from 'ioredis';
import { onTestFinished } from 'vitest';
import { connectorFrom } from '../../../kit/connector-from.ts';
import { servedPod } from '../../../kit/planted-pod.ts';

export interface Clustered {
  /** Of its fixed windows, from the first request on; default: 15 s. */
  readonly windowS?: number;
  /** Admits without an answer of Redis, instead of answering 503. */
  readonly opens?: boolean;
  /** How long it waits for one; default: 400 ms. */
  readonly givesUpMs?: number;
}

/** @param limit requests in a window */
export async function clusteredPod(
  name: string,
  address: string,
  nodes: readonly Pick<RedisTarget, 'host' | 'port'>[],
  limit: number,
  { givesUpMs = 400, opens = false, windowS = 15 }: Clustered = {},
) {
  // As the default user: nodes may have a login of the operator.
  const startup = nodes.map(({ host, port }) => ({ host, port }));
  const store = new Cluster(startup, {
    redisOptions: { commandTimeout: givesUpMs, Connector: connectorFrom(address) },
  });
  store.on('error', () => undefined);
  onTestFinished(() => store.disconnect());
  return await servedPod(name, address, async (caller) => {
    const script = `local used = redis.call('INCR', KEYS[1]) if used == 1 then redis.call('EXPIRE', KEYS[1], ${windowS}) end return used`;
    const used = store.eval(script, 1, `rl:${caller}`);
    return Number(await (opens ? used.catch(() => 0) : used)) <= limit;
  });
}
