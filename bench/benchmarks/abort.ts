/** From the annotation that aborts a run in mid-pause to the first write that Redis takes. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { ChaosDemoStatus, Phase } from '../../src/api/index.ts';
import { isConfirmed } from '../../test/kit/status.ts';
import { redisAs } from '../../test/kit/target.ts';
import type { Benchmark } from '../benchmark.ts';
import { median, quantile } from '../statistics.ts';
import type { Testbed } from '../testbed.ts';

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
      expect: 'Violated',
      countdown: '0s',
      counterDrift: { fault: { duration: `${PAUSE_MS / 1000}s` } },
    },
  ],
};

export const abort: Benchmark = {
  name: 'abort',
  what: 'time from an abort to the next write, compared with UNPAUSE by hand through the API server',
  async run({ testbed: start, say }) {
    const testbed = await start();
    const aborts: number[] = [];
    const byHand: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      aborts.push(await timeAbort(testbed, `abort-${round}`));
      byHand.push(await timeByHand(testbed, `by-hand-${round}`));
      say(`abort ${aborts.at(-1)?.toFixed(0)} ms, by hand ${byHand.at(-1)?.toFixed(0)} ms`);
    }
    return [
      ['median', median(aborts), median(byHand)] as const,
      ['slowest', quantile(aborts, 1), quantile(byHand, 1)] as const,
    ].map(([title, value, hand]) => ({
      what: `abort by annotation to a write taken, ${title}`,
      value,
      unit: 'ms',
      baseline: {
        what: `annotation to its event at a watch, then UNPAUSE to a write taken, ${title}`,
        value: hand,
      },
      note: `${ROUNDS} aborts in mid-pause, of pauses of ${PAUSE_MS / 1000} s`,
    }));
  },
};

async function timeAbort(testbed: Testbed, name: string): Promise<number> {
  return await timeInPause(testbed, name, async () => {
    await testbed.annotate(name, 'abort', '1');
    return 'Aborted';
  });
}

/** The least that any way through the API server takes in such a run: see an annotation, and unpause. */
async function timeByHand(testbed: Testbed, name: string): Promise<number> {
  return await timeInPause(testbed, name, async (hand) => {
    const seen = testbed.watch.until(
      name,
      `the annotation of ${name}`,
      ({ metadata }) => !!metadata.annotations,
    );
    await testbed.annotate(name, 'advance', 'by hand');
    await seen;
    await hand.call('CLIENT', 'UNPAUSE');
    return undefined;
  });
}

/**
 * From the call of `release` in the pause of a new run to the first write that is taken; milliseconds.
 * @param release returns the phase in which it ends the run, if it does
 */
async function timeInPause(
  testbed: Testbed,
  name: string,
  release: (hand: Redis) => Promise<Phase | undefined>,
): Promise<number> {
  await testbed.create(name, SPEC);
  await testbed.untilStatus(name, `the pause of ${name} to be confirmed`, isConfirmed);
  // Connected only now: before the run they would be strangers, and the run refused.
  const [redis, hand] = await Promise.all([
    redisAs(testbed.environment, 'admin'),
    redisAs(testbed.environment, 'admin'),
  ]);
  try {
    const { taken } = await heldWrite(redis, name);
    const sentAt = performance.now();
    const expected = await release(hand);
    const took = (await taken) - sentAt;
    const { message, phase }: ChaosDemoStatus = expected ? await testbed.ended(name) : {};
    if (phase !== expected) throw new Error(`${name} ended as ${phase}: ${message}`);
    return took;
  } finally {
    redis.disconnect();
    hand.disconnect();
    await testbed.clear([name]);
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
