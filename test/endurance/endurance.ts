/** Run after run in one process, several at once, and what the process holds after each. */
import { randomBytes } from 'node:crypto';
import type { KubeApi } from '@chaosdemo/kube-runtime';
import { demo, demoSpec, drift, ghosts } from '../kit/demo.ts';
import { Demos } from '../kit/demos.ts';
import { type Held, held } from '../kit/memory.ts';
import { until } from '../kit/until.ts';
import type { EnduranceWorld } from './world.ts';

/** An object is created again after so many runs. */
const RUNS_OF_AN_OBJECT = 5;

export interface EnduranceOptions {
  readonly client: KubeApi;
  readonly world: EnduranceWorld;
  /** Over all objects together. */
  readonly runs: number;
  readonly say?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface EnduranceReport {
  /** How runs ended, and how many of them. */
  readonly verdicts: Readonly<Record<string, number>>;
  /** With every object gone. */
  readonly settled: Held;
  readonly tookMs: number;
}

/** A short story that injects both faults, with time enough for a busy machine to begin each. */
const STORY = {
  scenarios: [
    drift({
      countdown: '1s',
      counterDrift: { fault: { duration: '3s' }, requestsPerSecond: 60, settle: '1s' },
    }),
    ghosts({ countdown: '1s' }),
  ],
};

/** Makes `runs` runs, one at a time on each target. @throws where a run has no end, or `signal` aborted */
export async function endure({
  client,
  runs,
  say,
  signal,
  world,
}: EnduranceOptions): Promise<EnduranceReport> {
  const verdicts: Record<string, number> = {};
  const start = performance.now();
  let begun = 0;
  let ended = 0;
  // No object has the name of an earlier one: what is kept under a name would go over to it, and not grow.
  const series = randomBytes(4).toString('hex');
  const work = async (namespace: string): Promise<void> => {
    const demos = new Demos(client, namespace, signal);
    for (let own = 1; begun < runs; own += 1) {
      begun += 1;
      const runId = String(own);
      const name = `story-${series}-${Math.ceil(own / RUNS_OF_AN_OBJECT)}`;
      await demos.applyObject(demo({ name, namespace }, demoSpec({ ...STORY, runId })));
      const { run } = await demos.untilStatus(
        name,
        `the end of run ${runId}`,
        (status) => status.run?.runId === runId && status.run.completedAt !== undefined,
      );
      const verdict = `${run?.phase} ${run?.reason}`;
      verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
      if (own % RUNS_OF_AN_OBJECT === 0) await demos.delete(name);
      ended += 1;
      if (ended % 20 === 0) say?.(`${ended} runs: ${describeHeld(held())}`);
    }
    await demos.deleteAll();
  };
  const operatorEnded = world.operator.ended.then(() => {
    throw new Error('the operator ended');
  });
  await Promise.race([Promise.all(world.namespaces.map(work)), operatorEnded]);
  return { verdicts, settled: held(), tookMs: performance.now() - start };
}

/** A line of what is held. */
export function describeHeld({ descriptors, heapMiB, sockets, timers }: Held): string {
  return `heap ${heapMiB.toFixed(1)} MiB, ${descriptors.toFixed(1)} descriptors, ${sockets.toFixed(1)} sockets, ${timers.toFixed(1)} timers`;
}

/** Longer than any connection is kept without use. */
const SETTLED_MS = 90_000;

/**
 * What has grown since `early`, when no object was there either, a line each. A connection that is not used any more
 * ends a moment later; what leaks stays.
 */
export async function grownSince(early: Held): Promise<string[]> {
  await until(() => growth(early, held()).length === 0, { deadlineMs: SETTLED_MS }).catch(() => {});
  return growth(early, held());
}

/**
 * By how much a later look may lie above an earlier one. Connections to the API server come and go. At rest there are
 * two timers for each watch, one for the lead and one for the clock; one more is a request of just then.
 */
const TOLERANCE = { share: 0.05, heapMiB: 2, descriptors: 3, sockets: 3, timers: 1 } as const;

/** What has grown beyond the tolerance from `early` to `late`, a line each. */
function growth(early: Held, late: Held): string[] {
  return (['heapMiB', 'descriptors', 'sockets', 'timers'] as const).flatMap((figure) => {
    const most = early[figure] * (1 + TOLERANCE.share) + TOLERANCE[figure];
    return late[figure] <= most
      ? []
      : [
          `${figure} grew from ${early[figure].toFixed(1)} to ${late[figure].toFixed(1)}, more than ${most.toFixed(1)}`,
        ];
  });
}
