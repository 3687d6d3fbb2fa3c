import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { reconcile, whyNoAccount } from '../../checkers/accounts.ts';
import type { CallerRequest } from '../../history/events.ts';
import { PodClient } from '../../http/pod-client.ts';
import { HttpCallers } from '../../interfaces/http/http-callers.ts';
import { limitOf } from '../../spec/limit-of-spec.ts';
import { completed, rateLimiterSchema } from '../../spec/schema.ts';
import { OutageCallers } from './outage-callers.ts';

const { signal } = new AbortController();
const LIMIT = 8;

/** What a node does while its store is out: how often it counts each request, and what it answers. */
interface Outage {
  readonly counts: number;
  readonly status: number;
  /** Whether it still does so when the accounts are made up. */
  readonly lasts?: boolean;
}

/** Three nodes over one count, and the accounts of a fault in which they did so. */
async function accountsAfter(
  outage: Outage,
  limit = LIMIT,
  held: (url: string) => Promise<void> = async () => undefined,
) {
  const counts = new Map<string, number>();
  let isOut = true;
  const server = createServer(({ url = '' }, response) => {
    const count = counts.get(url) ?? 0;
    if (isOut) {
      if (outage.counts > 0) counts.set(url, count + outage.counts);
      response.writeHead(outage.status).end();
      return;
    }
    counts.set(url, count + 1);
    void held(url).then(() => response.writeHead(count < limit ? 200 : 429).end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clients = ['a', 'b', 'c', 'd'].map(
    (name) =>
      new PodClient({ name, host: '127.0.0.1', port }, 4, () => performance.timeOrigin + performance.now()),
  );
  onTestFinished(() => {
    for (const client of clients) client.close();
    server.closeAllConnections();
    server.close();
  });
  const limiter = completed(
    rateLimiterSchema.parse({
      selector: { matchLabels: { app: 'x' } },
      redis: { service: 'redis' },
      http: { path: '/$(key)' },
      limit: { requests: limit, window: '1h' },
    }),
  );
  const rule = limitOf(limiter);
  const requests: CallerRequest[] = [];
  const accounts = new OutageCallers({
    toolkit: {
      callers: new HttpCallers(limiter.http),
      lifetime: signal,
      limiter,
      podClients: clients,
      room: () => undefined,
    },
    fixture: 'demo-x',
    requestsPerSecond: 1,
    callerTimeoutMs: 5000,
    crossing: 0,
    trafficMs: 0,
    record: (request) => requests.push(request),
    leftOut: () => undefined,
    late: { onAnswer: () => undefined, until: signal },
  });
  await accounts.useAccounts(signal);
  isOut = outage.lasts ?? false;
  const readFrom = performance.timeOrigin + performance.now();
  const pods = clients.map(({ pod }) => pod.name);
  const of = { limit: rule, pods, clockWithinMs: 1000, isOneCaller: false };
  const why = whyNoAccount(rule, !isOut);
  if (why === undefined) await accounts.exhaustAccounts(signal);
  const callers = accounts.accountKeys.map((key) => {
    const own = requests.filter((request) => request.key === key);
    return {
      during: own.filter(({ sentAt }) => sentAt < readFrom),
      after: own.filter(({ sentAt }) => sentAt >= readFrom),
    };
  });
  return { keys: [...counts.keys()], ...reconcile(of, callers, why) };
}

describe('the accounts of callers after a fault', () => {
  it.each<[string, Outage, number, number, number]>([
    ['served and counted', { counts: 1, status: 200 }, 0, 0, 0],
    ['admitted and never counted', { counts: 0, status: 200 }, 9, 0, 0],
    // A caller that got an error sends no more.
    ['counted and not admitted in time', { counts: 1, status: 500 }, 0, 3, 0],
    ['counted twice', { counts: 2, status: 200 }, 0, 0, 9],
    ['neither', { counts: 0, status: 500 }, 0, 0, 0],
  ])('say what was %s', async (_, outage, underCounted, overCounted, withoutRequest) => {
    const { found, measures } = await accountsAfter(outage);
    expect(measures.map(({ value }) => value)).toEqual([underCounted, overCounted]);
    expect(found).toMatchObject({ callers: 3, underCounted, overCounted, withoutRequest });
  });

  it('do not claim that nothing else was counted if a caller had no quota left', async () => {
    const { found, measures } = await accountsAfter({ counts: 2, status: 200 }, 1);
    expect(measures).toMatchObject([{ atLeast: true }, { atLeast: true }]);
    expect(found).toMatchObject({ callers: 3, underCounted: 0, overCounted: 0, hidden: expect.any(Number) });
  });

  it('accounts are unknown while a pod still rejects due to the fault', async () => {
    const { found, measures } = await accountsAfter({ counts: 0, status: 429, lasts: true });
    expect(measures).toEqual([]);
    expect(found).toMatchObject({ code: 'CountsUnknown', callers: 3, why: { code: 'RecoveryNotShown' } });
  });

  it('are made up side by side, since recovery has its time', { timeout: 60_000 }, async () => {
    const waiting = new Set<string>();
    const { promise: allWait, resolve } = Promise.withResolvers<void>();
    const held = async (key: string): Promise<void> => {
      if (waiting.add(key).size === 3) resolve();
      await allWait;
    };
    const { measures } = await accountsAfter({ counts: 0, status: 200 }, LIMIT, held);
    expect(measures[0]).toMatchObject({ name: 'underCounted', value: 9 });
  });

  it('are not made up for a limit that would take long to use up', async () => {
    const { found, keys, measures } = await accountsAfter({ counts: 1, status: 200 }, 201);
    expect(found).toMatchObject({ why: { code: 'LimitTooLarge', most: 200 } });
    expect(measures).toEqual([]);
    expect(keys).toEqual([]);
  });
});
