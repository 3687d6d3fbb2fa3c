/** Memory and processor time of the operator: with nothing to do, with thousands of finished objects, with 20 runs, of which five are active at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosDemoStatus } from '../../src/api/index.ts';
import type { Benchmark, Row } from '../benchmark.ts';
import { Fleet } from '../fleet/fleet.ts';
import { forEach } from '../for-each.ts';
import {
  cpuSeconds,
  heapMiB,
  type Metrics,
  metric,
  reconciles,
  residentMiB,
  statusWrites,
} from '../operator-metrics.ts';
import { mean, median } from '../statistics.ts';
import { names, type Testbed } from '../testbed.ts';

const FINISHED = [2000, 10_000];
const RUNS = 20;
/** How long the operator is not measured after its start, and how long it is measured idle. */
const SETTLE_MS = 10_000;
const WATCH_MS = 60_000;
const SAMPLE_MS = 500;
/** Of one with nothing to do: to be scraped is most of its work. */
const IDLE_SAMPLE_MS = 5_000;

/** A whole demo, but for the time in which nothing happens. */
const SPEC = {
  scenarios: [
    { name: 'counter-drift', type: 'CounterDrift', expect: 'Violated', countdown: '0s' },
    { name: 'ghost-allowing', type: 'GhostAllowing', expect: 'Violated', countdown: '0s' },
  ],
};

export const footprint: Benchmark = {
  name: 'footprint',
  what: `operator memory and CPU: idle, with ${FINISHED.join(' and ')} finished objects, with ${RUNS} runs, five at once`,
  async run({ testbed: start, say }) {
    const testbed = await start();
    say(`watching an idle operator for ${WATCH_MS / 1000} s`);
    await testbed.restartOperator();
    const idle = await watchIdle(testbed);
    say('one run');
    await testbed.restartOperator();
    const one = await watchRuns(testbed, [{}]);
    const finished = await withFinished(testbed, one.statuses[0] ?? {}, say);
    say(`starting ${RUNS} rate limiters, each with its own Redis; registering their pods takes a while`);
    const many = await withFleet(testbed, say);
    return [
      ...idleRows(idle),
      ...finished.flatMap(({ count, usage }) => finishedRows(count, usage, idle)),
      ...runRows(one, many, idle),
    ];
  },
};

/** What the operator used over some time. */
interface Usage {
  /** The median: it grows and is collected by turns. */
  readonly residentMiB: number;
  readonly peakMiB: number;
  readonly heapMiB: number;
  /** Percent of one core. */
  readonly cpu: number;
  readonly seconds: number;
}

/**
 * Waits until the operator has settled after its start, then samples it from
 * before `work` begins until it has ended. @throws what `work` throws
 */
