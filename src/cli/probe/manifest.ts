/** The ChaosDemo for an API that was probed. Pure. */
import type { FaultName } from '@chaosdemo/redis-faults';
import { UsageError } from '@chaosdemo/settings';
import type { z } from 'zod';
import { counted, GROUP, KIND } from '../../api/index.ts';
import { CALLERS_SECRET } from '../../local/own-api.ts';
import { ghostAllowing } from '../../subjects/ratelimiter/scenarios/ghost-allowing/index.ts';
import { storeOutage } from '../../subjects/ratelimiter/scenarios/store-outage/index.ts';
import type { HttpInterfaceSpec } from '../../subjects/ratelimiter/spec/http-schema.ts';
import {
  completed,
  type RateLimiterSpec,
  rateLimiterSchema,
} from '../../subjects/ratelimiter/spec/schema.ts';
import type { PlannedDemo } from '../plan.ts';

/** As a user writes it. */
type Written = z.input<typeof rateLimiterSchema>;
export type Limit = Readonly<NonNullable<Written['limit']>>;

/** The request that the limiter counts. */
export type CountedRequest = Readonly<Pick<HttpInterfaceSpec, 'body' | 'headers' | 'method' | 'path'>>;

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
  /** Whether accounts stand for callers: they are in a Secret. */
  readonly hasAccounts?: boolean;
  readonly healthPath: string;
  readonly limit: Limit;
  readonly instances: number;
  readonly accept?: readonly string[] | undefined;
  /** Default: a Stall. */
  readonly faults?: readonly FaultName[] | undefined;
  /** Of each fault; default: the shortest that shows something. */
  readonly duration?: string | undefined;
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
/** Of every scenario, as the API server fills them in. */
const DEFAULTS = { expect: 'Held', countdown: '3s' } as const;

/** Whether each request can have its own caller. */
export function isKeyed({ body = '', headers, path }: CountedRequest): boolean {
  return [path, body, ...headers.map(({ value }) => value)].some((text) => /\$\((key|address)\)/.test(text));
}

/** The object to apply. @throws UsageError if no run can show anything about this limit */
export function demoOf(facts: ApiFacts): PlannedDemo {
  const { authSecretName, hasAccounts = false, healthPath, limit, place, request } = facts;
  const { matchLabels, name, namespace, port, redis } = place;
  const byAddress = !isKeyed(request);
  const rateLimiter = {
    selector: { matchLabels },
    port,
    http: {
      ...(byAddress && { identity: 'SourceAddress' }),
      ...request,
      ...(authSecretName !== undefined && { authSecretName }),
      ...(hasAccounts && { callers: { secretName: CALLERS_SECRET } }),
    },
    health: { path: healthPath },
    limit,
    redis,
  };
  const limiter = parsed(rateLimiter);
  const { faults = ['Stall'] } = facts;
  const outages = faults.map((type) =>
    outageOf(facts, limiter, type, faults.length === 1 ? 'outage' : `outage-${type.toLowerCase()}`),
  );
  const scenarios = [...outages, burstOf(facts, limiter, byAddress)];
  const demo = {
    apiVersion: `${GROUP}/v1alpha1`,
    kind: KIND,
    metadata: { name, namespace },
    spec: { rateLimiter, scenarios },
  };
  return demo;
}

function parsed(rateLimiter: object): RateLimiterSpec {
  const { data, error } = rateLimiterSchema.transform(completed).safeParse(rateLimiter);
  if (data) return data;
  const [issue] = error.issues;
  throw new UsageError(`rateLimiter.${issue?.path.join('.')} of the ChaosDemo: ${issue?.message}`);
}

/** The shortest fault with the fewest requests in which a caller exceeds this limit. */
function outageOf(
  { accept = ACCEPTED, duration: given, instances, request, seed }: ApiFacts,
  limiter: RateLimiterSpec,
  type: FaultName,
  name: string,
): object {
  let reason: string | undefined;
  for (const duration of given === undefined ? DURATIONS : [given]) {
    for (const requestsPerSecond of RATES) {
      const parameters = {
        fault: { type, duration },
        callerTimeout: '1s',
        requestsPerSecond,
        accept,
        ...(seed !== undefined && { seed }),
      };
      const scenario = { name, type: 'StoreOutage', storeOutage: parameters };
      const defaults = { ...DEFAULTS, storeOutage: storeOutage.api.schema.parse(parameters) };
      const why = storeOutage.plan({ ...scenario, ...defaults }, limiter).unprovable(instances);
      if (why === undefined) return scenario;
      reason ??= why;
    }
  }
  throw new UsageError(
    `no ${type} of ${given ?? `up to ${DURATIONS.at(-1)}`} with ${RATES.at(-1)} requests per second shows how ${counted(instances, 'instance')} with this limit behave: ${reason}${isKeyed(request) ? '' : '. With --start, --instances 1 starts one'}`,
  );
}

function burstOf({ instances }: ApiFacts, limiter: RateLimiterSpec, byAddress: boolean): object {
  const parameters = byAddress ? { trials: TRIALS_BY_ADDRESS } : undefined;
  const scenario = { name: 'burst', type: 'GhostAllowing', ...(parameters && { ghostAllowing: parameters }) };
  const defaults = { ...DEFAULTS, ghostAllowing: ghostAllowing.api.schema.parse(parameters ?? {}) };
  const why = ghostAllowing.plan({ ...scenario, ...defaults }, limiter).unprovable(instances);
  if (why === undefined) return scenario;
  throw new UsageError(`no burst shows whether this limit is kept: ${why}`);
}
