/** The ChaosDemo for an API that was probed. Pure. */
import type { FaultName } from '@chaosdemo/redis-faults';
import { UsageError } from '@chaosdemo/settings';
import type { z } from 'zod';
import { counted, formatDuration, GROUP, KIND, parseDuration, SCENARIO_DEFAULTS } from '../../api/index.ts';
import { LEAST_REQUESTS } from '../../subjects/checkers/share-interval.ts';
import { ghostAllowing } from '../../subjects/ratelimiter/scenarios/ghost-allowing/index.ts';
import { storeOutage } from '../../subjects/ratelimiter/scenarios/store-outage/index.ts';
import type { HttpInterfaceSpec } from '../../subjects/ratelimiter/spec/http-schema.ts';
import {
  completed,
  type RateLimiterSpec,
  rateLimiterSchema,
} from '../../subjects/ratelimiter/spec/schema.ts';
import { lengthOfRun } from '../../subjects/scenarios/capacity.ts';
import { faultOf } from '../../subjects/scenarios/store-fault.ts';
import type { PlannedDemo } from '../plan.ts';

/** As a user writes it. */
type Written = z.input<typeof rateLimiterSchema>;
export type Limit = Readonly<
  NonNullable<Written['limit']> & { readonly requests: number; readonly window: string }
>;

/** The request that the limiter counts. */
export type CountedRequest = Readonly<Pick<HttpInterfaceSpec, 'body' | 'headers' | 'method' | 'path'>> &
  Readonly<Partial<Pick<HttpInterfaceSpec, 'rejectedStatuses'>>>;

/** Where the API and its Redis are in a cluster. */
export interface Place extends Pick<Written, 'port' | 'redis'> {
  /** Of the object. */
  readonly name: string;
  readonly namespace: string;
  /** Of the pods. */
  readonly matchLabels: Readonly<Record<string, string>>;
}

/** Everything that the spec needs about an API. */
export interface ApiFacts {
  readonly place: Place;
  /** With `$(key)` or `$(address)` in it, unless the API identifies callers by their address. */
  readonly request: CountedRequest;
  /** A Secret with more headers. */
  readonly authSecretName?: string;
  /** A Secret with accounts that stand for callers. */
  readonly callersSecretName?: string | undefined;
  /** Of a GET request that needs no limiter; left out: there is none. */
  readonly healthPath?: string | undefined;
  readonly limit: Limit;
  readonly instances: number;
  readonly accept?: readonly string[] | undefined;
  /** Default: a Stall. */
  readonly faults?: readonly FaultName[] | undefined;
  /** Of each fault; default: the shortest that shows something. */
  readonly duration?: string | undefined;
  /** Whether the return of limits after a fault is left out, which takes a window. */
  readonly quick?: boolean | undefined;
  /** From which callers are drawn; default: another in each run. */
  readonly seed?: number | undefined;
}

/** Stalls and rates to choose from, the least that proves something first. */
const DURATIONS = ['10s', '20s', '30s', '60s'];
const RATES = [5, 10, 15, 20, 25, 30, 40, 50];
/** Outcomes of a stall that are as expected, unless the user names others. */
const ACCEPTED = ['Enforces', 'FailsClosed'];
/** Before each, the run waits for the end of a window. */
const TRIALS_BY_ADDRESS = 1;
/** `spec.activeDeadline` if it is left out, and what a run may take beyond its longest waits. */
const [DEADLINE_MS, ROOM_MS] = [600_000, 120_000];

/** How long the parts of a scenario take; what is left out has its default. */
interface Pace {
  readonly durations: readonly string[];
  readonly countdown?: { readonly countdown: string };
  readonly settle?: string;
  readonly health?: { readonly timeout: string };
}

const USUAL: Pace = { durations: DURATIONS };
/** How long one caller is watched in the shortest scenario: its window has to be longer. */
const SHORT_MS = 12_000;
/** Takes {@link SHORT_MS}. */
const SHORT: Pace = {
  durations: ['5s'],
  countdown: { countdown: '1s' },
  settle: '2s',
  health: { timeout: '2s' },
};

/** Whether each request can have its own caller. */
export function isKeyed({ body = '', headers, path }: CountedRequest): boolean {
  return [path, body, ...headers.map(({ value }) => value)].some((text) => /\$\((key|address)\)/.test(text));
}

/** A run that shows something about an API, and how long it takes. */
export type PlannedRun = ReturnType<typeof runAt>;

/**
 * A run on as many instances as can show something: if they share one limit, fewer need less of it.
 * @throws UsageError if one cannot either
 */
export function runOnMost(facts: ApiFacts): PlannedRun & Pick<ApiFacts, 'instances'> {
  const { instances, request } = facts;
  try {
    return { ...runOf(facts), instances };
  } catch (error) {
    if (instances === 1 || isKeyed(request)) throw error;
    return runOnMost({ ...facts, instances: instances - 1 });
  }
}

/**
 * @param limit that all requests share; its window may not be known yet
 * @throws UsageError if no run can show anything about it
 */
