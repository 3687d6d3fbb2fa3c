/** The control of the refill, against a real server on loopback that keeps a bucket. */
import { expect, it } from 'vitest';
import { clientOfPod } from '../../../../test/fixtures/subjects/http/pods.ts';
import { exhaustLimit } from '../interfaces/exhaust-limit.ts';
import { HttpCallers } from '../interfaces/http/http-callers.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import { httpInterfaceSchema } from '../spec/http-schema.ts';
import { controlRefill } from './control-callers.ts';

const { signal } = new AbortController();
const callers = new HttpCallers(httpInterfaceSchema.parse({ path: '/$(key)' }));
const CAPACITY = 10;

/** What the control says of a bucket that gets so many tokens in a second, by a spec that may claim others. */
async function control(perSecond: number, limit: RateLimit): Promise<string> {
  let [tokens, at] = [CAPACITY, performance.now()];
  const client = await clientOfPod((_, response) => {
    const now = performance.now();
    tokens = Math.min(CAPACITY, tokens + ((now - at) * perSecond) / 1000);
    at = now;
    const admits = tokens >= 1;
    if (admits) tokens -= 1;
    response.writeHead(admits ? 200 : 429).end();
  });
  const options = {
    clients: [client],
    callers,
    key: 'demo-a',
    most: 60,
    callerTimeoutMs: 5000,
    windowMs: limit.windowMs,
  };
  const { requests } = await exhaustLimit(options, signal);
  return await controlRefill(limit, requests, options, signal);
}

const bucket = (perSecond: number): RateLimit => ({
  algorithm: 'TokenBucket',
  requests: perSecond * 60,
  windowMs: 60_000,
  capacity: CAPACITY,
});

it('contradicts a spec whose refill is twenty times too fast', async () => {
  await expect(control(1 / 6, bucket(10 / 3))).rejects.toMatchObject({
    name: 'Error',
    message: expect.stringMatching(/0 requests .* limit\.requests 200 in limit\.window 1m [45] /),
  });
});

it('finds a limit that is not kept if more tokens come back', async () => {
  await expect(control(12, bucket(4))).rejects.toMatchObject({
    name: 'InvariantBrokenError',
    message: expect.stringMatching(/ limit\.requests 240 in limit\.window 1m/),
  });
});

it('agrees with a spec that is right', async () => {
  expect(await control(8, bucket(8))).toMatch(/^\d+ requests came back in /);
});
