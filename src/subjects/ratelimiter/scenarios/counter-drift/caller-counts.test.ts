import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DriftUnderTest } from '../../../../../test/fixtures/subjects/ratelimiter/drift-under-test.ts';
import { specSchema } from '../../../../api/index.ts';
import type { StoreConnections } from '../../../redis/client/store-connections.ts';
import { rateLimiterApi } from '../../api.ts';
import { PodClient } from '../../http/pod-client.ts';
import { outcomeOf } from '../../interfaces/caller-request.ts';
import { HttpCallers } from '../../interfaces/http/http-callers.ts';
import { rateLimiterOf } from '../../schema.ts';
import { CallerCounts } from './caller-counts.ts';

const HEADER = 'X-RateLimit-Remaining';
const LIMIT = 10;
const T = 1_000_000;
const never = new AbortController().signal;
const spec = specSchema([rateLimiterApi]).parse({
  rateLimiter: {
    selector: { matchLabels: { app: 'x' } },
    limit: { requests: LIMIT, window: '60s' },
    redis: { service: 'redis' },
    interface: 'HTTP',
    http: { path: '/$(key)', remainingHeader: HEADER },
  },
  scenarios: [{ name: 's', type: 'CounterDrift' }],
});

/** The answer of a node to its next request: admitted or rejected, and the quota in its header. */
type Says = (pod: number) => { readonly admitted: boolean; readonly remaining?: number };