export function requireSharedLimit({ requests, window = '1h' }: Partial<Limit>): void {
  // Each instance gets one request before the fault, and the others within the limit during it.
  if (parseDuration(window) > SHORT_MS && (requests ?? 0) > LEAST_REQUESTS) return;
  throw new UsageError(
    `all requests share the limit of one address, and a run has to exceed it in one window: for the test, give the limiter a window from 13 s to 1 h, and at least ${1 + LEAST_REQUESTS} requests for each instance that is to be tested`,
  );
}

/** The object to apply. @throws UsageError if no run can show anything about this limit */
export function runOf(facts: ApiFacts): PlannedRun {
  const byAddress = !isKeyed(facts.request);
  if (byAddress) requireSharedLimit(facts.limit);
  const paces = byAddress ? [USUAL, SHORT] : [USUAL];
  let problem: unknown;
  for (const pace of paces) {
    try {
      return runAt(pace, facts);
    } catch (error) {
      problem ??= error;
    }
  }
  throw problem;
}

function runAt(pace: Pace, facts: ApiFacts) {
  const { authSecretName, callersSecretName, healthPath, limit, place, request } = facts;
  const { matchLabels, name, namespace, port, redis } = place;
  const health = { ...(healthPath !== undefined && { path: healthPath }), ...pace.health };
  const rateLimiter = {
    selector: { matchLabels },
    port,
    http: {
      ...(!isKeyed(request) && { identity: 'SourceAddress' }),
      ...request,
      ...(authSecretName !== undefined && { authSecretName }),
      ...(callersSecretName !== undefined && { callers: { secretName: callersSecretName } }),
    },
    ...(Object.keys(health).length > 0 && { health }),
    limit,
    redis,
  };
  const limiter = parsed(rateLimiter);
  const { faults = ['Stall'] } = facts;
  const planned = [
    ...faults.map((type) =>
      outageOf(facts, limiter, pace, type, faults.length === 1 ? 'outage' : `outage-${type.toLowerCase()}`),
    ),
    burstOf(facts, limiter, pace),
  ];
  const length = lengthOfRun(planned.map(({ plan }) => plan));
  const scenarios = planned.map(({ scenario }) => scenario);
  const activeDeadline = formatDuration(Math.ceil((length.ms + ROOM_MS) / 60_000) * 60_000);
  const deadline = length.ms < DEADLINE_MS - ROOM_MS ? {} : { activeDeadline };
  const spec = { rateLimiter, scenarios, ...deadline };
  const metadata = { name, namespace };
  const demo: PlannedDemo = { apiVersion: `${GROUP}/v1alpha1`, kind: KIND, metadata, spec };
  return { length, demo };
}

function parsed(rateLimiter: object): RateLimiterSpec {
  const { data, error } = rateLimiterSchema.transform(completed).safeParse(rateLimiter);
  if (data) return data;
  const [issue] = error.issues;
  throw new UsageError(`rateLimiter.${issue?.path.join('.')} of the ChaosDemo: ${issue?.message}`);
}

/** The shortest fault with the fewest requests in which a caller exceeds this limit. */
function outageOf(
  { accept = ACCEPTED, duration: given, instances, quick, seed }: ApiFacts,
  limiter: RateLimiterSpec,
  { countdown, durations, settle }: Pace,
  type: FaultName,
  name: string,
) {
  let reason: string | undefined;
  for (const duration of given === undefined ? durations : [given]) {
    for (const requestsPerSecond of RATES) {
      const parameters = {
        fault: faultOf(type, duration),
        callerTimeout: '1s',
        requestsPerSecond,
        accept,
        ...(settle !== undefined && { settle }),
        ...(quick && { limitReturn: 'Skip' }),
        ...(seed !== undefined && { seed }),
      };
      const scenario = { name, type: 'StoreOutage', ...countdown, storeOutage: parameters };
      const parsed = { storeOutage: storeOutage.api.schema.parse(parameters) };
      const plan = storeOutage.plan({ ...SCENARIO_DEFAULTS, ...scenario, ...parsed }, limiter);
      const why = plan.unprovable(instances);
      if (why === undefined) return { scenario, plan };
      reason ??= why;
    }
  }
  throw new UsageError(
    `no ${type} of ${given ?? `up to ${DURATIONS.at(-1)}`} with ${RATES.at(-1)} requests per second shows how ${counted(instances, 'instance')} with this limit behave: ${reason}`,
  );
}

function burstOf({ instances, request }: ApiFacts, limiter: RateLimiterSpec, { countdown }: Pace) {
  const parameters = isKeyed(request) ? undefined : { trials: TRIALS_BY_ADDRESS };
  const scenario = {
    name: 'burst',
    type: 'GhostAllowing',
    ...countdown,
    ...(parameters && { ghostAllowing: parameters }),
  };
  const parsed = { ghostAllowing: ghostAllowing.api.schema.parse(parameters ?? {}) };
  const plan = ghostAllowing.plan({ ...SCENARIO_DEFAULTS, ...scenario, ...parsed }, limiter);
  const why = plan.unprovable(instances);
  if (why === undefined) return { scenario, plan };
  throw new UsageError(`no burst shows whether this limit is kept: ${why}`);
}
