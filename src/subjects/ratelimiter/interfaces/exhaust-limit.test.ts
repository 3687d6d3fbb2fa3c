/** Uses a limit up on real servers that sync their counts only after some time. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { PodClient } from '../http/pod-client.ts';
import { exhaustLimit } from './exhaust-limit.ts';
import { HttpCallers } from './http/http-callers.ts';
import { httpInterfaceSchema } from './http/schema.ts';

const LIMIT = 6;
const { signal } = new AbortController();
const callers = new HttpCallers(httpInterfaceSchema.parse({ path: '/$(key)' }));

/** Two nodes, each with its own count and the last count that it got from the other. */
async function twoNodes() {
  const pods = [0, 1].map(() => ({ own: 0, others: 0 }));
  const clients: PodClient[] = [];
  for (const [i, counts] of pods.entries()) {
    const server = createServer((_, response) => {
      const admits = counts.own + counts.others < LIMIT;
      if (admits) counts.own += 1;
      response.writeHead(admits ? 200 : 429).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = new PodClient({ name: `node-${i}`, host: '127.0.0.1', port }, 1, Date.now);
    clients.push(client);
    onTestFinished(() => {
      client.close();
      server.closeAllConnections();
      server.close();
    });
  }
  let rests = 0;
  const learned = async (): Promise<void> => {
    rests += 1;
    const total = pods.reduce((sum, { own }) => sum + own, 0);
    for (const pod of pods) pod.others = total - pod.own;
  };
  return { clients, learned, rests: () => rests };
}

const admitted = ({ requests }: Awaited<ReturnType<typeof exhaustLimit>>): number =>
  requests.filter(({ outcome }) => outcome === 'Admitted').length;
const options = { callers, key: 'demo-a', most: 50, callerTimeoutMs: 5000, windowMs: 60_000, withinMs: 50 };

it('lets pods sync their counts before it sends more requests than the limit', async () => {
  const { clients, learned, rests } = await twoNodes();
  const control = await exhaustLimit({ ...options, clients, sync: { left: LIMIT, learned } }, signal);
  expect(control.exhausted).toBe(true);
  expect(admitted(control)).toBe(LIMIT);
  expect(rests()).toBe(1);
});

it('lets pods sync after each request over what was left, too', async () => {
  const { clients, learned, rests } = await twoNodes();
  // Two were admitted before and never counted.
  const control = await exhaustLimit({ ...options, clients, sync: { left: LIMIT - 2, learned } }, signal);
  expect(admitted(control)).toBe(LIMIT);
  expect(rests()).toBe(3);
});

it('using up a limit without memory for an answer blames no pod', async () => {
  const server = createServer((_, response) => void response.writeHead(200).write('x'.repeat(4000)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const none = { take: () => false, give: () => undefined };
  const client = new PodClient({ name: 'api-0', host: '127.0.0.1', port }, 1, Date.now, undefined, none);
  onTestFinished(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  await expect(exhaustLimit({ ...options, clients: [client] }, signal)).rejects.toThrow(
    /^api-0: .*operator gave up/,
  );
});

it('gives a caller up if no pod rejects it', async () => {
  const { clients } = await twoNodes();
  let rests = 0;
  const learned = async (): Promise<void> => {
    rests += 1;
  };
  const control = await exhaustLimit({ ...options, clients, sync: { left: 0, learned } }, signal);
  expect(control.exhausted).toBe(false);
  expect(rests).toBeLessThanOrEqual(12);
});
