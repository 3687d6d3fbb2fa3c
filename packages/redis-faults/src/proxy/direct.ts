/**
 * A second port, by which the operator reaches a Redis outside of the cluster: no fault applies to it. So the operator
 * can show that Redis itself answers during a fault, and the address of a pod is all that it connects to.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { ProxiedConnection, type Upstream } from './connection.ts';

/** Connections at once: of one or two operators. Further ones are closed. */
const MOST_CONNECTIONS = 64;

export interface DirectPort {
  readonly port: number;
  close(): void;
}

/** @throws the error of listening, such as EADDRINUSE */
export async function listenDirect(host: string, port: number, upstream: Upstream): Promise<DirectPort> {
  const connections = new Set<ProxiedConnection>();
  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    const connection = new ProxiedConnection(client, upstream, () => connections.delete(connection));
    connections.add(connection);
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.listen({ host, port });
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      for (const connection of connections) connection.reset();
    },
  };
}
