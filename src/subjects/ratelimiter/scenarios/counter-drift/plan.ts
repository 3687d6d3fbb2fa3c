/** A scenario of counter drift on its rate limiter, and which specs can prove nothing. Pure. */
import { holdFor, mechanismOf } from '@chaosdemo/redis-faults';
import { counted, formatDuration, parseDuration, type ScenarioSpec } from '../../../../api/index.ts';
import type { Baseline } from '../../interfaces/http/control-callers.ts';
import { PART, type RateLimiterSpec } from '../../spec/schema.ts';
import { LimiterPlan } from '../limiter-plan.ts';
import { api, type CounterDriftSpec } from './parameters.ts';

/**
 * The tolerance is the traffic of this interval. The lag was measured for only about a second, so a sync that is late
 * by less than this plus the two samples of a violation is no failure.
 */
const LATE_SYNC_MS = 150;

export class DriftPlan extends LimiterPlan<CounterDriftSpec> {
  override readonly mechanism = mechanismOf(this.parameters.fault);
  override readonly rate = this.parameters.requestsPerSecond;
  readonly truth = { anomalies: [this.mechanism.cause], at: 'store' } as const;
  readonly faultMs = parseDuration(this.parameters.fault.duration);
  readonly settleMs = parseDuration(this.parameters.settle);
  readonly faultTitle = `${this.mechanism.title} for ${formatDuration(this.faultMs)}`;
  /** It has to fit into one window: counts are compared within it. */
  readonly storyMs = this.countdownMs + this.faultMs + this.settleMs + this.timeoutMs;
  /**
   * Drift that is not yet a violation, in requests: the traffic of {@link LATE_SYNC_MS}, but at most half of the limit.
   */
  readonly tolerance = Math.min(
    Math.ceil((this.rate * LATE_SYNC_MS) / 1000),
    Math.floor(this.limit.requests / 2),
  );
  readonly invariant =
    `the pods admit at most ${this.tolerance} requests, plus the lag of the baseline, that Redis has not counted (at ${this.rate} requests a second)`;

  constructor(scenario: ScenarioSpec, limiter: RateLimiterSpec) {
    super(scenario, limiter, api);
  }

  /**
   * Lenient before Setup: the time for the proof of the pause, and the lag without a fault, which raises the bound, are
   * only known once measured.
   */
  unprovable(pods: number, baseline?: Pick<Baseline, 'lags' | 'writeMaxMs'>): string | undefined {
    const { faultMs, limiter, parameters, rate, scenario, tolerance } = this;
    const { requests } = limiter.limit;
    const { duration } = parameters.fault;
    const name = `scenario ${scenario.name}`;
    const unsuited = uncountable(limiter);
    if (unsuited !== undefined) return `${name}: ${unsuited}`;
    if (!this.mechanism.holdsWrites) {
      return `${name}: CounterDrift needs a fault that holds writes of Redis back, and counterDrift.fault does not: use Stall without via, or StoreOutage`;
    }
    const fields = 'countdown, counterDrift.fault.duration, counterDrift.settle, and health.timeout';
    const late = this.tooLongForWindow(fields);
    if (late !== undefined) return late;
    // The proof takes at most half of the fault, and no traffic is sent before it.
    const proofMs = Math.min(holdFor(baseline?.writeMaxMs ?? 0), faultMs / 2);
    const checks = Math.floor((rate * (faultMs - proofMs)) / 1000);
    const sends = `counterDrift sends ${checks} checks (${rate} a second for what the proof leaves of ${duration})`;
    const most = pods * requests;
    if (scenario.expect === 'Held' && checks < most) {
      return `${name}: Held needs limit.requests ${requests} checks on each of ${counted(pods, 'pod')} = ${most}. But ${sends}: raise counterDrift.requestsPerSecond or fault.duration, or lower ${PART}.limit.requests`;
    }
    const lag = baseline?.lags.get(rate)?.lag ?? 0;
    const bound = tolerance + lag;
    if (checks > bound) return undefined;
    const what = lag > 0 ? `the tolerance and the lag without a fault (${lag}) are` : 'the tolerance is';
    return `${name}: ${sends}, and ${what} ${bound}: raise counterDrift.requestsPerSecond or fault.duration`;
  }
}

/** Why no count can be read that only grows within a window; undefined: one can. */
function uncountable({ http, limit }: RateLimiterSpec): string | undefined {
  if (http.identity === 'SourceAddress') {
    return `CounterDrift measures without a fault how far counts lag, with separate callers, and with ${PART}.http.identity SourceAddress there is one caller: use StoreOutage or GhostAllowing`;
  }
  if (limit.algorithm === 'FixedWindow' || limit.algorithm === 'SlidingWindow') return undefined;
  return `CounterDrift needs a count that only grows within a window, so ${PART}.limit.algorithm FixedWindow or SlidingWindow, not ${limit.algorithm}: use StoreOutage or GhostAllowing`;
}
