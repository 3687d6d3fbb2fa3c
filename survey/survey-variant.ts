/** Surveys one variant of one limiter: its processes as pods, and the ChaosDemo that a user would write. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosDemoStatus } from '../src/api/index.ts';
import type { Kubectl } from '../src/local/kubectl.ts';
import { registerPods, serviceObject } from '../src/local/pods.ts';
import { startRedis } from '../src/local/redis-server.ts';
import { redisPod } from '../src/local/target.ts';
import { rateLimiterSpec } from './rate-limiter-spec.ts';
import { type StartOptions, startLimiter, stopLimiter } from './start.ts';

/** The limit of every limiter of the survey. */
export const CONFIGURED = { limit: 20, windowSeconds: 60 };
const PROCESSES = 3;
/** A run takes half a minute; a busy machine needs more. */
const RUN_MS = 240_000;
const LOOK_MS = 500;

const SCENARIOS = [
  {
    name: 'outage',
    type: 'StoreOutage',
    expect: 'Any',
    countdown: '1s',
    storeOutage: { pause: '10s', callerTimeout: '1s', requestsPerSecond: 5, settle: '5s' },
  },
  { name: 'burst', type: 'GhostAllowing', expect: 'Any', countdown: '1s', ghostAllowing: { multiplier: 3 } },
];

/** What the operator said of one variant. */
export interface Surveyed {
  readonly limiter: string;
  readonly variant: string;
  /** Package and version. */
  readonly package: string;
  /** The first word of the outage's summary; undefined where it could not be told. */
  readonly behaviour?: string;
  /** Why not, or what the run said at its end. */
  readonly message: string;
  readonly scenarios: readonly Pick<
    NonNullable<ChaosDemoStatus['scenarios']>[number],
    'name' | 'result' | 'summary' | 'measures' | 'evidence' | 'message'
  >[];
}

/** What to survey, and where. */
export interface SurveyOptions extends Omit<StartOptions, 'limit' | 'windowSeconds' | 'count' | 'redisUrl'> {
  readonly kubectl: Kubectl;
  /** Enabled, and empty but for what the survey makes there. */
  readonly namespace: string;
}

/** Starts a Redis and the processes, registers them, applies the ChaosDemo, and waits for its end. */
export async function surveyVariant(options: SurveyOptions): Promise<Surveyed> {
  const { kubectl, limiter, namespace, supervisor, variant } = options;
  const redis = await startRedis({ supervisor });
  const redisUrl = `redis://${redis.host}:${redis.port}`;
  try {
    const processes = await startLimiter({ ...options, ...CONFIGURED, count: PROCESSES, redisUrl });
    try {
      const labels = { 'app.kubernetes.io/name': limiter.name };
      const redisOne = await redisPod(namespace, redis);
      const pods = await registerPods(kubectl, [
        ...processes.map(({ ip, name, port, process: { pid } }) => ({
          namespace,
          name,
          labels,
          container: limiter.name,
          ip,
          pid,
          image: `survey/${limiter.name}:${limiter.version}`,
          imageId: `survey/${limiter.package}@${limiter.version}`,
          port: { name: 'http', number: port },
        })),
        redisOne,
      ]);
      await kubectl.apply([
        serviceObject({
          namespace,
          name: 'redis',
          selector: redisOne.labels,
          port: 6379,
          targetPort: 'redis',
        }),
      ]);
      try {
        const status = await run(options, labels);
        return surveyedOf(options, status);
      } finally {
        await Promise.all(pods.map((pod) => pod.delete()));
      }
    } finally {
      await stopLimiter(processes);
    }
  } finally {
    await redis.stop();
  }

  async function run(
    { signal }: SurveyOptions,
    matchLabels: Readonly<Record<string, string>>,
  ): Promise<ChaosDemoStatus> {
    const name = 'survey';
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
    await kubectl.apply([demo], signal ? { signal } : {});
    const about = ['-n', namespace, 'chaosdemo', name];
    try {
      const deadline = performance.now() + RUN_MS;
      for (;;) {
        const object = JSON.parse(await kubectl.run(['get', ...about, '-o', 'json'])) as {
          status?: ChaosDemoStatus;
        };
        const complete = object.status?.conditions?.find(({ type }) => type === 'Complete');
        if (object.status && (complete?.status === 'True' || performance.now() > deadline)) {
          return object.status;
        }
        const stalled = object.status?.conditions?.find(({ type }) => type === 'Stalled');
        if (object.status && stalled?.status === 'True') return object.status;
        await sleep(LOOK_MS, undefined, signal ? { signal } : {});
      }
    } finally {
      await kubectl.run(['delete', ...about, '--wait=true', '--timeout=60s']);
    }
  }
}

function surveyedOf(
  { limiter, variant }: Pick<SurveyOptions, 'limiter' | 'variant'>,
  { message = '', scenarios = [] }: ChaosDemoStatus,
): Surveyed {
  const outage = scenarios.find(({ name }) => name === 'outage');
  const told = outage?.result === 'Detected' || outage?.result === 'NotDetected';
  const behaviour = told ? outage.summary?.split(/[ ,]/)[0] : undefined;
  return {
    limiter: limiter.name,
    variant: variant.name,
    package: `${limiter.package} ${limiter.version}`,
    ...(behaviour !== undefined && { behaviour }),
    message,
    scenarios: scenarios.map(({ evidence, measures, message: said, name, result, summary }) => ({
      name,
      ...(result !== undefined && { result }),
      ...(summary !== undefined && { summary }),
      ...(measures !== undefined && { measures }),
      ...(evidence !== undefined && { evidence }),
      ...(said !== undefined && { message: said }),
    })),
  };
}
