/** A pod of a rate limiter that a test plants: a plain HTTP server over a real Redis. It ends with its test. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis, type RedisOptions } from 'ioredis';
import { onTestFinished } from 'vitest';

/** @param admits whether the limiter admits the caller in the header x-caller; if it throws, the pod answers 503 */
export async function plantedPod(
  name: string,
  { host, port }: { readonly host: string; readonly port: number },
  admits: (caller: string, store: Redis, headers: IncomingHttpHeaders) => Promise<boolean>,
  options: Pick<RedisOptions, 'commandTimeout'> = {},
): Promise<{ readonly name: string; readonly host: string; readonly port: number }> {
  const store = new Redis({ ...options, host, port });
  store.on('error', () => undefined);
  const server = createServer((request, response) => {
    const { headers } = request;
    const caller = headers['x-caller'];
    // A health check has no caller and uses up no limit.
    const decision = typeof caller === 'string' ? admits(caller, store, headers) : Promise.resolve(true);
    void decision.then(
      (admitted) => response.writeHead(admitted ? 200 : 429).end(),
      () => response.writeHead(503).end(),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
    store.disconnect();
  });
  return { name, host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}
