import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { ConnectionBudget } from '../../http/connection-budget.ts';
import { injectBurstTraffic } from './check-burst.ts';

const { signal } = new AbortController();

/** A limiter of one node that admits `limit` requests in all, and notes its requests. */
async function limiter(limit: number) {
  const received: string[] = [];
  let left = limit;
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.once('end', () => {
      received.push(`${request.method} ${request.url} ${body}`.trim());
      const allowed = request.method === 'POST' && left-- > 0;
      const status = request.method === 'GET' || allowed ? 200 : 429;
      const answer = { allowed, limit, windowId: 'w', windowEndsAt: 5 };
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { pod: { name: 'rl-0', host: '127.0.0.1', port }, received };
}

const optionsFor = (pods: { name: string; host: string; port: number }[], requests: number) => ({
  pods,
  key: 'demo-a&b',
  windowId: 'w',
  requests,
  timeoutMs: 10_000,
  budget: new ConnectionBudget(100).onBehalfOf('shop'),
});

it('sends every pod the same number of requests, and counts the admissions', async () => {
  const one = await limiter(2);
  const other = await limiter(2);
  const pods = [one.pod, { ...other.pod, name: 'rl-1' }];
  const result = await injectBurstTraffic(optionsFor(pods, 10), signal);
  expect(result).toMatchObject({
    requests: 10,
    admitted: 4,
    rejected: 6,
    errors: 0,
    timeouts: 0,
  });
  expect(result.firstError).toBeUndefined();
  expect([...result.sent]).toEqual([
    ['rl-0', 5],
    ['rl-1', 5],
  ]);
  expect([...result.admittedBy]).toEqual([
    ['rl-0', 2],
    ['rl-1', 2],
  ]);
  expect(result.admittedAt).toHaveLength(4);
  expect(result.admittedAt).toEqual(result.admittedAt.toSorted((a, b) => a - b));
  const times = (count: number, line: string) => Array.from({ length: count }, () => line);
  // Eight wake-up requests before the burst and eight right before it change nothing.
  expect(one.received.toSorted()).toEqual([
    ...times(16, 'GET /limit?key=demo-a%26b'),
    ...times(5, 'POST /check {"key":"demo-a&b"}'),
  ]);
});

it('takes no answer for another window', async () => {
  const one = await limiter(2);
  const result = await injectBurstTraffic({ ...optionsFor([one.pod], 3), windowId: 'x' }, signal);
  expect(result).toMatchObject({ admitted: 0, rejected: 0, errors: 3 });
  expect(result.firstError).toMatch(/^rl-0: POST \/check: .*for window w, .*not begun/);
});
