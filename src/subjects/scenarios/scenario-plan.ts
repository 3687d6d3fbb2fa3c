/** A scenario of a spec as its plan: all figures that follow from it and from its subject. Pure. */

import type { Mechanism } from '@chaosdemo/redis-faults';
import { parseDuration, type ScenarioSpec } from '../../api/index.ts';
import type { Setup } from '../history/setup.ts';
import { type PodsSpec, timeoutOf } from '../spec/pods-schema.ts';
import type { Controls } from './tools.ts';
import type { FaultTruth } from './truth.ts';

/** The member of a scenario with its parameters. */
export interface ParametersApi<P> {
  readonly member: string;
  readonly schema: { parse(value: unknown): P };
}

/** A scenario of a spec, and the figures that follow from it and from its subject. Durations in milliseconds. Pure. */
export abstract class ScenarioPlan<P extends object = object, S extends PodsSpec = PodsSpec> {
  readonly scenario: ScenarioSpec;
  /** The part of the spec. */
  readonly part: S;
  /** With defaults if the member was left out: a CRD cannot default a member by the type next to it. */
  readonly parameters: P;
  /** How problems begin. */
  readonly called: string;
  readonly countdownMs: number;
  /** How long one request to a pod may take, unless the scenario has its own patience. */
  readonly timeoutMs: number;
  /** Whether all its requests are of one caller. */
  readonly isOneCaller: boolean = false;
  /** The longest until the limit of the one caller is replenished, before the control and each part of a fault. */
  readonly cooldownMs: number = 0;
  /** The true cause, to grade a diagnosis; left out: no diagnosis is made. */
  declare readonly truth?: FaultTruth;
  abstract readonly faultMs: number;
  abstract readonly settleMs: number;
  abstract readonly faultTitle: string;
  abstract readonly invariant: string;
  /** How long an attempt's keys have to be usable from its announcement on. */
  abstract readonly storyMs: number;
  /** How its fault of the store is injected; undefined: it has none. */
  readonly mechanism: Mechanism | undefined;
  /** How long that fault stays after the end from which callers have to recover. */
  readonly lingerMs: number = 0;
  /** How often an attempt waits, before it is ready, until the limit of the one caller is replenished. */
  readonly cooldownsToPrepare: number = 1;
  /** Requests per second of its steady traffic over all pods, if there is any. */
  readonly rate: number | undefined;

  constructor(scenario: ScenarioSpec, part: S, { member, schema }: ParametersApi<P>) {
    this.scenario = scenario;
    this.part = part;
    this.called = `scenario ${scenario.name}`;
    this.parameters = (scenario[member] as P | undefined) ?? schema.parse({});
    this.countdownMs = parseDuration(scenario.countdown);
    this.timeoutMs = timeoutOf(part);
  }

  /** Requests per second that it sends to this many pods, bursts apart. */
  trafficTo(_pods: number): number {
    return this.rate ?? 0;
  }

  /** Whether it makes another server the primary of the store. */
  get failsOver(): boolean {
    return this.mechanism?.lasts === 'ForGood';
  }

  /** Callers of one attempt on this many pods, about; each takes an account, if those are named. */
  callersOn(_pods: number): number {
    return 1;
  }

  /**
   * Why no run on this many pods can end as expected, with what to change; undefined: one can. The only statement of
   * what must fit together: consulted before a run begins, and again with the baseline, before anything is injected.
   */
  abstract unprovable(pods: number, baseline?: Controls['baseline']): string | undefined;
}

/** What the checkers of a scenario know before the first event. */
export type Judged<S extends Setup = Setup, P extends ScenarioPlan = ScenarioPlan> = S & { readonly plan: P };
