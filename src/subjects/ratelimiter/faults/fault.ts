/**
 * What a fault is to the rate limiter: a folder with a {@link Fault}, listed in
 * index.ts. The pure part says what it takes and what it does; `open` gives the
 * part that touches the limiter and its Redis, one for each attempt.
 */
import type { CelRule, DurationTerm, FaultApi, Measure, ScenarioSpec } from '../../../api/index.ts';
import { fieldInCel, ifDurations, sumInCel, sumOfTerms, termsInCel } from '../../../api/index.ts';
import type { ChapterPlan } from '../../../demo/chapter.ts';
import type {
  Admission,
  FaultReport,
  InvariantReading,
  OrphanFinding,
  Prepared,
  RecoveryReport,
} from '../../../demo/observed.ts';
import type { FaultEvidence, Permit, Scenario } from '../../../demo/subject.ts';
import type { Baseline } from '../baseline.ts';
import type { EventOf } from '../history/events.ts';
import type { History } from '../history/history.ts';
import type { CallerAccess } from '../interfaces/caller-access.ts';
import { MEMBER, PART, type RateLimiterSpec } from '../schema.ts';
import type { Toolkit } from '../tools.ts';
import type { FaultTruth } from './truth.ts';

export interface Fault {
  readonly api: FaultApi;
  /** Of its own, besides that its story fits into a window; across the spec, as in {@link SubjectApi.rules}. */
  readonly rules: readonly CelRule[];
  /** Whether it can be cut short: it pauses Redis, and ends with that pause. See `Scenario`. */
  readonly releasable: boolean;
  /** What it does, to grade a diagnosis by. */
  readonly truth: FaultTruth;
  /** Whether its chapters are left out of the story, and not told as skipped, where no scenario is of its type. */
  readonly optional?: boolean;
  /** In the order of the story; `of` is filled in. */
  readonly chapters: readonly Omit<ChapterPlan, 'of'>[];
  /** In CEL: the limiters whose windows may end within the story. Left out: it has to fit into one of any limiter. */
  readonly windowMayEnd?: LimiterRule;
  /** The durations for whose sum an attempt's keys have to be usable, and that mostly have to fit into one window. */
  readonly story: readonly DurationTerm[];
  /** What the story takes beyond those durations; milliseconds. */
  beyondStoryMs?(scenario: ScenarioSpec, limiter: RateLimiterSpec): number;
  /** How often an attempt waits, before it is ready, until the limit of the one caller is whole again; default: once. */
  readonly restsToPrepare?: number;
  /** Every key that an attempt with this fixture may set up, whatever its parameters; default: the fixture alone. */
  keysOf?(fixture: string): readonly string[];
  /** What the framework needs to know of a scenario, but what {@link planOf} fills in. */
  plan(
    scenario: ScenarioSpec,
    limiter: RateLimiterSpec,
  ): Omit<Scenario, 'name' | 'type' | 'expect' | 'countdownMs' | 'storyMs' | 'releasable'>;
  /** Requests per second of its steady traffic over all nodes, where it has some. */
  rate?(scenario: ScenarioSpec): number;
  /**
   * Why no run on so many pods can end as expected, with what to change; undefined: one can. Asked before a run
   * begins, and again with the baseline, before anything is injected.
   */
  unprovable(
    scenario: ScenarioSpec,
    limiter: RateLimiterSpec,
    pods: number,
    baseline?: Pick<Baseline, 'lags' | 'writeMaxMs'>,
  ): string | undefined;
  /** Judges a history as it grows. Pure: what was seen in a run is judged the same from a file. */
  judge(history: History): Judge;
  /** Connects nothing yet. */
  open(scenario: ScenarioSpec, toolkit: Toolkit, access: CallerAccess): FaultAttempt;
}

/** What a history has shown so far. */
export interface Judge {
  /** Undefined while there is nothing to read. */
  reading(): InvariantReading | undefined;
  /** What the fault left, once the subject was seen to work again. */
  recovered?(): readonly Measure[];
}

