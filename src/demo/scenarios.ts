/**
 * Results of the scenarios, whatever the current chapter: faults are observed from start to end and through the time to
 * settle, and judged by the observations. A result, once set, stays.
 */
import type { FaultStatus, Measure, Reason, ScenarioResult, ScenarioStatus } from '../api/index.ts';
import { counted, DETECTED_AFTER, LIMITS, RECOVERED_AFTER, truncate } from '../api/index.ts';
import type { Context } from './context.ts';
import { faultDeadline, iso, isPossiblyActive, ms, wake, watchEnd } from './context.ts';
import type { FaultReport, InvariantReading, RecoveryReport } from './observed.ts';
import { announcement, goneMessage } from './observed.ts';
import { CONFIDENCE, excludedAbove } from './power.ts';
import type { Scenario } from './subject.ts';

/** How long after the end of an observation its last sample may still arrive. */
const LAST_SAMPLE_MS = 2000;

/** How far before the end of an observation its last sample may be: five sampling intervals. */
const SAMPLE_SLACK_MS = 500;

/** Adds the observations to every scenario that has a fault. */
export function updateScenarios(context: Context): void {
  for (const scenario of context.scenarios) {
    const entry = context.draft.scenarios?.find(({ name }) => name === scenario.name);
    if (!entry?.fault) continue;
    const report = context.observed.faults[entry.fault.id];
    if (report && !report.missed && isAnnouncedHere(context, entry.fault))
      applyFaultReport(entry, entry.fault, report);
    if (!closeUnobserved(entry.fault, context.now)) wake(context, faultDeadline(entry.fault));
    applyReading(context, scenario, entry, entry.fault);
  }
}

function isAnnouncedHere({ observed }: Context, fault: FaultStatus): boolean {
  return observed.announced.has(announcement(fault));
}

/** Adds what is known of a fault by now. */
export function applyFaultReport(entry: ScenarioStatus, fault: FaultStatus, report: FaultReport): void {
  if (report.startedAt !== undefined) fault.startedAt ??= iso(report.startedAt);
  if (report.endedAt !== undefined) fault.endedAt ??= iso(report.endedAt);
  if (report.proof) fault.proof = report.proof;
  // A fault whose end was not observed keeps the message about that.
  if (fault.endedAt === undefined || report.endedAt !== undefined) {
    fault.message = truncate(report.message, LIMITS.message);
  }
  if (!entry.evidence) setEvidence(entry, report.evidence);
}

/**
 * Ends a fault whose end was not observed at its bound, and states that in `endedAt` and in the message.
 * @returns false: its end may yet be observed, or be due
 */
export function closeUnobserved(fault: FaultStatus, now: number): boolean {
  if (fault.endedAt || !fault.proof) return true;
  if (now < faultDeadline(fault)) return false;
  fault.endedAt = fault.until;
  fault.message = truncate(
    `${fault.message ? `${fault.message.replace(/\.$/, '')}. ` : ''}Its end was not observed; it ended automatically by ${fault.until} at the latest`,
    LIMITS.message,
  );
  return true;
}

function applyReading(context: Context, scenario: Scenario, entry: ScenarioStatus, fault: FaultStatus): void {
  const { now, observed } = context;
  const reading = observed.readings[fault.id];
  if (!fault.proof) return;
  const end = watchEnd(fault, scenario, reading);
  const final =
    now >= end && (!isBeingObserved(fault, scenario, reading, now) || !isAnnouncedHere(context, fault));
  if (!final) wake(context, now < end ? end : now + 100);

  conclude(entry, fault, reading, final ? end : undefined, goneMessage(observed));
  if (reading && entry.result !== undefined) applyFigures(entry, observed.faults[fault.id], reading);
  if (!reading && entry.result === 'Violated') markInterrupted(context, entry, end + LAST_SAMPLE_MS);
}

/** Sets the result of an entry from the observations, once there is one; see {@link judge}. */
export function conclude(
  entry: ScenarioStatus,
  fault: FaultStatus,
  reading: InvariantReading | undefined,
  watchedTo: number | undefined,
  gone: string | undefined,
): void {
  const judgement = judge(fault, reading, watchedTo, gone);
  if (!judgement || entry.result !== undefined) return;
  entry.result = judgement.result;
  entry.reason = judgement.reason;
  entry.message = truncate(judgement.message, LIMITS.message);
  if (judgement.result === 'Violated' && reading?.detectedAt !== undefined) {
    setMeasures(entry, reading.measures);
    addTime(entry, DETECTED_AFTER, reading.detectedAt - (reading.brokenAt ?? reading.detectedAt));
  }
}

