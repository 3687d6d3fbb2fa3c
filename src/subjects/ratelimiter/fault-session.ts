/**
 * All that this session knows of one fault: its key's window, its span, its
 * invariant and the timeline for its diagnosis. No input or output.
 */
import { counterDriftOf, type ScenarioSpec } from '../../api/index.ts';
import type { FaultReport, InvariantReading } from '../../demo/observed.ts';
import type { Scenario } from '../../demo/subject.ts';
import type { Baseline } from './baseline.ts';
import type { BurstResult } from './burst.ts';
import type { CounterSample } from './counter-sample.ts';
import { DriftInvariant } from './drift-invariant.ts';
import { GhostInvariant } from './ghost-invariant.ts';
import type { LimitWindow } from './setup-limit.ts';
import type { TrafficListener } from './steady-traffic.ts';
import type { RateLimiterTarget } from './target.ts';
import { Timeline } from './timeline.ts';

export class FaultSession {
  readonly scenario: Scenario;
  readonly window: LimitWindow;
  readonly timeline: Timeline;
  readonly #now: () => number;
  readonly #drift: DriftInvariant | undefined;
  readonly #ghosts: GhostInvariant | undefined;
  /** Planned end; moved to the real plan when the fault is injected. */
  until = Number.POSITIVE_INFINITY;

  constructor(
    parts: {
      readonly scenario: Scenario;
      readonly spec: ScenarioSpec;
      readonly target: RateLimiterTarget;
      readonly window: LimitWindow;
      readonly baseline: Baseline | undefined;
    },
    now: () => number,
  ) {
    const { scenario, spec, target, window, baseline } = parts;
    const nodes = target.nodes.map(({ name }) => name);
    const { limit } = window;
    this.scenario = scenario;
    this.window = window;
    this.#now = now;
    if (scenario.type === 'CounterDrift') {
      const { threshold } = counterDriftOf(spec);
      this.#drift = new DriftInvariant({ nodes, limit, threshold, lag: baseline?.lag });
    } else {
      this.#ghosts = new GhostInvariant({ nodes, limit });
    }
    this.timeline = new Timeline(target);
    this.timeline.limit(now(), limit);
    if (baseline) {
      this.timeline.writeAccepted(now(), baseline.writeMaxMs, ', the slowest without a fault');
      this.timeline.lag(now(), baseline.lag);
    }
  }

  takeSample(sample: CounterSample): void {
    const complete = (this.#drift ?? this.#ghosts)?.add(sample);
    if (!complete) return;
    this.timeline.sample(complete);
    if (this.#drift) this.timeline.traffic(complete.endedAt, this.#drift.traffic);
  }

  takeBurst(burst: BurstResult): void {
    this.#ghosts?.setBurst(burst, this.#now());
    this.timeline.burst(burst);
  }

  /** Where steady traffic reports to. */
  trafficListener(): TrafficListener {
    const drift = this.#drift;
    return {
      sent: (node) => drift?.sent(node),
      answered: (node, allowed) => drift?.answered(node, allowed, this.#now()),
      unanswered: (node) => drift?.unanswered(node),
    };
  }

  /** Where the invariant stands, given what is known of the fault. */
  reading(report: FaultReport | undefined): InvariantReading | undefined {
    const span = {
      until: this.until,
      ...(report?.startedAt !== undefined && { startedAt: report.startedAt }),
      ...(report?.endedAt !== undefined && { endedAt: report.endedAt }),
    };
    return (this.#drift ?? this.#ghosts)?.reading(span);
  }

  /** What a diagnosis may know, with times relative to the start of the fault. */
  request(report: FaultReport | undefined): {
    scenario: string;
    components: Timeline['components'];
    observations: ReturnType<Timeline['observations']>;
  } {
    if (this.#drift) this.timeline.traffic(this.#now(), this.#drift.traffic, true);
    return {
      scenario: this.scenario.name,
      components: this.timeline.components,
      observations: this.timeline.observations(report?.startedAt ?? this.#now()),
    };
  }
}
