/** Makes the runs of the survey, several at the same time, at one API server and one operator. */

import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { messageOf, type Supervisor, startControlPlane } from '@chaosdemo/testbed';
import { NO_COOLDOWN, startOperator } from '../src/local/operator.ts';
import { ensureControlPlaneBinaries } from '../tools/binaries/control-plane.ts';
import { formatElapsed } from '../tools/binaries/progress.ts';
import { ensureRedis } from '../tools/binaries/redis.ts';
import { eachAtOnce, turns } from './at-once.ts';
import { DemoWatch } from './demo-watch.ts';
import type { ResultsFile, SurveyedRun, Which } from './results.ts';
import type { SurveyedFault } from './runner/demo.ts';
import type { SurveyedLimiter, Variant } from './runner/limiter.ts';
import { surveyVariant } from './survey-variant.ts';

const crds = fileURLToPath(new URL('../crds', import.meta.url));

/** One configuration that is to be surveyed. */
export interface Subject {
  readonly which: Which;
  readonly limiter: SurveyedLimiter;
  readonly variant: Variant;
  /** Where its program is installed. */
  readonly app: string;
}

/** A run that is to be made. */
export interface Job {
  readonly subject: Subject;
  /** The `time`th of `times` of this subject. */
  readonly time: number;
  readonly times: number;
}

/** What surveyAll takes. */
export interface SurveyAllOptions {
  readonly results: ResultsFile;
  readonly supervisor: Supervisor;
  readonly fault: SurveyedFault;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** Runs at the same time; each has its own namespace, Redis and ports. */
  readonly atOnce: number;
}

/** Makes them all; each result is kept as it comes. Throws the reason of the signal, or why operator or API server ended. */
export async function surveyAll(jobs: readonly Job[], options: SurveyAllOptions): Promise<void> {
  if (jobs.length === 0) return;
  const { atOnce, fault, results, say, supervisor } = options;
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  await ensureRedis({ progress: say, signal });
  const binaries = await ensureControlPlaneBinaries({ progress: say, signal });
  const controlPlane = await startControlPlane({ binaries, supervisor, signal });
  const { apiServer, etcd, kubectl } = controlPlane;
  await kubectl.applyCustomResourceDefinitions(crds, { signal });
  const namespaces = Array.from({ length: Math.min(atOnce, jobs.length) }, (_, lane) => `survey-${lane + 1}`);
  const operator = await startOperator({ controlPlane, supervisor }, { args: [NO_COOLDOWN], signal });
  await kubectl.apply(namespaces.flatMap(enabledNamespace), { signal });
  for (const vital of [operator.process, apiServer, etcd]) {
    void vital.exited.then(() => failed.abort(vital.exitError()));
  }
  const demos = new DemoWatch(kubectl.kubeconfig);
  const inTurn = turns();
  const start = performance.now();
  let done = 0;
  try {
    await eachAtOnce([...jobs.entries()], atOnce, async ([index, job], lane) => {
      const { app, limiter, variant, which } = job.subject;
      const folder = supervisor.temporaryFolder(`survey-${limiter.name}`);
      const name = `${limiter.name}-${index + 1}`;
      const namespace = namespaces[lane] ?? '';
      const options = {
        supervisor,
        limiter,
        variant,
        app,
        folder,
        signal,
        kubectl,
        demos,
        fault,
        namespace,
        name,
      };
      const run = await surveyVariant({ ...options, inTurn }).catch((error: unknown) => {
        signal.throwIfAborted();
        return failedRun(error);
      });
      await results.add(which, run);
      await supervisor.removeFolder(folder);
      done++;
      const elapsed = performance.now() - start;
      say(`[${progressOf(done, jobs.length, elapsed)}] ${lineOf(job, run)}`);
    });
  } finally {
    await demos.close();
    await operator.stop();
  }
}

/** A namespace that takes part in chaos demos, and the rights of the operator in it. */
export function enabledNamespace(namespace: string): object[] {
  const rbac = 'rbac.authorization.k8s.io';
  const labels = { 'chaosdemo.dev/enabled': 'true' };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata: { namespace, name: 'chaosdemo-target' },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'chaosdemo-target' },
      subjects: [{ kind: 'ServiceAccount', namespace: 'chaosdemo-system', name: 'chaosdemo-operator' }],
    },
  ];
}

/** `12 of 183, 3 min 20 s, about 47 min 30 s left` */
function progressOf(done: number, all: number, elapsed: number): string {
  const left = (elapsed / done) * (all - done);
  return `${done} of ${all}, ${formatElapsed(elapsed)}${done < all ? `, about ${formatElapsed(left)} left` : ''}`;
}

function lineOf({ subject: { limiter, variant }, time, times }: Job, run: SurveyedRun): string {
  const burst = run.scenarios.find(({ name }) => name === 'burst')?.summary;
  const outcome = run.behaviour ?? `no result: ${run.message}`;
  return `${limiter.name} (${variant.name}), run ${time} of ${times}: ${outcome}${burst ? `; in a burst ${burst}` : ''}`;
}

function failedRun(error: unknown): SurveyedRun {
  const load = Math.round((loadavg()[0] ?? 0) * 10) / 10;
  return { at: new Date().toISOString(), load, message: messageOf(error), scenarios: [] };
}