/** Message for figures that were not observed to the end. */
const OBSERVATION_INTERRUPTED =
  '. The operator restarted or lost its lead before the watch was over: these figures may have grown';

/**
 * Marks a result given by another process: its figures are those of that time. Figures grow until the observation ends
 * (`final`), and go into the status with the next transition after that.
 */
function markInterrupted({ draft, subject }: Context, entry: ScenarioStatus, final: number): void {
  const { message = '' } = entry;
  const times = (draft.chapters ?? []).flatMap(({ doneAt, startedAt }) =>
    [startedAt, doneAt].flatMap((time) => (time === undefined ? [] : [ms(time)])),
  );
  if (message.endsWith(OBSERVATION_INTERRUPTED) || times.some((time) => time >= final)) return;
  entry.message =
    truncate(message, LIMITS.message - OBSERVATION_INTERRUPTED.length) + OBSERVATION_INTERRUPTED;
  const known = subject.api.faults.find(({ type }) => type === entry.type)?.measures ?? [];
  const growing = new Set(known.filter(({ grows }) => grows).map(({ name }) => name));
  entry.measures = (entry.measures ?? []).map((measure) =>
    growing.has(measure.name) ? { ...measure, atLeast: true } : measure,
  );
  const { summary } = entry;
  if (summary !== undefined && !summary.startsWith(AT_LEAST))
    entry.summary = truncate(AT_LEAST + summary, 32);
}

const AT_LEAST = '>= ';

/** Takes the current figures. Growth alone is not worth a write: see `isTransition`. */
export function applyFigures(
  entry: ScenarioStatus,
  report: FaultReport | undefined,
  reading: InvariantReading,
): void {
  setMeasures(entry, reading.measures);
  entry.summary = truncate(reading.summary, 32);
  setEvidence(entry, [...(report?.evidence ?? []), ...reading.evidence]);
}

/** Takes the result of the check after the fault, once the subject was seen to work again. */
export function applyRecovery(
  entry: ScenarioStatus,
  fault: FaultStatus,
  { measures, restedAt }: Pick<RecoveryReport, 'measures' | 'restedAt'>,
): void {
  addMeasures(entry, measures);
  if (restedAt === undefined) return;
  addTime(entry, RECOVERED_AFTER, restedAt - ms(fault.endedAt ?? fault.until));
}

/** Sets measures of an entry before those that it has under other names. */
function setMeasures(entry: ScenarioStatus, measures: readonly Measure[]): void {
  const all = [...measures, ...otherMeasures(entry, measures)].slice(0, LIMITS.measures);
  if (all.length > 0) entry.measures = all.map((measure) => ({ ...measure }));
}

/** Adds measures after the others, the first of which decides. */
function addMeasures(entry: ScenarioStatus, measures: readonly Measure[]): void {
  if (measures.length === 0) return;
  entry.measures = [...otherMeasures(entry, measures), ...measures].slice(0, LIMITS.measures);
}

function otherMeasures({ measures = [] }: ScenarioStatus, than: readonly Measure[]): Measure[] {
  const names = new Set(than.map(({ name }) => name));
  return measures.filter(({ name }) => !names.has(name));
}

/** Adds a time in milliseconds; without a measure that decides, nothing was judged. */
function addTime(entry: ScenarioStatus, name: string, time: number): void {
  if (!entry.measures?.length) return;
  addMeasures(entry, [{ name, value: Math.max(0, Math.round(time)), unit: 'ms' }]);
}

function setEvidence(entry: ScenarioStatus, evidence: readonly string[]): void {
  if (evidence.length === 0) return;
  entry.evidence = evidence.slice(0, LIMITS.evidenceItems).map((line) => truncate(line, LIMITS.evidence));
}

/** Whether the invariant of a fault is still to be observed. */
export function isBeingObserved(
  fault: FaultStatus,
  scenario: Scenario,
  reading: InvariantReading | undefined,
  now: number,
): boolean {
  const end = watchEnd(fault, scenario, reading);
  if (now < end) return true;
  if (!fault.endedAt && isPossiblyActive(fault, now)) return true;
  return (reading?.watchedUntil ?? 0) < end && now < end + LAST_SAMPLE_MS;
}

