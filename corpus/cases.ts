/** Everything that is recorded. Cases are numbered by their variations: `dead-node-1` to `dead-node-4`. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bed } from './bed.ts';
import type { Case, Scene, Variation } from './case.ts';

const replica = (index: number): string => `replica-${index + 1}`;
const modes = ['approximate', 'strict', 'approximate', 'strict', 'approximate', 'strict'] as const;

/** Traffic that stays far from its limit, so that counts grow as long as it lasts. */
const roomy = { watch: 'steady', limit: 150, rate: 20, forMs: 6000 } as const;
/** Traffic whose limit is used up in a moment. */
const tight = { watch: 'steady', limit: 10, rate: 60, forMs: 5000 } as const;
const paused = { watch: { type: 'Stall' }, limit: 10, rate: 60, forMs: 3000 } as const;
const broken = { watch: { type: 'Disconnect' }, limit: 10, rate: 10, forMs: 4000 } as const;
const refused = { watch: { type: 'Refuse' }, limit: 10, rate: 10, forMs: 4000 } as const;
const stale = { ...refused, watch: { type: 'StalePrimary' } } as const;
const silent = { ...refused, watch: { type: 'Stall', via: 'Proxy' } } as const;
const late = { ...refused, watch: { type: 'Latency' }, limit: 20, forMs: 5000 } as const;
const lost = { watch: { type: 'DataLoss' }, limit: 10, rate: 10, forMs: 4000 } as const;
const failedOver = { watch: { type: 'Failover' }, limit: 10, rate: 10, forMs: 20_000 } as const;
const burst = { watch: 'burst', limit: 10, rate: 30, forMs: 3000 } as const;

/** `times` variations, in turns of both modes. */
const each = (
  times: number,
  of: (index: number, mode: 'approximate' | 'strict') => Omit<Variation, 'limiter'>,
) =>
  Array.from({ length: times }, (_, index): Variation => {
    const mode = modes[index % modes.length] ?? 'strict';
    return { limiter: { mode }, ...of(index, mode) };
  });

/** An anomaly from `afterMs` on for `forMs`; `begin` labels it with `wrong`. */
const during =
  (afterMs: number, forMs: number, begin: (scene: Scene) => { end: () => void | Promise<void> }) =>
  async (scene: Scene): Promise<void> => {
    await sleep(afterMs);
    const { end } = begin(scene);
    await sleep(forMs);
    await end();
  };

const killNode =
  (index: number) =>
  async ({ bed, wrong }: Scene): Promise<void> => {
    await sleep(1000);
    wrong('replica-unreachable', replica(index));
    await bed.killNode(index);
  };

const cutOff = (index: number, forMs = 3500) =>
  during(1200, forMs, ({ bed, wrong }) => {
    bed.node(index).toRedis?.stall();
    const over = wrong('replica-cut-off', replica(index));
    return {
      end: () => {
        over();
        bed.node(index).toRedis?.restore();
      },
    };
  });

const slowWay = (index: number, ms: number) =>
  during(1200, 3500, ({ bed, wrong }) => {
    bed.node(index).front.delay(ms);
    const over = wrong('replica-slow', replica(index));
    return {
      end: () => {
        over();
        bed.node(index).front.restore();
      },
    };
  });

const slowStore = (ms: number) =>
  during(1200, 3500, ({ bed, wrong }) => {
    for (const link of bed.redisLinks) link.delay(ms);
    const over = wrong('store-slow', 'store');
    return {
      end: () => {
        over();
        for (const link of bed.redisLinks) link.restore();
      },
    };
  });

const freezeStore =
  (forMs: number) =>
  async ({ bed, wrong }: Scene): Promise<void> => {
    await sleep(1200);
    const over = wrong('store-unreachable', 'store');
    await bed.freezeRedis(forMs);
    over();
  };

const restartStore =
  (awayMs: number) =>
  async ({ bed, wrong }: Scene): Promise<void> => {
    await sleep(1500);
    const over = wrong('store-restarted', 'store');
    await bed.restartRedis(awayMs);
    await sleep(1000);
    over();
  };

const starve =
  (index: number, share: number) =>
  async ({ bed, signal, wrong }: Scene): Promise<void> => {
    await sleep(1000);
    const over = wrong('replica-slow', replica(index));
    await bed.starve(index, share, AbortSignal.any([signal, AbortSignal.timeout(3800)]));
    over();
  };

