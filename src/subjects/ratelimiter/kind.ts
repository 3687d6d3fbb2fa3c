/** The rate limiter: its additions to the API, and what a run of it needs to know. */
import {
  type CelRule,
  formatDuration,
  parseDuration,
  type SubjectApi,
  subjectPart,
} from '../../api/index.ts';
import { capacity } from '../scenarios/capacity.ts';
import { plansOf, podsOf, type ScenarioType, type SubjectKind } from '../scenarios/scenario-type.ts';
import { acceptRule, faultRules } from '../scenarios/store-fault.ts';
import type { Toolkit as PodsToolkit } from '../scenarios/tools.ts';
import { HTTP_AUTH_SECRET_TYPE } from '../spec/pods-schema.ts';
import { REDIS_AUTH_SECRET_TYPE, redisColumn } from '../spec/redis-schema.ts';
import { controlCallers } from './controls/control-callers.ts';
import type { Toolkit } from './controls/tools.ts';
import { limiterSetup } from './history/setup.ts';
import { HttpCallers } from './interfaces/http/http-callers.ts';
import { ownLimitOf } from './interfaces/own-limit.ts';
import { counterDrift } from './scenarios/counter-drift/index.ts';
import { ghostAllowing } from './scenarios/ghost-allowing/index.ts';
import { storeOutage } from './scenarios/store-outage/index.ts';
import { api as outageApi } from './scenarios/store-outage/plan.ts';
import { PART, type RateLimiterSpec, rateLimiterOf, rateLimiterSchema, rulesOf } from './spec/schema.ts';

/** In the order of the story. */
const SCENARIO_TYPES: readonly ScenarioType[] = [counterDrift, ghostAllowing, storeOutage];

const HAS_COUNT = `!has(self.${PART}.http) || has(self.${PART}.redis.count)`;

/** What a spec contradicts in itself, whatever pods and Redis it finds: the API server refuses it by these rules. */
const specRules: readonly CelRule[] = [
  ...faultRules(PART, ['counterDrift', 'storeOutage'], {
    rule: HAS_COUNT,
    message: `removes the counts of the demo, and the names of their keys are not known: set ${PART}.redis.count`,
  }),
  {
    rule: `${HAS_COUNT} || self.scenarios.all(s, s.type != 'CounterDrift')`,
    message: `CounterDrift compares what was admitted with what was counted: set ${PART}.redis.count, the key of Redis that holds the count, or use StoreOutage or GhostAllowing`,
  },
  acceptRule(outageApi.member, outageApi.schema),
];

export const rateLimiterApi: SubjectApi = {
  member: PART,
  displayName: 'rate limiter',
  schema: rateLimiterSchema,
  rules: specRules,
  fieldsThatStartNoRun: ['health'],
  faults: SCENARIO_TYPES.map(({ api }) => api),
  columns: [redisColumn],
  // It needs no knowledge of the counts, so it runs on any limiter.
  defaultScenarios: [{ name: 'outage', type: 'StoreOutage' }],
  refusals: [
    'RedisNotFound',
    'RedisNotEligible',
    'RedisUnreachable',
    'RedisAuthInvalid',
    'HTTPAuthInvalid',
    'SharedRedis',
    'PodsInUse',
    'TrafficLimit',
    'RedisInUse',
  ],
  secrets: [
    {
      type: REDIS_AUTH_SECRET_TYPE,
      meaning:
        '`username` and `password`. `service`: the names of the Services that it may be used with; default: its own name without `-auth` at the end. `ca.crt`: authorities for TLS; a Secret with both is sent only to servers with such a certificate. `serverName`: required with `tls.serverName`, and the same.',
    },
    {
      type: HTTP_AUTH_SECRET_TYPE,
      meaning:
        '`headers`: further headers of requests to the pods, one a line, at most 16 and 8,192 characters in total. `selector`: labels that the selector of the spec must require, such as `app=your-api`. `callers`: keys of accounts, one a line. `ca.crt`: authorities for TLS; a Secret with headers, too, is used only with such a certificate.',
    },
  ],
};

