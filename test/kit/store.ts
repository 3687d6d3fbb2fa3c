/** Connections to a store of one server, as a run has them. */
import {
  RedisConnections,
  type RedisTarget,
  StoreConnections,
} from '../../src/subjects/ratelimiter/index.ts';
import type { ServerIdentity } from '../../src/subjects/redis/client/redis-link.ts';

export function storeOf(target: RedisTarget, session: string, identity?: ServerIdentity): StoreConnections {
  return new StoreConnections([target], (server) => new RedisConnections(server, session, identity));
}