/** From before the traffic on: such a node is deployed at any time. */
const allowsAll = (index: number) => ({
  gateways: true,
  before: (bed: Bed): void => setConduct(bed, index, 'passes-on'),
  act: async ({ bed, wrong }: Scene): Promise<void> => {
    setConduct(bed, index, 'allows-everything');
    wrong('limit-not-enforced', replica(index));
  },
});

function setConduct(
  bed: Bed,
  index: number,
  conduct: 'passes-on' | 'allows-everything' | 'unready-at-times',
): void {
  const { gateway } = bed.node(index);
  if (!gateway) throw new Error('there is no gateway before the pod');
  gateway.conduct = conduct;
}

/** A limiter of the survey that keeps its limit. */
const http = (surveyed: string, variant: string, change: Partial<Variation> = {}): Variation => ({
  limiter: { surveyed, variant },
  ...paused,
  rate: 10,
  ...change,
});

/** A token bucket over HTTP: `limit` requests come back in a minute, and a full one admits `capacity` at once. */
const bucket = (
  variant: string,
  [limit, capacity]: readonly [number, number],
  change: Partial<Variation> = {},
): Variation =>
  http('redis-rate', variant, {
    limit,
    ...change,
    limiter: { surveyed: 'redis-rate', variant, burst: capacity },
  });

