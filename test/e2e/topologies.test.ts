/** Redis as it is run in production, on a real node. `CHAOSDEMO_TOPOLOGIES=1 npm run test:e2e` runs it, and nothing else. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AUDIT_LOG } from './support/audited-config.ts';
import { Cluster } from './support/cluster.ts';
import { usedIn } from './support/rights.ts';
import { faultProxy } from './topologies/fault-proxy.ts';
import { provideLimiterImage } from './topologies/limiter-image.ts';
import { redisCluster } from './topologies/redis-cluster.ts';
import { sentinels } from './topologies/sentinel.ts';

const cluster = new Cluster();
let image = '';
beforeAll(async () => {
  image = await provideLimiterImage(cluster.provided);
});
afterAll(() => cluster.close());

describe('a primary that Sentinels watch', () => {
  sentinels(cluster, () => image);
});
describe('a Redis Cluster', () => {
  redisCluster(cluster, () => image);
});
describe('a fault proxy', () => {
  faultProxy(cluster);
});

it('every request of the operator was permitted, by the shipped roles only', async () => {
  const { elsewhere, refused } = usedIn(await cluster.onNode(`cat ${AUDIT_LOG}`));
  expect([...refused, ...elsewhere]).toEqual([]);
});
