/** A pod of a rate limiter that a test plants: a plain HTTP server over a real Redis. It ends with its test. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { AbstractConnector, Redis, type RedisOptions } from 'ioredis';
import { onTestFinished } from 'vitest';

/** What a planted pod is, besides how it decides. */
export interface PlantedOptions
  extends Pick<
    RedisOptions,
    'commandTimeout' | 'enableOfflineQueue' | 'maxRetriesPerRequest' | 'reconnectOnError' | 'retryStrategy'
  > {
  /** Its IP, from which it connects to Redis, too; default: 127.0.0.1. */
  readonly address?: string;
  /** Called with its connection to Redis. */
  readonly onStore?: (store: Redis) => void;
}

/** @param admits whether the limiter admits the caller in the header x-caller; if it throws, the pod answers 503 */
export async function plantedPod(
  name: string,
  { host, port }: { readonly host: string; readonly port: number },
  admits: (caller: string, store: Redis, headers: IncomingHttpHeaders) => Promise<boolean>,
  { address = '127.0.0.1', onStore, ...options }: PlantedOptions = {},
): Promise<{ readonly name: string; readonly host: string; readonly port: number }> {
  const Connector = connectorFrom(address, { host, port });
  const store = new Redis({ ...options, host, port, Connector });
  store.on('error', () => undefined);
  onStore?.(store);
  const server = createServer((request, response) => {
    const { headers } = request;
    const caller = headers['x-caller'];
    // A health check has no caller and uses up no limit.
    const decision = typeof caller === 'string' ? admits(caller, store, headers) : Promise.resolve(true);
    void decision.then(
      (admitted) => response.writeHead(admitted ? 200 : 429).end(),
      () => response.writeHead(503).end(),
    );
  }).listen(0, address);
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
    store.disconnect();
  });
  return { name, host: address, port: (server.address() as AddressInfo).port };
}

/** The connector of ioredis has no option for a source address. */
function connectorFrom(localAddress: string, to: { readonly host: string; readonly port: number }) {
  return class extends AbstractConnector {
    constructor() {
      super(0);
    }

    override async connect(): Promise<Socket> {
      this.connecting = true;
      const socket = connect({ ...to, localAddress });
      this.stream = socket;
      return socket;
    }
  };
}
