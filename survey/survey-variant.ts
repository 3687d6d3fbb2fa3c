/** Surveys one variant of one limiter: its processes as pods, and the ChaosDemo that a user would write. */

import { loadavg } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { type Kubectl, RegisteredPod, startRedis } from '@chaosdemo/testbed';
import type { ChaosDemoStatus } from '../src/api/index.ts';
import { type RunningProxy, startFaultProxy } from '../test/kit/fault-proxy.ts';
import { until } from '../test/kit/until.ts';
import type { DemoWatch } from './demo-watch.ts';
import type { SurveyedRun, SurveyedScenario } from './results.ts';
import { configuredOf, isProxied, type SurveyedFault, surveyDemo } from './runner/demo.ts';
import { BEHAVIOURS } from './runner/limiter.ts';
import { REDIS_HOSTS, redisHostFor } from './runner/own-network.ts';
import { ipsOf, type StartOptions, type SurveyedProcess, startLimiter, stopLimiter } from './runner/start.ts';
import { registerSurveyed } from './runner/target.ts';
import { warmUp } from './warm-up.ts';

/** So many processes of it. */
export const PROCESSES = 3;
/** A run takes half a minute; a busy machine needs more. */
const RUN_MS = 240_000;
/** How long after the start of the fault; milliseconds. */
const RESTART_AFTER_MS = 2000;

/** What to survey, and where. */
export interface SurveyOptions extends Omit<StartOptions, 'limit' | 'windowSeconds' | 'count' | 'redisUrl'> {
  readonly kubectl: Kubectl;
  readonly demos: DemoWatch;
  /** Enabled, and empty but for what the survey makes there. */
  readonly namespace: string;
  readonly fault: SurveyedFault;
  /** Of the ChaosDemo; another one for each run. */
  readonly name: string;
  readonly signal: AbortSignal;
  /** Lets one after the other start its processes, which is when they need the machine. */
  readonly inTurn: <T>(start: () => Promise<T>) => Promise<T>;
}

/** Starts a Redis and the processes, registers them, applies the ChaosDemo, and waits for its end. */
export async function surveyVariant(options: SurveyOptions): Promise<SurveyedRun> {
  const { fault, inTurn, kubectl, limiter, namespace, signal, supervisor } = options;
  const at = new Date().toISOString();
  const apart = fault !== 'Stall';
  const redis = await startRedis({
    supervisor,
    ...(apart && { settings: [`bind ${REDIS_HOSTS.join(' ')}`] }),
  });
  const proxy = isProxied(fault) ? await startFaultProxy(redis, '0.0.0.0') : undefined;
  const port = proxy?.port ?? redis.port;
  const redisUrl = apart
    ? ipsOf(PROCESSES).map((ip) => `redis://${redisHostFor(ip)}:${port}`)
    : `redis://${redis.host}:${port}`;
  try {
    const processes = await inTurn(async () => {
      const started = await startLimiter({
        ...options,
        ...configuredOf(limiter),
        count: PROCESSES,
        redisUrl,
      });
      await warmUp(limiter, started, signal);
      return started;
    });
    const restarted: SurveyedProcess[] = [];
    try {
      try {
        const target = { namespace, limiter, processes, redis, ...(proxy && { proxy }) };
        const [pod] = await registerSurveyed(kubectl, target);
        const [first] = processes;
        const over = new AbortController();
        const restart = async (): Promise<void> => {
          if (!first || !pod || !proxy) throw new Error('there is nothing to be restarted');
          restarted.push(await restartInFault(first, pod, { kubectl, proxy, signal: over.signal }));
        };
        const restarting = fault === 'Restart' ? restart() : undefined;
        const status = await run(options).finally(() => over.abort());
        // Without a fault there is nothing to be restarted in.
        await restarting?.catch((error: unknown) => {
          if (!(error instanceof Error && error.name === 'AbortError')) throw error;
        });
        return runOf(at, status);
      } finally {
        await kubectl.run(['-n', namespace, 'delete', 'pods', '--all', '--grace-period=0', '--force']);
      }
    } finally {
      await stopLimiter([...processes, ...restarted]);
    }
  } finally {
    await proxy?.kill();
    await redis.stop();
  }
}

/** Kills the process in the fault and starts it again, and reports that as a kubelet does. */
async function restartInFault(
  old: SurveyedProcess,
  { spec }: RegisteredPod,
  {
    kubectl,
    proxy,
    signal,
  }: { readonly kubectl: Kubectl; readonly proxy: RunningProxy; readonly signal: AbortSignal },
): Promise<SurveyedProcess> {
  await until(async () => (await proxy.get('/fault'))['fault'] !== null, {
    what: 'the fault',
    deadlineMs: RUN_MS,
    signal,
  });
  await setTimeout(RESTART_AFTER_MS);
  await old.process.stop(0);
  const process = await old.again();
  await new RegisteredPod(kubectl, { ...spec, pid: process.process.pid }).setReady(true);
  return process;
}

async function run({
  demos,
  fault,
  kubectl,
  limiter,
  name,
  namespace,
  signal,
  variant,
}: SurveyOptions): Promise<ChaosDemoStatus> {
  const demo = surveyDemo(limiter, variant, { namespace, name }, fault);
  await kubectl.apply([demo], { signal });
  try {
    return await demos.untilOver({ namespace, name }, { timeoutMs: RUN_MS, signal });
  } finally {
    await kubectl.run(['delete', '-n', namespace, 'chaosdemo', name, '--wait=true', '--timeout=60s']);
  }
}

function runOf(at: string, { message = '', scenarios = [] }: ChaosDemoStatus): SurveyedRun {
  const outage = scenarios.find(({ name }) => name === 'outage');
  const hasOutcome = outage?.result === 'Violated' || outage?.result === 'Held';
  const word = hasOutcome ? outage.summary?.split(/[ ,;]/)[0] : undefined;
  const behaviour = BEHAVIOURS.find((each) => each === word);
  return {
    at,
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
    ...(behaviour && { behaviour }),
    // A run that ended well does not explain why this scenario has no result.
    message: behaviour ? message : [outage?.message, message].filter(Boolean).join('. '),
    scenarios: scenarios.map(scenarioOf),
  };
}

function scenarioOf({
  atLeast = [],
  evidence,
  measures,
  message,
  name,
  result,
  summary,
}: NonNullable<ChaosDemoStatus['scenarios']>[number]): SurveyedScenario {
  return {
    name,
    ...(result !== undefined && { result }),
    ...(summary !== undefined && { summary }),
    ...(message !== undefined && { message }),
    ...(measures !== undefined && {
      // A time to recovery that is only a lower bound is none.
      measures: Object.fromEntries(
        Object.entries(measures).filter(([of]) => of !== 'timeToRecovery' || !atLeast.includes(of)),
      ),
    }),
    ...(evidence !== undefined && { evidence }),
  };
}
