/** A pod of a rate limiter that a test plants: a plain HTTP server over a real Redis. It ends with its test. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis, type RedisOptions } from 'ioredis';
import { connectorFrom } from './connector-from.ts';
import { onTestFinished } from './finished.ts';

/** What a planted pod is, besides how it decides. */
export interface PlantedOptions
  extends Pick<
    RedisOptions,
    'commandTimeout' | 'enableOfflineQueue' | 'maxRetriesPerRequest' | 'reconnectOnError' | 'retryStrategy'
  > {
  /** Its IP, from which it connects to Redis, too; default: 127.0.0.1. */
  readonly address?: string;
  /** Default: any that is free. */
  readonly port?: number;
  /** It connects to Redis with TLS. */
  readonly tls?: { readonly ca: string; readonly servername: string };
  /** Called with its connection to Redis. */
  readonly onStore?: (store: Redis) => void;
}

/** A pod, until its process ends. */
export interface PlantedPod {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Ends it as its kernel would: connections are reset. */
  stop(): Promise<void>;
}

/** @param admits whether the limiter admits the caller in the header x-caller; if it throws, the pod answers 503 */
export async function plantedPod(
  name: string,
  redis: { readonly host: string; readonly port: number },
  admits: (caller: string, store: Redis, headers: IncomingHttpHeaders) => Promise<boolean>,
  { address = '127.0.0.1', onStore, port, tls, ...options }: PlantedOptions = {},
): Promise<PlantedPod> {
  const Connector = connectorFrom(address, tls);
  // Only selects the event that ioredis waits for; the connector dials.
  const store = new Redis({ ...options, ...redis, Connector, ...(tls && { tls: {} }) });
  store.on('error', () => undefined);
  onStore?.(store);
  onTestFinished(() => store.disconnect());
  const served = await servedPod(name, address, (caller, headers) => admits(caller, store, headers), port);
  return {
    ...served,
    async stop() {
      store.disconnect();
      await served.stop();
    },
  };
}

/** A pod without its own Redis; it ends with its test. @param admits as of {@link plantedPod} */
export async function servedPod(
  name: string,
  address: string,
  admits: (caller: string, headers: IncomingHttpHeaders) => Promise<boolean>,
  port = 0,
): Promise<PlantedPod> {
  const server = createServer((request, response) => {
    const { headers } = request;
    const caller = headers['x-caller'];
    // A health check has no caller and uses up no limit.
    const decision = typeof caller === 'string' ? admits(caller, headers) : Promise.resolve(true);
    void decision.then(
      (admitted) => response.writeHead(admitted ? 200 : 429).end(),
      () => response.writeHead(503).end(),
    );
  }).listen(port, address);
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  onTestFinished(stop);
  return { name, host: address, port: (server.address() as AddressInfo).port, stop };
}
