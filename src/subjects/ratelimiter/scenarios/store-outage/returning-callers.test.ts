import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { limitReturnOf } from '../../checkers/limit-return.ts';
import type { CallerRequest } from '../../history/events.ts';
import { PodClient } from '../../http/pod-client.ts';
import { HttpCallers } from '../../interfaces/http/http-callers.ts';
import { httpInterfaceSchema } from '../../spec/http-schema.ts';
import { sendWhenReturned } from './returning-callers.ts';

const { signal } = new AbortController();

/** Two callers of a limiter that answers each request, by its number, with this status. */
async function returnOf(statusOf: (path: string, request: number) => number) {
  const requests = new Map<string, number>();
  const server = createServer(({ url = '' }, response) => {
    const number = (requests.get(url) ?? 0) + 1;
    requests.set(url, number);
    response.writeHead(statusOf(url, number)).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new PodClient({ name: 'a', host: '127.0.0.1', port }, 4, Date.now);
  onTestFinished(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  const limit = { algorithm: 'FixedWindow', requests: 4, windowMs: 100, start: 'FirstRequest' } as const;
  const callers = new HttpCallers(httpInterfaceSchema.parse({ path: '/$(key)' }));
  const keys = ['demo-a', 'demo-b'];
  const of = { clients: [client], callers, callerTimeoutMs: 5000, keys, limit, withinMs: 100 };
  const sent: CallerRequest[] = [];
  await sendWhenReturned(of, (request) => sent.push(request), signal);
  return { requests, result: limitReturnOf({ at: 0, keys }, sent) };
}

it('is there once each caller is admitted again, and costs one request each', async () => {
  const { requests, result } = await returnOf(() => 200);
  expect(result).toEqual({ code: 'Returned', callers: 2 });
  expect([...requests.values()]).toEqual([1, 1]);
});

it('is there for one that a weighing counter rejects at first', async () => {
  const { result } = await returnOf((_, number) => (number === 1 ? 429 : 200));
  expect(result.code).toBe('Returned');
});

it('is missing for those that are rejected to the end', async () => {
  const { result } = await returnOf((path) => (path === '/demo-a' ? 429 : 200));
  expect(result).toMatchObject({ code: 'NotReturned', callers: 2, lockedOut: 1 });
});

it('is not known of a limiter that answers with errors', async () => {
  const { result } = await returnOf(() => 503);
  expect(result).toEqual({ code: 'ReturnUnclear', callers: 2, unclear: 2 });
});
