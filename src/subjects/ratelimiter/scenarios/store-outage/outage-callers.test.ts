import type { ServerResponse } from 'node:http';
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { clientOfPod } from '../../../../../test/fixtures/subjects/http/pods.ts';
import { limiterSpec } from '../../../../../test/kit/driven-limiter.ts';
import { PodClient } from '../../../http/pod-client.ts';
import type { HttpRequest } from '../../../http/request.ts';
import { HttpCallers } from '../../interfaces/http/http-callers.ts';
import { rateLimiterOf } from '../../spec/schema.ts';
import { type OutageCallers, outageCallersOf } from './outage-callers.ts';
import { api, OutagePlan } from './plan.ts';

const { signal } = new AbortController();

/** Callers of a limiter that keeps its limit for one caller, and meets all others so. */
async function control(meet: (response: ServerResponse) => void, callerTimeoutMs = 5000): Promise<void> {
  let used = 0;
  const client = await clientOfPod(({ url = '' }, response) => {
    // Nor are those that use a part of their limits.
    if (/-c[1-9]/.test(url)) return response.writeHead(200).end();
    if (!url.endsWith('-c0')) return meet(response);
    used += 1;
    response.writeHead(used > 4 ? 429 : 200).end();
  });
  await callersOf(client, callerTimeoutMs).control(signal);
}

function callersOf(client: PodClient, callerTimeoutMs: number): OutageCallers {
  const spec = limiterSpec({ http: { path: '/$(key)' }, limit: { requests: 4 } }, [
    { name: 's', type: 'StoreOutage', countdown: '1s', storeOutage: { requestsPerSecond: 50 } },
  ]);
  const limiter = rateLimiterOf(spec);
  const [scenario] = spec.scenarios;
  if (!scenario) throw new TypeError('there is a scenario');
  return outageCallersOf({
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
}

it('callers have used their part a moment before the fault, and no earlier', async () => {
  vi.useFakeTimers({ fakeNodeBuiltins: true }).setTimerTickMode('nextTimerAsync');
  onTestFinished(() => void vi.useRealTimers());
  const from = Date.now();
  const parts: number[] = [];
  const send = async ({ path }: HttpRequest) => {
    const at = Date.now();
    if (/-c[1-9]/.test(path)) parts.push(at - from);
    return { sentAt: at, endedAt: at, answer: { status: 200, body: Buffer.alloc(0) } };
  };
  const client = Object.assign(new PodClient({ name: 'api-0', host: '127.0.0.1', port: 1 }, Date.now), {
    send,
  });
  const stop = new AbortController();
  const traffic = callersOf(client, 5000).traffic(stop.signal);
  // The countdown.
  await pauseFor(1000, signal);
  stop.abort();
  await traffic;
  // A limiter may remember for a second only, and the fault may begin a little early.
  expect(Math.min(...parts)).toBeGreaterThan(500);
  expect(Math.max(...parts)).toBeLessThan(800);
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