interface Judgement {
  result: ScenarioResult;
  reason: Reason;
  message: string;
}

/**
 * The result that follows from the observations; undefined while it is open. Violated needs a fault that was proven.
 * Held also needs complete observations. Everything else is Inconclusive. `watchedTo`: the end of the observation once
 * it is over; `gone`: which pods left during it.
 */
export function judge(
  fault: FaultStatus,
  reading: InvariantReading | undefined,
  watchedTo: number | undefined,
  gone?: string,
): Judgement | undefined {
  if (fault.proof !== 'Confirmed') {
    const message = fault.message ?? 'The fault was ordered, and it was not proven that it was there';
    return { result: 'Inconclusive', reason: 'FaultNotProven', message };
  }
  if (reading?.detectedAt !== undefined) {
    const brokenAt = reading.brokenAt ?? reading.detectedAt;
    const outside = timeOutsideFault(brokenAt, fault);
    if (outside === undefined) {
      const after = Math.max(0, Math.round(reading.detectedAt - brokenAt));
      const message = `${figures(reading.whenDetected ?? reading.measures[0], 'so far')}; detected ${after} ms after the violation`;
      return { result: 'Violated', reason: 'Violated', message };
    }
    const message = `The invariant was violated ${outside}, so the fault was not the cause: ${figures(reading.whenDetected ?? reading.measures[0], 'then')}`;
    return { result: 'Inconclusive', reason: 'EvidenceIncomplete', message };
  }
  if (watchedTo === undefined) return undefined;
  if (!reading) {
    const message = 'The operator restarted or lost its lead while it had to watch the invariant';
    return { result: 'Inconclusive', reason: 'ObservationLost', message };
  }
  const shortfalls = [...reading.shortfalls];
  if (!fault.startedAt) shortfalls.push('the start of the fault was not seen');
  if (reading.watchedUntil < watchedTo - SAMPLE_SLACK_MS)
    shortfalls.push('the watch broke off before its end');
  if (shortfalls.length > 0) {
    if (gone) shortfalls.unshift(gone);
    // The measure may be far above the bound: only the proof that the fault caused it is missing.
    const measured =
      reading.measures.length > 0 ? `Measured ${reading.summary}, but` : 'Nothing was judged, since';
    const message = `${measured} the proof is incomplete: ${shortfalls.join('; ')}`;
    return { result: 'Inconclusive', reason: 'EvidenceIncomplete', message };
  }
  const { trials } = reading;
  const excluded =
    trials === undefined
      ? ''
      : `. At ${CONFIDENCE} % confidence this excludes a violation in more than ${excludedAbove(trials)} % of such trials`;
  const tried = counted(trials ?? 1, 'trial');
  // Measures without a bound are judged together, by what the spec accepts.
  const message =
    reading.measures[0]?.bound === undefined
      ? `Found ${reading.summary} in ${tried}, which the spec accepts${excluded}`
      : `No violation in ${tried}: ${figures(reading.measures[0], 'at most')}${excluded}`;
  return { result: 'Held', reason: 'Held', message };
}

/** "86 ms after the fault": describes a time outside the fault, as far as it is known; undefined: it is inside. */
function timeOutsideFault(at: number, { startedAt, endedAt }: FaultStatus): string | undefined {
  // Times in a status are integer milliseconds.
  if (startedAt !== undefined && at < ms(startedAt) - 1)
    return `${Math.ceil(ms(startedAt) - at)} ms before the fault`;
  if (endedAt !== undefined && at > ms(endedAt) + 1)
    return `${Math.ceil(at - ms(endedAt))} ms after the fault`;
  return undefined;
}

/**
 * "queued 30 requests so far, bound 6"; `of` names what the figure measures. It may grow after the break was noticed.
 */
function figures(measure: Measure | undefined, of: string): string {
  if (!measure) return 'nothing was measured';
  const { atLeast, bound, name, unit, value } = measure;
  const measured = `${name} ${atLeast ? 'at least ' : ''}${value} ${unit} ${of}`;
  return bound === undefined ? measured : `${measured}, bound ${bound}`;
}
