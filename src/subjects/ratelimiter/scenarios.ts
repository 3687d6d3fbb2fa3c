/**
 * The two named chaos configurations: a pause of Redis' writes under which the
 * counters drift, and a burst under which requests are admitted twice. Pure.
 */
import {
  counterDriftOf,
  formatDuration,
  ghostAllowingOf,
  parseDuration,
  type RateLimiterSpec,
  type ScenarioSpec,
} from '../../api/index.ts';
import type { Scenario } from '../../demo/subject.ts';

/** Pauses the writes of Redis and drives steady traffic meanwhile. */
export function redisPauseConfig(scenario: ScenarioSpec, limiter: RateLimiterSpec): Scenario {
  const { pause, settle, threshold, requestsPerSecond } = counterDriftOf(scenario);
  const faultMs = parseDuration(pause);
  const settleMs = parseDuration(settle);
  return {
    name: scenario.name,
    type: 'CounterDrift',
    expect: scenario.expect,
    countdownMs: parseDuration(scenario.countdown),
    faultMs,
    settleMs,
    windowNeedMs: faultMs + settleMs + parseDuration(limiter.health.timeout),
    load: true,
    onOrphan: 'Inquire',
    faultTitle: `Redis stops taking writes for ${formatDuration(faultMs)}`,
    invariant: `what the nodes admitted is no more than ${threshold}, and the usual lag, ahead of what Redis counted (${requestsPerSecond} requests a second meanwhile)`,
  };
}

/** Sends more requests than the limit to all nodes at once. */
export function burstTrafficConfig(scenario: ScenarioSpec, limiter: RateLimiterSpec): Scenario {
  const { multiplier, settle } = ghostAllowingOf(scenario);
  const { requests } = limiter.limit;
  const faultMs = parseDuration(limiter.health.timeout);
  const settleMs = parseDuration(settle);
  return {
    name: scenario.name,
    type: 'GhostAllowing',
    expect: scenario.expect,
    countdownMs: parseDuration(scenario.countdown),
    faultMs,
    settleMs,
    windowNeedMs: faultMs + settleMs + parseDuration(limiter.health.timeout),
    load: false,
    onOrphan: 'Retry',
    faultTitle: `A burst of ${requests * multiplier} requests goes to all nodes at once`,
    invariant: `of ${requests * multiplier} requests no more than the limit of ${requests} are admitted in the window`,
  };
}