/** Counters over two nodes that answer so, with an invariant and a clock that each request moves on by 20 ms. */
async function watched(says: Says) {
  let at = T;
  const now = (): number => at;
  const limiter = rateLimiterOf(spec);
  const answered = async (pod: number): Promise<PodClient> => {
    const server = createServer((_, response: ServerResponse) => {
      const { admitted, remaining } = says(pod);
      response.writeHead(admitted ? 200 : 429, remaining === undefined ? {} : { [HEADER]: remaining }).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = new PodClient({ name: `api-${pod}`, host: '127.0.0.1', port }, 1, now);
    onTestFinished(() => {
      client.close();
      server.closeAllConnections();
      server.close();
    });
    return client;
  };
  const podClients = [await answered(0), await answered(1)];
  const { http } = limiter;
  if (!http) throw new TypeError('it is no limiter behind HTTP');
  const toolkit = {
    podClients,
    callers: new HttpCallers(http),
    limiter,
    now,
    timeoutMs: 1000,
    redis: { name: 'redis-0' } as StoreConnections,
  };
  const counters = new CallerCounts(toolkit, 10_000);
  await counters.prepare('demo-a', never);
  const invariant = new DriftUnderTest({
    pods: podClients.map(({ pod }) => pod.name),
    limit: LIMIT,
    tolerance: 3,
    lag: 1,
    source: counters.source,
  });
  const span = { startedAt: T, endedAt: T + 2000, until: T + 2000, watchTo: T + 3000 };
  const look = async (): Promise<void> =>
    void invariant.add(await counters.sample('demo-a', () => new Map(), never), span);
  return {
    counters,
    look,
    reading: () => invariant.reading(span),
    /** Sends requests to the nodes in turn, and samples after each answer. */
    async send(requests: number) {
      for (let i = 0; i < requests; i += 1) {
        const client = podClients[i % 2];
        if (!client) throw new RangeError('there is no such pod');
        const { name } = client.pod;
        invariant.sent(name);
        const heard = counters.sending(name);
        const exchange = await client.send(toolkit.callers.requestOf('demo-a'), 1000, never);
        heard?.(exchange);
        at += 20;
        invariant.answered(name, outcomeOf(exchange, toolkit.callers)?.outcome === 'Admitted', at);
        await look();
      }
    },
    async toTheEnd() {
      for (; at <= T + 3000; at += 100) await look();
    },
    sleep(ms: number) {
      at += ms;
    },
  };
}

/** A limiter whose nodes count by `counter`, and report what remains of it. */
function counting(counterOf: (pod: number) => number, rejectionsReport = true): Says {
  const counts = [0, 0];
  return (pod) => {
    const counter = counterOf(pod);
    const used = counts[counter] ?? 0;
    if (used >= LIMIT) return { admitted: false, ...(rejectionsReport && { remaining: 0 }) };
    counts[counter] = used + 1;
    return { admitted: true, remaining: LIMIT - used - 1 };
  };
}

describe('drift by the reported quota', () => {
  it('is what was admitted over the reported quota, if nodes count separately', async () => {
    const { send, reading, toTheEnd } = await watched(counting((pod) => pod));
    await send(40);
    await toTheEnd();
    const { detectedAt, evidence, measures, shortfalls, summary } = reading();
    // Before the last answer with a quota, 17 had been admitted, of which its node had counted 8.
    expect(measures[0]).toEqual({ name: 'drift', value: 9, bound: 4, unit: 'requests', atLeast: true });
    expect(summary).toBe('>= 9 > 4; 20/10');
    expect(detectedAt).toBeDefined();
    expect(evidence[0]).toMatch(/\+0\.34 s.* 9 .* api-0 9, api-1 8; .* api-1 .* 8 /);
    expect(shortfalls).toEqual([
      expect.stringMatching(/^whether .* 2 .* api-0 .* X-RateLimit-Remaining .* 0 remain after 19 /),
    ]);
  });

  it.each([
    ['if rejections report it', true],
    ['if rejections omit it', false],
  ])('reported quota shows no drift of a shared count %s', async (_, reports) => {
    const { send, reading, toTheEnd } = await watched(counting(() => 0, reports));
    await send(60);
    await toTheEnd();
    expect(reading()).toMatchObject({ summary: '0 <= 4; 10/10', shortfalls: [], watchedUntil: T + 3000 });
    expect(reading().detectedAt).toBeUndefined();
  });

  it('is not known of a limiter that admits no caller', async () => {
    const { send, look, reading, toTheEnd } = await watched(() => ({ admitted: false }));
    await look();
    await send(60);
    await toTheEnd();
    expect(reading()).toMatchObject({ summary: '0 <= 4; 0/10' });
    expect(reading().shortfalls).toEqual([expect.stringMatching(/^no request was admitted/)]);
  });

  it('is not known of a limiter that admits every caller and reports no quota', async () => {
    const { send, reading, toTheEnd } = await watched(() => ({ admitted: true }));
    await send(60);
    await toTheEnd();
    expect(reading().detectedAt).toBeUndefined();
    expect(reading().shortfalls.join()).toMatch(
      /whether .* 60 .* api-0 answered without X-RateLimit-Remaining/,
    );
    expect(reading().watchedUntil).toBe(T + 3000);
  });

  it('needs two answers, and those of other nodes between them do not matter', async () => {
    const stuck: Says = (pod) => ({ admitted: true, remaining: pod === 0 ? 8 : 9 });
    const { send, reading } = await watched(stuck);
    await send(6);
    // Of 5 admissions api-1 knows none: the first answer above the bound.
    expect(reading()).toMatchObject({ summary: expect.stringMatching(/^5 > 4/) });
    expect(reading().detectedAt).toBeUndefined();
    expect(reading().shortfalls).toContainEqual(expect.stringMatching(/^a single sample .*above /));
    await send(2);
    expect(reading().detectedAt).toBeDefined();
    expect(reading().shortfalls).not.toContainEqual(expect.stringMatching(/^a single sample /));
  });

  it('is not looked for once the window of the caller may be over', async () => {
    const { send, counters, reading, look, sleep } = await watched(counting(() => 0));
    await send(2);
    sleep(60_000);
    expect((await counters.sample('demo-a', () => new Map(), never)).elsewhere).toEqual(['api-0', 'api-1']);
    await look();
    expect(reading().shortfalls.join()).toContain("the key's window ended");
  });
});
