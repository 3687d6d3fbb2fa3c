/** Connections to a store of one server, as a run has them. */
import type { ServerIdentity } from '@chaosdemo/redis-faults';
import {
  RedisConnections,
  type RedisTarget,
  StoreConnections,
} from '../../src/subjects/ratelimiter/index.ts';

export function storeOf(target: RedisTarget, session: string, identity?: ServerIdentity): StoreConnections {
  return new StoreConnections([target], (server) => new RedisConnections(server, session, identity));
}
