/** Surveys one variant of one limiter: its processes as pods, and the ChaosDemo that a user would write. */
import { loadavg } from 'node:os';
import type { ChaosDemoStatus } from '../src/api/index.ts';
import type { Kubectl } from '../src/local/kubectl.ts';
import { registerPods, serviceObject } from '../src/local/pods.ts';
import { startRedis } from '../src/local/redis-server.ts';
import { redisPod } from '../src/local/target.ts';
import type { DemoWatch } from './demo-watch.ts';
import { BEHAVIOURS } from './limiter.ts';
import { rateLimiterSpec } from './rate-limiter-spec.ts';
import type { SurveyedRun, SurveyedScenario } from './results.ts';
import { type StartOptions, startLimiter, stopLimiter } from './start.ts';

/** The limit of every limiter of the survey. */
export const CONFIGURED = { limit: 20, windowSeconds: 60 };
/** So many processes of it. */
export const PROCESSES = 3;
/** How long writes of Redis are paused. */
export const PAUSE_SECONDS = 10;
/** A run takes half a minute; a busy machine needs more. */
const RUN_MS = 240_000;

const SCENARIOS = [
  {
    name: 'outage',
    type: 'StoreOutage',
    expect: 'Any',
    countdown: '1s',
    storeOutage: { pause: `${PAUSE_SECONDS}s`, callerTimeout: '1s', requestsPerSecond: 5, settle: '5s' },
  },
  { name: 'burst', type: 'GhostAllowing', expect: 'Any', countdown: '1s', ghostAllowing: { multiplier: 3 } },
];

/** What to survey, and where. */
export interface SurveyOptions extends Omit<StartOptions, 'limit' | 'windowSeconds' | 'count' | 'redisUrl'> {
  readonly kubectl: Kubectl;
  readonly demos: DemoWatch;
  /** Enabled, and empty but for what the survey makes there. */
  readonly namespace: string;
  /** Of the ChaosDemo; another one for each run. */
  readonly name: string;
  readonly signal: AbortSignal;
  /** Lets one after the other start its processes, which is when they need the machine. */
  readonly inTurn: <T>(start: () => Promise<T>) => Promise<T>;
}

/** Starts a Redis and the processes, registers them, applies the ChaosDemo, and waits for its end. */
export async function surveyVariant(options: SurveyOptions): Promise<SurveyedRun> {
  const { inTurn, kubectl, limiter, namespace, supervisor } = options;
  const at = new Date().toISOString();
  const redis = await startRedis({ supervisor });
  const redisUrl = `redis://${redis.host}:${redis.port}`;
  try {
    const processes = await inTurn(
      async () => await startLimiter({ ...options, ...CONFIGURED, count: PROCESSES, redisUrl }),
    );
    try {
      const labels = { 'app.kubernetes.io/name': limiter.name };
      const redisOne = await redisPod(namespace, redis);
      const pods = processes.map(({ ip, name, port, process: { pid } }) => ({
        namespace,
        name,
        labels,
        container: limiter.name,
        ip,
        pid,
        image: `survey/${limiter.name}:${limiter.version}`,
        imageId: `survey/${limiter.package}@${limiter.version}`,
        port: { name: 'http', number: port },
      }));
      try {
        await registerPods(kubectl, [...pods, redisOne]);
        const redisService = { name: 'redis', selector: redisOne.labels, port: 6379, targetPort: 'redis' };
        await kubectl.apply([serviceObject({ namespace, ...redisService })]);
        return runOf(at, await run(options, labels));
      } finally {
        await kubectl.run(['-n', namespace, 'delete', 'pods', '--all', '--grace-period=0', '--force']);
      }
    } finally {
      await stopLimiter(processes);
    }
  } finally {
    await redis.stop();
  }
}

async function run(
  { demos, kubectl, limiter, name, namespace, signal, variant }: SurveyOptions,
  matchLabels: Readonly<Record<string, string>>,
): Promise<ChaosDemoStatus> {
  const demo = {
    apiVersion: 'chaosdemo.dev/v1alpha1',
    kind: 'ChaosDemo',
    metadata: { namespace, name },
    spec: {
      subject: {
        displayName: limiter.name,
        rateLimiter: {
          selector: { matchLabels },
          port: 'http',
          // Processes of one machine reach Redis from its address, and not from those of their pods.
          redis: { service: { name: 'redis' }, allowOtherClients: true },
          ...rateLimiterSpec(limiter, variant, CONFIGURED),
        },
      },
      scenarios: SCENARIOS,
      pace: { mode: 'Auto', dwell: '0s' },
    },
  };
  await kubectl.apply([demo], { signal });
  try {
    return await demos.untilOver({ namespace, name }, { timeoutMs: RUN_MS, signal });
  } finally {
    await kubectl.run(['delete', '-n', namespace, 'chaosdemo', name, '--wait=true', '--timeout=60s']);
  }
}

function runOf(at: string, { message = '', scenarios = [] }: ChaosDemoStatus): SurveyedRun {
  const outage = scenarios.find(({ name }) => name === 'outage');
  const told = outage?.result === 'Detected' || outage?.result === 'NotDetected';
  const word = told ? outage.summary?.split(/[ ,]/)[0] : undefined;
  const behaviour = BEHAVIOURS.find((each) => each === word);
  return {
    at,
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
    ...(behaviour && { behaviour }),
    // A run that ended well says nothing of why this scenario told nothing.
    message: behaviour ? message : [outage?.message, message].filter(Boolean).join('. '),
    scenarios: scenarios.map(scenarioOf),
  };
}

function scenarioOf({
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
      measures: Object.fromEntries(measures.map(({ name: of, value }) => [of, value])),
    }),
    ...(evidence !== undefined && { evidence }),
  };
}
