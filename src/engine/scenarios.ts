/**
 * Results of the scenarios, whatever the current chapter: faults are observed from start to end and through the time to
 * settle, and judged by the observations. A result, once set, stays.
 */
import type { FaultStatus, Measures, ScenarioStatus } from '../api/index.ts';
import { DETECTED_AFTER, LIMITS, RECOVERED_AFTER, truncate } from '../api/index.ts';
import type { Context } from './context.ts';
import { faultDeadline, isPossiblyActive, watchEnd } from './fault-times.ts';
import { judge, SAMPLE_SLACK_MS } from './judgement.ts';
import type { FaultReport, InvariantReading, RecoveryReport } from './observed.ts';
import { announcement, goneMessage } from './observed.ts';
import type { Scenario } from './subject.ts';
import { iso, ms } from './time.ts';

/** How long after the end of an observation its last sample may still arrive. */
const LAST_SAMPLE_MS = 2000;

/** Adds the observations to every scenario that has a fault. */
export function updateScenarios(context: Context): void {
  for (const scenario of context.scenarios) {
    const entry = context.draft.scenarios?.find(({ name }) => name === scenario.name);
    if (!entry?.fault) continue;
    const report = context.observed.faults[entry.fault.id];
    if (report && !report.missed && isAnnouncedHere(context, entry.fault))
      applyFaultReport(entry, entry.fault, report);
    if (!closeUnobserved(entry.fault, context.now)) context.wake(faultDeadline(entry.fault));
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
  // A result may rest on a proof that failed, so a later report does not complete it.
  if (report.proof && (fault.proof ?? 'Confirmed') === 'Confirmed') fault.proof = report.proof;
  // A fault whose end was not observed keeps the message about that.
  if (fault.endedAt === undefined || report.endedAt !== undefined) {
    fault.message = truncate(report.message, LIMITS.message);
  }
  setEvidence(entry, detailsOf(report));
}

/** What a report shows besides its message, which is that of the fault. */
function detailsOf({ evidence, message }: FaultReport): readonly string[] {
  return evidence.filter((line) => line !== message);
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
    `${fault.message ? `${fault.message.replace(/\.$/, '')}. ` : ''}Its end was not observed; it was announced until ${fault.until}`,
    LIMITS.message,
  );
  return true;
}

function applyReading(context: Context, scenario: Scenario, entry: ScenarioStatus, fault: FaultStatus): void {
  const { now, observed } = context;
  const reading = observed.readings[fault.id];
  if (!fault.proof) return;
  const end = watchEnd(fault, scenario, reading);
  // Only the process that announced a fault observes it: after a takeover, nothing is worth a wait.
  const isObserved = isAnnouncedHere(context, fault);
  const final = !isObserved || (now >= end && !isBeingObserved(fault, scenario, reading, now));
  if (!final) context.wake(now < end ? end : now + 100);

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
    setFigures(entry, reading);
    // What is judged long after the fault was not detected then: that time is the length of the watch.
    if (reading.detectedAt <= ms(fault.endedAt ?? fault.until) + SAMPLE_SLACK_MS)
      addTime(entry, DETECTED_AFTER, reading.detectedAt - (reading.brokenAt ?? reading.detectedAt));
  }
}

/** Message for figures that were not observed to the end. */
const OBSERVATION_INTERRUPTED =
  '. The thread or process of the operator that watched ended, or lost its lead, before the watch was over: these figures may have grown';

/**
 * Marks a result given by another process: its figures are those of that time. Figures grow until the observation ends
 * (`final`), and go into the status with the next transition after that.
 */
function markInterrupted({ draft, subject }: Context, entry: ScenarioStatus, final: number): void {
  const { message = '' } = entry;
  const isFinal = draft.chapters?.some(
    ({ doneAt = '', startedAt = '' }) => ms(startedAt) >= final || ms(doneAt) >= final,
  );
  if (isFinal || message.endsWith(OBSERVATION_INTERRUPTED)) return;
  entry.message =
    truncate(message, LIMITS.message - OBSERVATION_INTERRUPTED.length) + OBSERVATION_INTERRUPTED;
  const known = subject.api.faults.find(({ type }) => type === entry.type)?.measures ?? [];
  const growing = new Set(known.filter(({ grows }) => grows).map(({ name }) => name));
  setFigures(entry, { atLeast: Object.keys(entry.measures ?? {}).filter((name) => growing.has(name)) });
  const { summary = AT_LEAST } = entry;
  if (!summary.startsWith(AT_LEAST)) entry.summary = truncate(AT_LEAST + summary, 32);
}

const AT_LEAST = '>= ';

/** Takes the current figures. Growth alone is not worth a write: see `isTransition`. */
export function applyFigures(
  entry: ScenarioStatus,
  report: FaultReport | undefined,
  reading: InvariantReading,
): void {
  setFigures(entry, reading);
  entry.summary = truncate(reading.summary, 32);
  setEvidence(entry, [...(report ? detailsOf(report) : []), ...reading.evidence]);
}

/** Takes the result of the check after the fault, once the subject was seen to work again. */
export function applyRecovery(
  entry: ScenarioStatus,
  fault: FaultStatus,
  { atLeast, measures, restedAt }: Omit<RecoveryReport, 'message'>,
): void {
  setFigures(entry, { atLeast, measures });
  if (restedAt === undefined) return;
  addTime(entry, RECOVERED_AFTER, restedAt - ms(fault.endedAt ?? fault.until));
}

/** Sets figures of an entry, next to those that it has under other names. */
function setFigures(entry: ScenarioStatus, { atLeast = [], bounds = {}, measures = {} }: Measures): void {
  const all = { ...entry.measures, ...measures };
  // Another writer may have added any names.
  const count = Object.keys(all).length;
  if (count > 0) entry.measures = count > LIMITS.measures ? measures : all;
  if (Object.keys(bounds).length > 0) entry.bounds = bounds;
  const least = new Set([...(entry.atLeast ?? []).filter((name) => !(name in measures)), ...atLeast]);
  if (least.size > 0) entry.atLeast = [...least];
  else delete entry.atLeast;
}

/** Adds a time in milliseconds; without a measure that decides, nothing was judged. */
function addTime(entry: ScenarioStatus, name: string, time: number): void {
  if (entry.measures) setFigures(entry, { measures: { [name]: Math.max(0, Math.round(time)) } });
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
  if (now < end || isPossiblyActive(fault, now)) return true;
  return (reading?.watchedUntil ?? 0) < end && now < end + LAST_SAMPLE_MS;
}
