import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { runParts } from '../../../../test/fixtures/subjects/ratelimiter/run-parts.ts';
import { limiterSpec } from '../../../../test/kit/driven-limiter.ts';
import { type ChaosDemoSpec } from '../../../api/index.ts';
import { closeToolkit, openToolkit } from '../../run/toolkit.ts';
import { limiterTools } from '../kind.ts';
import { rateLimiterOf } from '../spec/schema.ts';

/** More than this wait for one pod at the highest rate and the longest wait: 2 x 50 a second for 10 s. */
const AT_ONCE = 1000;

const specOf = (more: object, type: string): ChaosDemoSpec =>
  limiterSpec({ health: { timeout: '8s' }, ...more }, [{ name: 's', type }]);
const http = { http: { path: '/$(key)' } };

it.each([
  ['behind HTTP', specOf(http, 'StoreOutage')],
  ['of the bundled limiter', specOf({}, 'CounterDrift')],
])('has each request reach a pod %s that answers none, as many as may wait at once', async (_, spec) => {
  const sockets = new Set<Socket>();
  const allReceived = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket
      .on('error', () => undefined)
      .once('data', () => {
        sockets.add(socket);
        if (sockets.size === AT_ONCE) allReceived.resolve();
      });
  }).listen({ port: 0, host: '127.0.0.1', backlog: AT_ONCE });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const lifetime = new AbortController();
  const limiter = rateLimiterOf(spec);
  const tools = openToolkit(runParts([port]), limiter, () => undefined, lifetime.signal);
  const toolkit = limiterTools(tools, limiter);
  onTestFinished(() => {
    closeToolkit(toolkit);
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const [podClient] = toolkit.podClients;
  const all = Array.from({ length: AT_ONCE }, async () => {
    const exchange = await podClient?.send(toolkit.callers.requestOf('k'), 8000, lifetime.signal);
    return exchange?.failure?.code;
  });
  const first = await Promise.race([allReceived.promise.then(() => 'all have come'), ...all]);
  expect(first).toBe('all have come');
});
