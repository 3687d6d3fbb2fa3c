/**
 * Judges and draws histories again, only from their lines: with the same judges and conclusions as in a run, and without
 * a cluster or a store. Everything that a run shows is derived here, and anyone can recompute what it published.
 */
import { type Mechanism, NOT_RECORDED, unshown } from '@chaosdemo/redis-faults';
import type { FaultStatus, ScenarioSpec, ScenarioStatus } from '../../api/index.ts';
import { bandsOf, detectionsOf } from '../../engine/evidence.ts';
import { watchEnd } from '../../engine/fault-times.ts';
import { type FaultReport, goneMessage } from '../../engine/observed.ts';
import {
  applyFaultReport,
  applyFigures,
  applyRecovery,
  closeUnobserved,
  conclude,
} from '../../engine/scenarios.ts';
import { iso } from '../../engine/time.ts';
import type { FaultEvidence } from '../../evidence/index.ts';
import type { HistoryEvent } from '../history/events.ts';
import { History } from '../history/history.ts';
import { HistoryFormatError, LinesDigest, parsed, readLines } from '../history/json-lines.ts';
import { Possible } from '../history/possible.ts';
import type { FaultTimes } from '../history/recorded.ts';
import { historySetup, type Setup } from '../history/setup.ts';
import { Judge } from '../scenarios/judge.ts';
import {
  type ScenarioType,
  type SubjectKind,
  scenarioOf,
  scenarioTypeOf,
} from '../scenarios/scenario-type.ts';

/** Events of a history after which everything before them is judged: a run records some ten. */
const MOST_STEPS = 40;

/**
 * The result of each history in these lines, as in the status of a run: result, reason, message, summary, measures
 * evidence, and the digest of its lines.
 * @param onTrusted gets the name of each scenario whose fault has a proof that its history does not show
 * @throws HistoryFormatError that names the line, if it is damaged or no run records it so
 */
export async function replay(
  lines: Lines,
  kinds: readonly SubjectKind[],
  onTrusted: (scenario: string) => void = () => undefined,
): Promise<ScenarioStatus[]> {
  const replays = await replaysOf(lines, kinds);
  return replays.map((replayed) => {
    const entry = replayed.end();
    const why = replayed.impossible();
    if (why !== undefined) throw new HistoryFormatError(`the history of ${entry.name}: ${why}`);
    if (replayed.isTrusted()) onTrusted(entry.name);
    return { ...entry, history: replayed.digest.value };
  });
}

/**
 * The observations in the lines of one history, as evidence.
 * @throws HistoryFormatError as {@link replay}
 */
export async function evidenceIn(
  lines: Lines,
  kinds: readonly SubjectKind[],
): Promise<FaultEvidence | undefined> {
  return (await replaysOf(lines, kinds)).at(-1)?.evidence();
}

/** The same of a history in memory. */
export function evidenceOf(
  { events, setup }: Pick<History, 'events' | 'setup'>,
  type: ScenarioType,
): FaultEvidence | undefined {
  const one = replayOf(setup, type);
  for (const event of events) one.take(event);
  return one.evidence();
}

type Lines = Iterable<string> | AsyncIterable<string>;

async function replaysOf(lines: Lines, kinds: readonly SubjectKind[]): Promise<ScenarioReplay[]> {
  const types = kinds.flatMap((kind) => kind.types);
  const read: ScenarioReplay[] = [];
  let possible: Possible | undefined;
  await readLines(lines, {
    schemaOf: (value) =>
      (kinds.find(({ recordedAs }) => recordedAs in value) ?? kinds[0])?.setup ?? historySetup,
    setup(setup, text) {
      const replayed = replayOf(setup, scenarioTypeOf({ types }, setup.scenario.type));
      replayed.digest.add([text]);
      read.push(replayed);
      possible = new Possible(setup);
    },
    event(event, text) {
      possible?.take(event);
      read.at(-1)?.take(event);
      read.at(-1)?.digest.add([text]);
    },
  });
  return read;
}

type ScenarioReplay = ReturnType<typeof replayOf>;

