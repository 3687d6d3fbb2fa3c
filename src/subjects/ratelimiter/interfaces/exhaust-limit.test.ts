/** Uses a limit up on real servers that sync their counts only after some time. */
import { expect, it, onTestFinished } from 'vitest';
import { clientOfPod } from '../../../../test/fixtures/subjects/http/pods.ts';
import type { PodClient } from '../../http/pod-client.ts';
import { httpInterfaceSchema } from '../spec/http-schema.ts';
import { exhaustLimit } from './exhaust-limit.ts';
import { HttpCallers } from './http/http-callers.ts';

const LIMIT = 6;
const { signal } = new AbortController();
const callers = new HttpCallers(httpInterfaceSchema.parse({ path: '/$(key)' }));

/** Two pods, each with its own count and that of the other, which it gets every 50 ms. */
async function twoPods() {
  const pods = [0, 1].map(() => ({ own: 0, others: 0 }));
  const clients: PodClient[] = [];
  for (const counts of pods) {
    const client = await clientOfPod((_, response) => {
      const admits = counts.own + counts.others < LIMIT;
      if (admits) counts.own += 1;
      response.writeHead(admits ? 200 : 429).end();
    });
    clients.push(client);
  }
  const sync = setInterval(() => {
    const total = pods.reduce((sum, { own }) => sum + own, 0);
    for (const pod of pods) pod.others = total - pod.own;
  }, 50);
  onTestFinished(() => clearInterval(sync));
  return clients;
}

const admitted = ({ requests }: Awaited<ReturnType<typeof exhaustLimit>>): number =>
  requests.filter(({ outcome }) => outcome === 'Admitted').length;
const options = { callers, key: 'demo-a', most: 50, callerTimeoutMs: 5000, windowMs: 100 };

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
  const memory = { take: () => false, give: () => undefined };
  const client = await clientOfPod((_, response) => void response.write('x'.repeat(4000)), { memory });
  await expect(exhaustLimit({ ...options, clients: [client] }, signal)).rejects.toThrow(
    /^api-0: .*operator gave up/,
  );
});