async function watchUsage<T>(
  testbed: Testbed,
  work: () => Promise<T>,
  sampleMs = SAMPLE_MS,
): Promise<{ readonly usage: Usage; readonly result: T }> {
  await sleep(SETTLE_MS, undefined, { signal: testbed.signal });
  const first = await testbed.metrics();
  const resident = [residentMiB(first)];
  const heap = [heapMiB(first)];
  let last = first;
  let ended = false;
  const startedAt = performance.now();
  const working = work();
  // A failure is reported at the end.
  const end = working.then(
    () => void (ended = true),
    () => void (ended = true),
  );
  while (!ended) {
    await Promise.race([end, sleep(sampleMs, undefined, { signal: testbed.signal })]);
    last = await testbed.metrics();
    resident.push(residentMiB(last));
    heap.push(heapMiB(last));
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const usage = {
    residentMiB: median(resident),
    peakMiB: Math.max(...resident),
    heapMiB: mean(heap),
    cpu: ((cpuSeconds(last) - cpuSeconds(first)) / seconds) * 100,
    seconds,
  };
  return { usage, result: await working };
}

async function watchIdle(testbed: Testbed): Promise<Usage> {
  const wait = (): Promise<void> => sleep(WATCH_MS, undefined, { signal: testbed.signal });
  const { usage } = await watchUsage(testbed, wait, IDLE_SAMPLE_MS);
  return usage;
}

/** Runs with these in their specs, all at once, from creating them to the last verdict, by an operator that has made none. */
async function watchRuns(testbed: Testbed, specs: readonly object[]): Promise<Runs> {
  const all = names('run', specs.length);
  const { usage, result: statuses } = await watchUsage(testbed, async () => {
    await forEach(
      all,
      async (name) => void (await testbed.create(name, { ...SPEC, ...specs[all.indexOf(name)] })),
    );
    return await Promise.all(all.map((name) => testbed.ended(name)));
  });
  mustSucceed(statuses);
  const metrics = await metricsOfNoRun(testbed);
  await testbed.clear(all);
  return { usage, statuses, writes: statusWrites(metrics) / specs.length };
}

/**
 * Metrics once no run is active. A verdict can be read a moment before the operator counts its run as ended.
 * @throws as `until`
 */
export async function metricsOfNoRun(testbed: Pick<Testbed, 'metrics' | 'until'>): Promise<Metrics> {
  let metrics = await testbed.metrics();
  await testbed.until('no run to be active', async () => {
    if (metric(metrics, 'chaosdemo_runs_active') === 0) return true;
    metrics = await testbed.metrics();
    return false;
  });
  return metrics;
}

/** @throws when a run was cut short or saw too little: what it used is not what a whole run uses */
function mustSucceed(statuses: readonly ChaosDemoStatus[]): void {
  const other = statuses.find(({ phase }) => phase !== 'Succeeded');
  if (!other) return;
  throw new Error(
    `every run should succeed, and they ended as ${tally(statuses)}; one of the others says: ${other.message}. ` +
      'A machine that is too busy to sample is the usual cause',
  );
}

interface Finished {
  readonly count: number;
  readonly usage: Usage;
}

/** Each time the operator is new and finds more objects that carry the status of a run that was really made. */
async function withFinished(
  testbed: Testbed,
  status: ChaosDemoStatus,
  say: (line: string) => void,
): Promise<Finished[]> {
  const all = names('finished', Math.max(...FINISHED));
  const finished: Finished[] = [];
  let made = 0;
  for (const count of FINISHED) {
    say(`watching an operator with ${count} finished objects`);
    await testbed.restartOperator(async () => {
      await forEach(all.slice(made, count), async (name) => {
        const demo = await testbed.create(name, SPEC);
        await testbed.storeStatus(demo, { ...status, observedGeneration: demo.metadata.generation });
      });
    });
    made = count;
    await testbed.until(
      'every object to be reconciled',
      async () => reconciles(await testbed.metrics()) >= count,
    );
    finished.push({ count, usage: await watchIdle(testbed) });
    const active = metric(await testbed.metrics(), 'chaosdemo_runs_active');
    if (active !== 0) throw new Error('an object that was finished has started a run');
  }
  await testbed.clear(all);
  return finished;
}

async function withFleet(testbed: Testbed, say: (line: string) => void) {
  const fleet = await Fleet.start(testbed, RUNS);
  try {
    await testbed.restartOperator();
    say(`${RUNS} runs, five at once`);
    return await watchRuns(
      testbed,
      fleet.rateLimiters.map((rateLimiter) => ({ rateLimiter })),
    );
  } finally {
    await fleet.stop();
  }
}

function idleRows(idle: Usage): Row[] {
  const note = `nothing to do; ${WATCH_MS / 1000} s from ${SETTLE_MS / 1000} s after the start`;
  return [
    {
      what: 'idle: resident memory, median',
      value: idle.residentMiB,
      unit: 'MiB',
      baseline: { what: 'highest sample', value: idle.peakMiB },
      note,
    },
    { what: 'idle: processor', value: idle.cpu, unit: '% of a core', note },
  ];
}

function finishedRows(count: number, finished: Usage, idle: Usage): Row[] {
  const note = `each with the status of a whole run; watched as when idle; at most ${finished.peakMiB.toFixed(0)} MiB`;
  const title = `${count} finished objects`;
  return [
    {
      what: `${title}: resident memory, median`,
      value: finished.residentMiB,
      unit: 'MiB',
      baseline: { what: 'idle, median', value: idle.residentMiB },
      note,
    },
    {
      what: `${title}: processor`,
      value: finished.cpu,
      unit: '% of a core',
      baseline: { what: 'idle', value: idle.cpu },
      note,
    },
    {
      what: `${title}: heap for each, beyond idle`,
      value: ((finished.heapMiB - idle.heapMiB) * 1024) / count,
      unit: 'KiB',
      note: 'mean of samples, garbage that is not collected yet included',
    },
  ];
}

interface Runs {
  readonly usage: Usage;
  readonly statuses: readonly ChaosDemoStatus[];
  /** Of a status, for each run. */
  readonly writes: number;
}

function runRows(one: Runs, many: Runs, idle: Usage): Row[] {
  const note = `whole demos, from creating them to the last verdict: ${tally(many.statuses)}`;
  const title = `${RUNS} runs, five at once`;
  return [
    {
      what: '1 run: peak of resident memory',
      value: one.usage.peakMiB,
      unit: 'MiB',
      baseline: { what: 'idle, peak', value: idle.peakMiB },
      note: tally(one.statuses),
    },
    { what: '1 run: processor', value: one.usage.cpu, unit: '% of a core', note: tally(one.statuses) },
    {
      what: `${title}: peak of resident memory`,
      value: many.usage.peakMiB,
      unit: 'MiB',
      baseline: { what: '1 run, peak', value: one.usage.peakMiB },
      note,
    },
    {
      what: `${title}: processor`,
      value: many.usage.cpu,
      unit: '% of a core',
      baseline: { what: '1 run', value: one.usage.cpu },
      note,
    },
    {
      what: `${title}: until the last has ended`,
      value: many.usage.seconds,
      unit: 's',
      baseline: { what: '1 run', value: one.usage.seconds },
      note,
    },
    {
      what: `${title}: status writes for each`,
      value: many.writes,
      unit: '',
      baseline: { what: '1 run', value: one.writes },
      note,
    },
    {
      what: `${title}: times that a fault was planned`,
      value: plans(many.statuses),
      unit: '',
      baseline: { what: '1 run', value: plans(one.statuses) },
      note: `1 is best: a fault that misses its moment is planned again. ${tally(many.statuses)}`,
    },
  ];
}

/** How often each fault was planned, on average. */
function plans(statuses: readonly ChaosDemoStatus[]): number {
  return mean(statuses.flatMap(({ scenarios = [] }) => scenarios.map(({ retries = 0 }) => retries + 1)));
}

/** "19 Succeeded, 1 Errored" */
function tally(statuses: readonly ChaosDemoStatus[]): string {
  const counts = new Map<string, number>();
  for (const { phase = 'Pending' } of statuses) counts.set(phase, (counts.get(phase) ?? 0) + 1);
  return [...counts].map(([phase, count]) => `${count} ${phase}`).join(', ');
}
