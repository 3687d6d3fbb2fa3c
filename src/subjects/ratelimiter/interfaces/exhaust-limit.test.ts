/** Uses a limit up on real servers that sync their counts only after some time. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { PodClient } from '../../http/pod-client.ts';
import { httpInterfaceSchema } from '../spec/http-schema.ts';
import { exhaustLimit } from './exhaust-limit.ts';
import { HttpCallers } from './http/http-callers.ts';

const LIMIT = 6;
const { signal } = new AbortController();
const callers = new HttpCallers(httpInterfaceSchema.parse({ path: '/$(key)' }));

/** Two pods, each with its own count and that of the other, which it gets every 50 ms or never. */
async function twoPods(isSynced = true) {
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
    const client = new PodClient({ name: `node-${i}`, host: '127.0.0.1', port }, Date.now);
    clients.push(client);
    onTestFinished(() => {
      client.close();
      server.closeAllConnections();
      server.close();
    });
  }
  const sync = setInterval(() => {
    const total = pods.reduce((sum, { own }) => sum + own, 0);
    for (const pod of pods) if (isSynced) pod.others = total - pod.own;
  }, 50);
  onTestFinished(() => clearInterval(sync));
  return clients;
}

const admitted = ({ requests }: Awaited<ReturnType<typeof exhaustLimit>>): number =>
  requests.filter(({ outcome }) => outcome === 'Admitted').length;
const options = { callers, key: 'demo-a', most: 50, callerTimeoutMs: 5000, windowMs: 60_000, withinMs: 50 };

it('lets pods sync their counts before it sends more requests than the limit', async () => {
  const clients = await twoPods();
  const control = await exhaustLimit({ ...options, clients, syncAt: LIMIT }, signal);
  expect(control.exhausted).toBe(true);
  expect(admitted(control)).toBe(LIMIT);
});

it.each([1, 3])('sends until a pod rejects %i in a row', async (rejections) => {
  const clients = (await twoPods()).slice(0, 1);
  const { exhausted, requests } = await exhaustLimit({ ...options, clients, rejections }, signal);
  expect({ exhausted, sent: requests.length }).toEqual({ exhausted: true, sent: LIMIT + rejections });
});

it('using up a limit without memory for an answer blames no pod', async () => {
  const server = createServer((_, response) => void response.writeHead(200).write('x'.repeat(4000)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const none = { take: () => false, give: () => undefined };
  const client = new PodClient({ name: 'api-0', host: '127.0.0.1', port }, Date.now, undefined, none);
  onTestFinished(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  await expect(exhaustLimit({ ...options, clients: [client] }, signal)).rejects.toThrow(
    /^api-0: .*operator gave up/,
  );
});
