/** A store whose servers a unit test plays. */
import { asPerServer } from '../client/per-server.ts';
import type { RedisConnections } from '../client/redis-client.ts';
import { StoreConnections } from '../client/store-connections.ts';

/** @param servers at least one */
export function storeOfFake(...servers: readonly object[]): StoreConnections {
  const targets = servers.map((_, i) => ({
    podName: `redis-${i}`,
    host: '10.0.0.7',
    port: 6379,
    tls: false,
  }));
  return new StoreConnections(
    asPerServer(targets),
    (target) => servers[targets.indexOf(target)] as unknown as RedisConnections,
  );
}
