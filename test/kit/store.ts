/** Connections to a store of one server, as a run has them. */
import {
  RedisConnections,
  type RedisTarget,
  type ServerIdentity,
  StoreConnections,
} from '@chaosdemo/redis-faults';

export function storeOf(target: RedisTarget, session: string, identity?: ServerIdentity): StoreConnections {
  return new StoreConnections([target], (server) => new RedisConnections(server, session, identity));
}
