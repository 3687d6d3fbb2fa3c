import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { clientOfPod } from '../../../../../test/fixtures/subjects/http/pods.ts';
import { limiterSpec } from '../../../../../test/kit/driven-limiter.ts';
import { until } from '../../../../../test/kit/until.ts';
import { HttpCallers } from '../../interfaces/http/http-callers.ts';
import { completed, rateLimiterSchema } from '../../spec/schema.ts';
import { OutageCallers } from './outage-callers.ts';
import { api, OutagePlan } from './plan.ts';

const { signal } = new AbortController();

/** Callers of a limiter that keeps its limit for one caller, and meets all others so. */
async function callersOf(meet: (response: ServerResponse) => void, callerTimeoutMs = 5000) {
  const asked: string[] = [];
  let used = 0;
  const client = await clientOfPod(({ url = '' }, response) => {
    asked.push(url);
    // Nor are those that use a part of their limits.
    if (/-c[1-9]/.test(url)) return response.writeHead(200).end();
    if (!url.endsWith('-c0')) return meet(response);
    used += 1;
    response.writeHead(used > 4 ? 429 : 200).end();
  });
  const limiter = completed(
    rateLimiterSchema.parse({
      selector: { matchLabels: { app: 'x' } },
      redis: { serviceName: 'redis' },
      http: { path: '/$(key)' },
      limit: { requests: 4, window: '60s' },
    }),
  );
  const [scenario] = limiterSpec({}, [
    { name: 's', type: 'StoreOutage', countdown: '1s', storeOutage: { requestsPerSecond: 50 } },
  ]).scenarios;
  if (!scenario) throw new TypeError('there is a scenario');
  const callers = new OutageCallers({
    plan: Object.assign(new OutagePlan(scenario, limiter, api), { callerTimeoutMs }),
    toolkit: {
      callers: new HttpCallers(limiter.http),
      lifetime: signal,
      limiter,
      podClients: [client],
      room: () => ({ release: () => undefined }),
    },
    fixture: 'demo-x',
    phase: () => 'before',
    history: () => undefined,
    until: signal,
  });
  return { asked, callers };
}

async function control(...[meet, timeoutMs]: Parameters<typeof callersOf>): Promise<void> {
  const { callers } = await callersOf(meet, timeoutMs);
  await callers.control(signal);
}

it('callers use the rest of their part at the end of the countdown', async () => {
  const { asked, callers } = await callersOf((response) => response.writeHead(200).end());
  const stop = new AbortController();
  const traffic = callers.traffic(stop.signal);
  const isPart = (url: string): boolean => /-c[1-9]/.test(url);
  await until(() => asked.some(isPart), { what: 'a caller to use its part' });
  stop.abort();
  await traffic;
  // Until then, the traffic of the countdown has sent 200 requests a second.
  expect(asked.findIndex(isPart)).toBeGreaterThan(20);
});

describe('the control of callers within their limit', () => {
  it('reports what turned one away', async () => {
    await expect(control((response) => response.writeHead(429).end())).rejects.toThrow(/rejected by api-0/);
    await expect(control((response) => response.writeHead(500).end())).rejects.toThrow(/an error by api-0/);
  });

  it('advises on the limit only if a caller was rejected', async () => {
    const limit = /rateLimiter\.limit/;
    await expect(control((response) => response.writeHead(429).end())).rejects.toThrow(limit);
    const failed = control((response) => response.writeHead(500).end());
    await expect(failed).rejects.not.toThrow(limit);
    const silent = control(() => undefined, 200);
    await expect(silent).rejects.toThrow(/within storeOutage\.callerTimeout, 200ms/);
    await expect(silent).rejects.not.toThrow(limit);
  });

  it('takes no connection that broke for an answer', async () => {
    await expect(control((response) => response.destroy())).rejects.toThrow(
      /^baseline .*connection .*under its limit to api-0 broke .*logs/,
    );
  });

  it('is passed if all of them are admitted', async () => {
    await control((response) => response.writeHead(200).end());
  });
});