/** @throws RangeError for a scenario that no run can have */
function replayOf(given: Setup, type: ScenarioType) {
  const setup = { ...given, scenario: withParameters(type, given.scenario) };
  const history = new History(setup);
  const judge = new Judge(history, type);
  const { plan } = judge;
  const scenario = scenarioOf(plan);
  const entry: ScenarioStatus = { name: scenario.name, type: scenario.type, expect: scenario.expect };
  /** Of its lines. */
  const digest = new LinesDigest();
  const gone = new Set<string>();
  let fault: FaultStatus | undefined;
  let report: FaultReport | undefined;
  /** Why the events before the last report do not show it. */
  let why: string | undefined;
  let [steps, isDetected] = [0, false];

  /** @throws RangeError for more to judge than a run records, which would take hours */
  const isStep = (event: HistoryEvent): boolean => {
    const wasDetected = isDetected;
    isDetected ||= judge.isDetected;
    // There may be a hundred thousand samples, and only one detects.
    if (event.kind === 'count') return isDetected && !wasDetected;
    const is = judge.changes(event);
    if (is) steps += 1;
    if (steps > MOST_STEPS) throw new RangeError(`there are more than ${MOST_STEPS} steps of the fault`);
    return is;
  };

  const takeFault = (event: Extract<HistoryEvent, { kind: 'fault' }>): void => {
    if (event.step === 'Planned') {
      fault = { id: scenario.name, plannedAt: iso(event.at), until: iso(event.until) };
      entry.fault = fault;
    } else if (event.step === 'Reported') {
      const { kind: _, step: __, ...reported } = event;
      report = reported as FaultReport;
      why = unshownIn(history, plan.mechanism, event.proof, history.times);
      if (fault) applyFaultReport(entry, fault, report);
    }
  };

  const concludeAt = (watchedTo: number | undefined): void => {
    if (!fault?.proof) return;
    const reading = judge.reading();
    const pods = setup.pods.map((name) => ({ name, uid: '', imageId: '' }));
    const left = goneMessage({ gone: [...gone], target: { pods, store: '' } });
    conclude(entry, fault, reading, watchedTo, left);
    if (reading && entry.result !== undefined) applyFigures(entry, report, reading);
  };

  return {
    digest,

    /** @throws RangeError for an event that does not fit those before it */
    take(event: HistoryEvent): void {
      const { dropped } = history;
      history.append(event);
      if (history.dropped > dropped && event.kind !== 'dropped') return;
      if (event.kind === 'gone') for (const pod of event.pods) gone.add(pod);
      else if (event.kind === 'fault') takeFault(event);
      // Once there is a result it stays, and its figures are taken in the end.
      if (isStep(event) && entry.result === undefined) concludeAt(undefined);
    },

    end(): ScenarioStatus {
      if (!fault?.proof) return entry;
      closeUnobserved(fault, Number.POSITIVE_INFINITY);
      concludeAt(watchEnd(fault, scenario, judge.reading()));
      const recovered = history.last('recovered');
      if (recovered) {
        const { restedAt } = recovered;
        applyRecovery(entry, fault, { ...judge.recovered(), ...(restedAt !== undefined && { restedAt }) });
      }
      return entry;
    },

    /** Whether the fault has a proof that its history does not show. */
    isTrusted: (): boolean => why === NOT_RECORDED,

    /** Why no run records such a history; undefined: one may. */
    impossible(): string | undefined {
      if (why !== undefined && why !== NOT_RECORDED) return `its fault is not Confirmed: ${why}`;
      return type.impossible?.(history, plan);
    },

    /** What was observed so far. */
    evidence(): FaultEvidence | undefined {
      const seen = judge.evidence();
      const reading = judge.reading();
      if (fault) closeUnobserved(fault, reading?.watchedUntil ?? 0);
      return (
        seen && {
          ...seen,
          bands: [...(fault ? bandsOf(scenario, fault, reading) : []), ...seen.bands],
          detections: detectionsOf(reading),
        }
      );
    },
  };
}

/** Why what was recorded until now does not show a fault that is reported as Confirmed, as {@link unshown}. */
export function unshownIn(
  { events, times }: Pick<History, 'events' | 'times'>,
  mechanism: Mechanism | undefined,
  proof: FaultReport['proof'] | undefined,
  report: Pick<FaultTimes, 'endedAt' | 'startedAt'>,
): string | undefined {
  if (!mechanism || proof !== 'Confirmed') return undefined;
  const observed = events.filter((event) => event.kind === 'fault' || event.kind === 'probe');
  return unshown(mechanism, observed, report, times.until);
}

/** The scenario with the defaults of its parameters. @throws RangeError for parameters that the API server refuses */
function withParameters({ api: { member, schema } }: ScenarioType, scenario: ScenarioSpec): ScenarioSpec {
  return { ...scenario, [member]: parsed(schema, scenario[member] ?? {}, ['scenario', member]) };
}
