/** From the annotation that aborts a run in mid-pause to the first write that Redis takes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Benchmark } from '../benchmark.ts';
import { median, quantile } from '../statistics.ts';
import type { World } from '../world.ts';

const ROUNDS = 7;
/** Longer than any abort takes, so that a write that is taken was not taken because the pause was over. */
const PAUSE_MS = 40_000;
/** Redis holds a write back from its next turn on. */
const HELD_MS = 200;

const SPEC = {
  scenarios: [
    {
      name: 'counter-drift',
      type: 'CounterDrift',
      countdown: '0s',
      counterDrift: { pause: `${PAUSE_MS / 1000}s` },
    },
  ],
};

export const abort: Benchmark = {
  name: 'abort',
  what: 'time from an abort to the next write, beside UNPAUSE by hand through the API server',
  async run({ world: start, say }) {
    const world = await start();
    const aborts: number[] = [];
    const byHand: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      aborts.push(await timeAbort(world, `abort-${round}`));
      byHand.push(await timeByHand(world));
      say(`abort ${aborts.at(-1)?.toFixed(0)} ms, by hand ${byHand.at(-1)?.toFixed(0)} ms`);
    }
    return [
      ['median', median(aborts), median(byHand)] as const,
      ['slowest', quantile(aborts, 1), quantile(byHand, 1)] as const,
    ].map(([title, value, hand]) => ({
      what: `abort by annotation to a write taken, ${title}`,
      value,
      unit: 'ms',
      beside: {
        what: `annotation to its event at a watch, then UNPAUSE to a write taken, ${title}`,
        value: hand,
      },
      note: `${ROUNDS} aborts in mid-pause, of pauses of ${PAUSE_MS / 1000} s`,
    }));
  },
};

async function timeAbort(world: World, name: string): Promise<number> {
  await world.create(name, SPEC);
  await world.demos.until(name, 'to prove its pause', ({ status }) =>
    (status?.scenarios ?? []).some(({ fault }) => fault?.proof === 'Confirmed'),
  );
  // Connected only now: before the run it would be a stranger, and the run refused.
  const redis = await connect(world);
  try {
    const { taken } = await heldWrite(redis, name);
    const sentAt = performance.now();
    await world.annotate(name, 'abort', '1');
    const took = (await taken) - sentAt;
    const status = await world.ended(name);
    if (status.phase !== 'Aborted') throw new Error(`${name} ended as ${status.phase}: ${status.message}`);
    return took;
  } finally {
    redis.disconnect();
    await world.delete([name]);
  }
}

/** What nobody who goes through the API server can do better: see the annotation, and unpause. */
async function timeByHand(world: World): Promise<number> {
  const name = 'by-hand';
  await world.create(name, { suspend: true });
  const redis = await connect(world);
  const hand = await connect(world);
  try {
    await hand.call('CLIENT', 'PAUSE', PAUSE_MS, 'WRITE');
    const { taken } = await heldWrite(redis, name);
    const seen = world.demos.until(name, 'to show the annotation', ({ metadata }) => !!metadata.annotations);
    const sentAt = performance.now();
    await world.annotate(name, 'abort', '1');
    await seen;
    await hand.call('CLIENT', 'UNPAUSE');
    return (await taken) - sentAt;
  } finally {
    redis.disconnect();
    hand.disconnect();
    await world.delete([name]);
  }
}

/**
 * Sends a write that the pause holds back; `taken` resolves with when it was taken.
 * @throws when it is taken although Redis should be paused
 */
async function heldWrite(redis: Redis, key: string): Promise<{ taken: Promise<number> }> {
  const taken = redis.set(`bench:${key}`, '1', 'EX', 60).then(() => performance.now());
  if (await Promise.race([taken, sleep(HELD_MS)]))
    throw new Error('Redis took a write, and should be paused');
  return { taken };
}

async function connect({ environment: { redis, redisUsers } }: World): Promise<Redis> {
  const { host, port } = redis;
  const client = new Redis({ host, port, ...redisUsers.admin, lazyConnect: true, maxRetriesPerRequest: 0 });
  await client.connect();
  return client;
}
