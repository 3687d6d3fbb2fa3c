/** What a run of a rate limiter needs to know of it. */
import { formatDuration, parseDuration } from '../../api/index.ts';
import { capacity } from '../scenarios/capacity.ts';
import { podsOf } from '../scenarios/scenario-type.ts';
import { plansOf, type SubjectKind } from '../scenarios/subject-kind.ts';
import type { Toolkit as PodsToolkit } from '../scenarios/tools.ts';
import { rateLimiterApi, SCENARIO_TYPES } from './api.ts';
import { limiterSetup } from './history/setup.ts';
import { controlCallers } from './interfaces/http/control-callers.ts';
import { HttpCallers } from './interfaces/http/http-callers.ts';
import { ownLimitOf } from './interfaces/own-limit.ts';
import { limitOf, PART, type RateLimiterSpec, rateLimiterOf } from './spec/schema.ts';
import type { Toolkit } from './tools.ts';

export const rateLimiterKind: SubjectKind<RateLimiterSpec> = {
  api: rateLimiterApi,
  part: PART,
  types: SCENARIO_TYPES,
  partOf: rateLimiterOf,
  setup: limiterSetup,
  recordedAs: 'limiter',
  tools: limiterTools,
  async control(toolkit: Toolkit, { key, plans, spec }, signal) {
    const rates = plans.flatMap(({ rate }) => rate ?? []);
    const control = await controlCallers(toolkit, { key, rates }, signal);
    const { baseline } = control;
    // Without a lag nothing is known beyond what was known at admission.
    const found = { pods: toolkit.target.pods.length, baseline };
    const [problem] = baseline.lags.size === 0 ? [] : capacity(rateLimiterKind, spec, found);
    return { ...control, ...(problem !== undefined && { problem }) };
  },
  unsuited({ http, isBundled, limit, redis }) {
    if (isBundled && (limit.algorithm !== 'FixedWindow' || limit.windowStart !== 'FirstRequest')) {
      return `${PART}.limit.algorithm and windowStart do not describe the bundled limiter, which counts in fixed windows from the first request: leave them out, or describe your own limiter in ${PART}.http`;
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
    if (!isOneCaller) return undefined;
    const { cooldownsToPrepare = 1 } = plans.find((plan) => plan.scenario.type === scenario?.type) ?? {};
    const times = cooldownsToPrepare === 1 ? '' : `${cooldownsToPrepare} times `;
    return `This waits ${times}up to ${formatDuration(cooldownMs)} until the limit of the operator's address is replenished`;
  },
  welcome(spec, target) {
    const { limit } = rateLimiterOf(spec);
    const plans = plansOf(rateLimiterKind, spec);
    const subject = `Rate limiter: ${podsOf(target)}, counting in ${target?.store ?? 'their Redis'}`;
    const faults = plans.map(({ faultTitle }) => faultTitle);
    const as = plans[0]?.isOneCaller ? 'As one caller, by its source address' : 'With its own keys';
    return `${subject}. ${as}, limit ${limit.requests} in ${formatDuration(parseDuration(limit.window))}. ${faults.join('. Then: ')}`;
  },
  /** A limiter may weigh the window before. */
  accountRestMs: (limiter) => 2 * limitOf(limiter).windowMs,
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
    ...(http.identity === 'SourceAddress' && { ownLimit: ownLimitOf(limitOf(limiter), tools.now) }),
  };
}