/** One attempt of a fault, and all that this process has seen of it. */
export interface FaultAttempt {
  /** Sets up a key. @throws an error whose message says what to do; what it made is gone then */
  prepare(key: string, signal: AbortSignal): Promise<Preparation>;
  /**
   * Injects the fault, once. Asks `permit` right before the command.
   * @throws only before anything was sent
   */
  inject(
    moment: { readonly plannedAt: number; readonly until: number },
    permit: Permit,
    signal: AbortSignal,
  ): Promise<FaultReport>;
  /** Waits for the end of a fault that goes on after `inject`, and tells of it. */
  awaitEnd?(tell: (report: FaultReport) => void, signal: AbortSignal): Promise<void>;
  /** Holds what is seen against the invariant, until `signal` aborts. */
  watch(tell: (reading: InvariantReading) => void, signal: AbortSignal): Promise<void>;
  /** Steady traffic, until `signal` aborts. */
  load?(signal: AbortSignal): Promise<void>;
  /** Proves that the fault is over and looks at what it left. */
  recover(settleMs: number, signal: AbortSignal): Promise<RecoveryReport>;
  /** All that was recorded; undefined before it was prepared, and if another process prepared it. */
  readonly history: History | undefined;
  /** What was seen so far; undefined where another process saw it. */
  evidence(): FaultEvidence | undefined;
  /** Takes in what others see while the fault is watched: health, and pods that go. */
  observe(event: ObservedEvent): void;
  /** Whether a fault of a process that is gone was injected. Not there: nobody can tell. */
  inquire?(marker: string): Promise<OrphanFinding>;
}

/** What is seen around a fault by others than the attempt itself. */
export type ObservedEvent = EventOf<'gone' | 'health' | 'probe'>;

/** A key that was set up, or that nothing may be injected any more. */
export type Preparation =
  | { readonly prepared: Omit<Prepared, 'sequence'> }
  | { readonly refused: Extract<Admission, { state: 'refused' }> };

/**
 * The parameters of scenarios, defaults filled in where the member was left out:
 * a CRD cannot default a member by the type beside it.
 */
export function parametersBy<P extends object>(api: {
  readonly member: string;
  readonly schema: { parse(value: unknown): P };
}): (scenario: ScenarioSpec) => P {
  const defaults = api.schema.parse({});
  return (scenario) => (scenario[api.member] as P | undefined) ?? defaults;
}

/** A scenario as the framework needs it. */
export function planOf(
  { api, beyondStoryMs, plan, releasable, story }: Fault,
  scenario: ScenarioSpec,
  limiter: RateLimiterSpec,
): Scenario {
  const fault = parametersBy<object>(api)(scenario);
  const sum = (terms: readonly DurationTerm[]): number =>
    sumOfTerms(terms, { scenario, fault, subject: limiter });
  return {
    name: scenario.name,
    type: api.type,
    expect: scenario.expect,
    countdownMs: sum([{ of: 'scenario', field: 'countdown' }]),
    storyMs: sum(story) + (beyondStoryMs?.(scenario, limiter) ?? 0),
    releasable,
    ...plan(scenario, limiter),
  };
}

/** A rule for the scenarios `s` of a fault's type. */
export function scenarioRule({ type }: FaultApi, rule: string): string {
  return `self.scenarios.all(s, s.type != '${type}' || ${rule})`;
}

/** Some limiters in CEL, and how a message names the others. */
export interface LimiterRule {
  readonly rule: string;
  readonly others: string;
}

const http = `self.${PART}.interface.http`;
/** Limiters behind HTTP: of each burst the sender's own count decides. */
export const BEHIND_HTTP: LimiterRule = { rule: `has(${http})`, others: 'interface.type Reference' };
/** Those of them to which each key is another caller. */
export const WITH_KEYS: LimiterRule = {
  rule: `(has(${http}) && ${http}.identity == 'Key')`,
  others: 'interface.type Reference or interface.http.identity SourceAddress',
};

/** Every rule of a fault: that its story fits into one window, if it has to, and its own. */
export function rulesOf({ api, rules, story, windowMayEnd }: Fault): CelRule[] {
  const window = `self.${PART}.limit.window`;
  const terms = new Set(termsInCel(story, api, MEMBER));
  const fits = `${sumInCel(story, api, MEMBER)} < duration(${window})`;
  const names = story.map(({ of, field }) => (of === 'fault' ? `${api.member}.${field}` : field));
  return [
    {
      rule: scenarioRule(
        api,
        `(${windowMayEnd ? `${windowMayEnd.rule} || ` : ''}${ifDurations([...terms, window], fits)})`,
      ),
      message: `${windowMayEnd ? `with ${windowMayEnd.others}, ` : ''}${names.join(' + ')} must be less than limit.window, so that the whole story of a fault fits into one window: shorten these, or lengthen the window${windowMayEnd ? '' : '; behind HTTP, StoreOutage takes any window'}`,
    },
    ...rules,
  ];
}

/** A number among a fault's parameters in CEL, of a scenario `s`. */
export function numberInCel(api: FaultApi, field: string): string {
  const defaults = api.schema.parse({}) as Record<string, unknown>;
  return fieldInCel(api.member, field, Number(defaults[field]));
}
