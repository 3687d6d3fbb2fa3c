/**
 * Detection latency, as runs report it in `scenarios[].measures`, compared with the time of the samples
 * that a detection needs: one for over-admission, two for drift, timed in the same run.
 */
import { DETECTED_AFTER, type ScenarioStatus } from '../../src/api/index.ts';
import { SAMPLE_EVERY_MS } from '../../src/subjects/ratelimiter/interfaces/counts.ts';
import type { Benchmark, Row } from '../benchmark.ts';
import { quantile } from '../statistics.ts';
import { timeLooks } from './looks.ts';

type ScenarioType = 'CounterDrift' | 'GhostAllowing';

/** Detections of each of the two. */
const WANTED = 20;
/** Looks that are timed after each run, so that a busy moment hits both. */
const LOOKS = 10;
/** Samples in a row that have to show it. */
const NEEDED = { CounterDrift: 2, GhostAllowing: 1 } as const satisfies Record<ScenarioType, number>;
/** A machine that stands still makes a run Inconclusive; so many more runs are made for that. */
const MOST_RUNS = 30;

/** Short, since the latency does not depend on how long a fault lasts. */
const SPEC = {
  scenarios: [
    {
      name: 'counter-drift',
      type: 'CounterDrift',
      expect: 'Violated',
      countdown: '0s',
      counterDrift: { fault: { duration: '3s' }, settle: '1s' },
    },
    { name: 'ghost-allowing', type: 'GhostAllowing', expect: 'Violated', countdown: '0s', ghostAllowing: {} },
  ],
};

export const detection: Benchmark = {
  name: 'detection',
  what: `detection latency over ${WANTED} detections of each anomaly, compared with the samples that it needs`,
  async run({ testbed: start, say }) {
    const testbed = await start();
    const latencies: Record<ScenarioType, number[]> = { CounterDrift: [], GhostAllowing: [] };
    const missing = (): boolean => Object.values(latencies).some(({ length }) => length < WANTED);
    const looks: number[] = [];
    let runs = 0;
    while (missing()) {
      if (runs === MOST_RUNS) throw new Error(tooFew(latencies));
      const name = `detection-${runs++}`;
      await testbed.create(name, SPEC);
      const status = await testbed.ended(name);
      for (const { measures, type } of status.scenarios ?? []) {
        const ms = measures?.[DETECTED_AFTER];
        if (ms !== undefined) latencies[type as ScenarioType].push(ms);
      }
      say(`${name}: ${status.phase}, ${status.scenarios?.map(described).join(', ')}`);
      await testbed.clear([name]);
      looks.push(...(await timeLooks(testbed, LOOKS)));
    }
    return [
      ...rowsOf('drift', latencies.CounterDrift, { looks, needed: NEEDED.CounterDrift, runs }),
      ...rowsOf('over-admission', latencies.GhostAllowing, { looks, needed: NEEDED.GhostAllowing, runs }),
    ];
  },
};

const described = ({ measures, name, reason, result }: ScenarioStatus): string =>
  `${name} ${result ?? 'without result'} ${measures?.[DETECTED_AFTER] ?? reason ?? ''}`.trim();

const tooFew = ({ CounterDrift, GhostAllowing }: Record<ScenarioType, number[]>): string =>
  `${MOST_RUNS} runs detected drift ${CounterDrift.length} times and ghosts ${GhostAllowing.length} times, ` +
  `and ${WANTED} were wanted. Lines above say why; a machine that is too busy to sample is the usual cause`;

function rowsOf(
  what: string,
  samples: readonly number[],
  {
    looks,
    needed,
    runs,
  }: { readonly looks: readonly number[]; readonly needed: number; readonly runs: number },
): Row[] {
  // Of so few samples p99 is no quantile but the worst that happened.
  const worst = `p99 (the slowest of ${samples.length})`;
  return [['p50', 0.5] as const, [worst, 0.99] as const].map(([title, share]) => ({
    what: `${what}: broken to detected, ${title}`,
    value: quantile(samples, share),
    unit: 'ms',
    baseline: {
      what: `${needed === 1 ? 'one sample' : `${needed} samples`} of the counters, ${title.replace(/ \(.*/, '')}`,
      value: needed * quantile(looks, share),
    },
    note: `${samples.length} detections in ${runs} runs; ${looks.length} samples. The operator takes one every ${SAMPLE_EVERY_MS} ms`,
  }));
}