export const rateLimiterKind: SubjectKind<RateLimiterSpec> = {
  api: rateLimiterApi,
  types: SCENARIO_TYPES,
  partOf: rateLimiterOf,
  setup: limiterSetup,
  recordedAs: 'limiter',
  tools: limiterTools,
  async control(toolkit: Toolkit, { key, plans, spec }, signal) {
    const rates = plans.flatMap(({ rate }) => rate ?? []);
    const control = await controlCallers(toolkit, { key, rates }, signal);
    const { baseline, limit } = control;
    const measured = limit && { [PART]: { ...(subjectPart(spec, PART) as object), limit } };
    // Without a lag nothing is known beyond what was known at admission.
    const found = { pods: toolkit.target.pods.length, baseline };
    const isNew = measured !== undefined || baseline.lags.size > 0;
    const [problem] = isNew ? capacity(rateLimiterKind, { ...spec, ...measured }, found) : [];
    return { ...control, ...(measured && { measured }), ...(problem !== undefined && { problem }) };
  },
  isOpen: ({ open }) => open.requests || open.window,
  unsuited({ http, isBundled, limit, redis }) {
    if (isBundled && (limit.algorithm !== 'FixedWindow' || limit.windowStart !== 'FirstRequest')) {
      return `${PART}.limit.algorithm and windowStart do not describe the bundled limiter. It counts in fixed windows from the first request: leave them out, or describe your own limiter in ${PART}.http`;
    }
    if (redis.count && http.callers) {
      return `${PART}.redis.count is read for keys that the demo makes up only, and with http.callers it makes up none: leave one of them out`;
    }
    if (redis.count && http.identity === 'SourceAddress') {
      return `${PART}.redis.count names the key of a caller, and with http.identity SourceAddress the caller has none: leave redis.count out`;
    }
    return undefined;
  },
  waitsFor(spec, scenario) {
    const plans = plansOf(rateLimiterKind, spec);
    const { cooldownMs = 0, isOneCaller = false } = plans[0] ?? {};
    if (!scenario && rateLimiterKind.isOpen?.(rateLimiterOf(spec)))
      return 'This measures the limit, and waits two windows of up to 1m if the spec has none';
    if (!isOneCaller) return undefined;
    const { cooldownsToPrepare = 1 } = plans.find((plan) => plan.scenario.type === scenario?.type) ?? {};
    const times = cooldownsToPrepare === 1 ? '' : `${cooldownsToPrepare} times `;
    return `This waits ${times}up to ${formatDuration(cooldownMs)} until the limit of the operator's address is replenished`;
  },
  welcome(spec, target) {
    const limiter = rateLimiterOf(spec);
    const { limit } = limiter;
    const plans = plansOf(rateLimiterKind, spec);
    const subject = `Rate limiter: ${podsOf(target)}, counting in ${target?.store ?? 'their Redis'}`;
    const faults = plans.map(({ faultTitle }) => faultTitle);
    const as = plans[0]?.isOneCaller ? 'As one caller, by its source address' : 'With its own keys';
    const of = rateLimiterKind.isOpen?.(limiter)
      ? 'with a limit that is measured'
      : `limit ${limit.requests} in ${formatDuration(parseDuration(limit.window))}`;
    return `${subject}. ${as}, ${of}. ${faults.join('. Then: ')}`;
  },
  /** A limiter may weigh the window before. */
  accountRestMs: ({ limit }) => 2 * parseDuration(limit.window),
  noCluster: ({ isBundled }) =>
    isBundled
      ? `the bundled limiter is not a client of a Cluster: describe your own in ${PART}.http`
      : undefined,
};

/** Adds what the requests of callers need. */
export function limiterTools(tools: PodsToolkit, limiter: RateLimiterSpec): Toolkit {
  const { http } = limiter;
  return {
    ...(tools as Toolkit),
    limiter,
    callers: new HttpCallers(http, tools.target.http?.headers, undefined, tools.accountOf),
    ...(http.identity === 'SourceAddress' && { ownLimit: ownLimitOf(rulesOf(limiter), tools.now) }),
  };
}