export const CASES: readonly Case[] = [
  {
    name: 'healthy',
    says: 'steady traffic, and nothing is done',
    variations: each(6, (index, mode) =>
      mode === 'strict' && index > 2 ? tight : { ...roomy, rate: 15 + 2 * index },
    ),
  },
  {
    name: 'pause',
    says: 'writes of the store are paused under traffic',
    variations: each(6, (index) => ({ ...paused, forMs: 2500 + 500 * index, limit: 10 + 5 * (index % 3) })),
  },
  {
    name: 'burst-uncoordinated',
    says: 'requests arrive together, and each pod decides by its own count',
    variations: Array.from(
      { length: 4 },
      (_, index): Variation => ({
        limiter: { mode: 'approximate' },
        ...burst,
        limit: 10 + 5 * index,
      }),
    ),
  },
  {
    name: 'burst-held',
    says: 'requests come together, and the store decides each of them',
    variations: Array.from(
      { length: 4 },
      (_, index): Variation => ({
        limiter: { mode: 'strict' },
        ...burst,
        limit: 10 + 5 * index,
      }),
    ),
  },
  {
    name: 'dead-node',
    says: 'a pod is killed under traffic',
    variations: each(4, (index) => ({ ...(index < 2 ? roomy : tight), act: killNode(index % 3) })),
  },
  {
    name: 'cut-off-node',
    says: 'a pod loses its connection to the store',
    variations: each(4, (index) => ({ ...roomy, act: cutOff((index + 1) % 3) })),
  },
  {
    name: 'slow-way',
    says: 'the connection to one pod becomes slow',
    variations: each(4, (index) => ({
      ...(index < 2 ? roomy : tight),
      act: slowWay(index % 3, 120 + 80 * index),
    })),
  },
  {
    name: 'starved-node',
    says: 'a pod gets little CPU',
    variations: each(4, (index) => ({ ...roomy, act: starve((index + 2) % 3, 0.1 + 0.05 * index) })),
  },
  {
    name: 'slow-store',
    says: 'every way to the store becomes slow',
    variations: each(4, (index) => ({ ...roomy, act: slowStore(100 + 60 * index) })),
  },
  {
    name: 'frozen-store',
    says: 'the store is stopped; with strict pods they show the symptom',
    variations: each(4, (index) => ({ ...roomy, act: freezeStore(2200 + 400 * index) })),
  },
  {
    name: 'restarted-store',
    says: 'the store is killed and comes back empty',
    variations: each(4, (index) => ({ ...roomy, forMs: 7000, act: restartStore(300 + 300 * index) })),
  },
  {
    name: 'limit-ignored',
    says: 'a pod admits everything',
    variations: [
      ...each(3, (index) => ({ ...tight, limit: 20, ...allowsAll(index) })),
      { limiter: { mode: 'strict' }, ...burst, ...allowsAll(1) },
    ],
  },
  {
    name: 'pause-and-dead-node',
    says: 'writes are paused, and a pod is killed during the pause',
    variations: each(3, (index) => ({ ...paused, forMs: 4000, act: killNode(index) })),
  },
  {
    name: 'pause-and-limit-ignored',
    says: 'writes are paused, and a pod admits everything',
    variations: each(3, (index) => ({ ...paused, forMs: 4000, ...allowsAll((index + 1) % 3) })),
  },
  {
    name: 'cut-off-and-slow',
    says: 'one pod loses its connection to the store, and that to another becomes slow',
    variations: each(3, (index) => ({
      ...roomy,
      act: async (scene) => {
        await Promise.all([cutOff(index)(scene), slowWay((index + 1) % 3, 250)(scene)]);
      },
    })),
  },
  {
    name: 'pause-beside-flapping-health',
    says: 'writes are paused; the health check of one pod fails at times, and the pod answers throughout',
    variations: each(3, (index) => ({
      ...paused,
      gateways: true,
      act: async ({ bed }) => setConduct(bed, index, 'unready-at-times'),
    })),
  },
  {
    name: 'healthy-beside-flapping-health',
    says: 'the health check of one pod fails at times, and nothing else is wrong',
    variations: each(3, (index) => ({
      ...roomy,
      gateways: true,
      act: async ({ bed }) => setConduct(bed, index, 'unready-at-times'),
    })),
  },
  {
    name: 'pause-beside-distant-node',
    says: 'writes are paused; the connection to one pod is slow, as before',
    variations: each(3, (index) => ({ ...paused, before: (bed) => bed.node(index).front.delay(15) })),
  },
  {
    name: 'http-pause',
    says: 'writes of the store are paused under a limiter of another maker',
    variations: [
      http('express-rate-limit', 'default'),
      http('express-rate-limit', 'ioredis-timeout-fail-open'),
      http('rate-limiter-flexible', 'timeout'),
    ],
  },
  {
    name: 'broken-connections',
    says: 'the store accepts no writes, and connections of the pods to it end as soon as they are made',
    variations: [
      ...each(2, (index) => ({ ...broken, forMs: 4000 + 1000 * index })),
      http('rate-limiter-flexible', 'timeout-insurance', broken),
      http('express-rate-limit', 'default', broken),
      http('rate-limiter-flexible', 'timeout', broken),
      bucket('timeout-fail-open', [10, 15], { ...broken, forMs: 3000 }),
      bucket('timeout', [60, 10], broken),
      http('express-rate-limit', 'ioredis-timeout-fail-open', { ...broken, forMs: 5000 }),
      http('fastify-rate-limit', 'timeout-fail-open', broken),
    ],
  },
  {
    name: 'refused-connections',
    says: 'connections of the pods to the store are reset, and no new one is accepted',
    variations: [
      http('express-rate-limit', 'default', refused),
      http('rate-limiter-flexible', 'timeout-insurance', refused),
      http('rate-limiter-flexible', 'timeout', refused),
      bucket('timeout', [60, 10], { ...refused, forMs: 3000 }),
      http('express-rate-limit', 'ioredis-timeout-fail-open', { ...refused, forMs: 5000 }),
      http('fastify-rate-limit', 'timeout-fail-open', refused),
    ],
  },
  {
    name: 'stale-connections',
    says: 'open connections of the pods to the store answer READONLY, and new ones lead to the store',
    variations: [
      http('express-rate-limit', 'default', stale),
      http('rate-limiter-flexible', 'timeout-insurance', stale),
      http('rate-limiter-flexible', 'timeout', stale),
      http('express-rate-limit', 'fail-open', { ...stale, forMs: 3000 }),
      http('koa-ratelimit', 'default', { ...stale, forMs: 5000 }),
      http('express-rate-limit', 'ioredis-timeout-fail-open', stale),
    ],
  },
  {
    name: 'silent-connections',
    says: 'no byte passes between the pods and the store',
    variations: [
      http('express-rate-limit', 'default', silent),
      http('rate-limiter-flexible', 'timeout-insurance', silent),
      http('rate-limiter-flexible', 'timeout', silent),
      http('express-rate-limit', 'ioredis-timeout-fail-open', { ...silent, forMs: 5000 }),
      http('koa-ratelimit', 'default', silent),
      bucket('timeout', [60, 10], { ...silent, forMs: 3000 }),
    ],
  },
  {
    name: 'late-connections',
    says: 'whatever the pods send reaches the store late',
    variations: [
      http('express-rate-limit', 'default', late),
      http('rate-limiter-flexible', 'default', late),
      http('koa-ratelimit', 'default', late),
      bucket('default', [60, 10], late),
      http('express-rate-limit', 'fail-open', { ...late, forMs: 4000 }),
      http('fastify-rate-limit', 'default', late),
    ],
  },
  {
    name: 'lost-counts',
    says: 'the store loses the counts of callers, and nothing else',
    variations: [
      http('express-rate-limit', 'default', lost),
      http('rate-limiter-flexible', 'timeout', lost),
      http('rate-limiter-flexible', 'default', lost),
      http('express-rate-limit', 'fail-open', { ...lost, forMs: 3000 }),
      http('rate-limiter-flexible', 'timeout-insurance', lost),
      http('express-rate-limit', 'ioredis-timeout-fail-open', lost),
    ],
  },
  {
    name: 'failed-over',
    says: 'Sentinel makes a replica the primary of the store, and the former primary a replica',
    variations: [
      http('express-rate-limit', 'default', failedOver),
      http('express-rate-limit', 'default', { ...failedOver, follows: 'ByService' }),
      http('koa-ratelimit', 'default', failedOver),
      http('flask-limiter', 'default', { ...failedOver, follows: 'BySentinel' }),
      http('rate-limiter-flexible', 'timeout-insurance', failedOver),
      http('rate-limiter-flexible', 'timeout', { ...failedOver, follows: 'ByService' }),
      http('fastify-rate-limit', 'default', { ...failedOver, follows: 'ByService' }),
      http('koa-ratelimit', 'default', { ...failedOver, follows: 'ByService' }),
      http('slowapi', 'default', { ...failedOver, follows: 'BySentinel' }),
    ],
  },
  {
    name: 'pause-beside-reconnects',
    says: 'writes of the store are paused; the pods replace each connection that is late',
    variations: [
      bucket('timeout', [60, 10], { forMs: 4000 }),
      bucket('timeout-fail-open', [30, 10], { forMs: 5000 }),
      bucket('timeout-fail-open', [20, 5], { forMs: 3000, rate: 20 }),
    ],
  },
  {
    name: 'http-burst',
    says: 'requests come together at a limiter of another maker',
    variations: [
      http('express-rate-limit', 'default', { watch: 'burst' }),
      http('rate-limiter-flexible', 'timeout', { watch: 'burst' }),
      http('koa-ratelimit', 'default', { watch: 'burst' }),
    ],
  },
  {
    name: 'bucket-held',
    says: 'a token bucket whose burst is not what comes back in a window, and nothing is done',
    heldBack: true,
    variations: [
      bucket('default', [60, 10], { watch: 'burst' }),
      bucket('timeout', [10, 15], { watch: 'burst' }),
      bucket('default', [60, 10], { watch: 'steady', forMs: 5000 }),
    ],
  },
  {
    name: 'bucket-pause',
    says: 'writes of the store are paused under a token bucket whose burst is not what comes back in a window',
    heldBack: true,
    variations: [
      bucket('default', [20, 5]),
      bucket('timeout', [60, 10]),
      bucket('timeout-fail-open', [10, 15]),
    ],
  },
  {
    name: 'bucket-limit-ignored',
    says: 'requests arrive together at a token bucket, and one of its pods admits everything',
    heldBack: true,
    variations: [
      bucket('default', [20, 5], { watch: 'burst', ...allowsAll(1) }),
      bucket('timeout', [10, 15], { watch: 'burst', ...allowsAll(0) }),
    ],
  },
  {
    name: 'bucket-dead-node',
    says: 'a pod of a token bucket over HTTP is killed under traffic',
    heldBack: true,
    variations: [
      bucket('default', [60, 10], { watch: 'steady', forMs: 5000, act: killNode(2) }),
      bucket('timeout', [10, 15], { watch: 'steady', forMs: 5000, act: killNode(0) }),
    ],
  },
];
