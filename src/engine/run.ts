/**
 * A run from its start to its verdict: goes through the chapters, and stops early if it is aborted, superseded, no
 * longer allowed, or out of time.
 */
import type { ChaosDemoStatus, ChapterStatus, Reason, RunStatus, Verdict } from '../api/index.ts';
import { comparableKeys, LIMITS, parseDuration, printable, runKey, truncate } from '../api/index.ts';
import { admissionOf, requestAdmissionCheck } from './admission.ts';
import { type Chapter, placeOf } from './chapter.ts';
import type { Context } from './context.ts';
import { annotationOf, journalOf } from './context.ts';
import { applyAnswers, stopAwaitingAnswers } from './diagnoses.ts';
import { activeFault, faultDeadline, runDeadline } from './fault-times.ts';
import { fixturesOf } from './fixtures.ts';
import { announcement } from './observed.ts';
import { updateScenarios } from './scenarios.ts';
import { workOn } from './stages.ts';
import { iso, ms } from './time.ts';
import { phaseOfStop, resultOf, verdictOf, verdictOfStop } from './verdict.ts';

/** How long a stopped run waits for the proof that everything is undone, after the fault's own end. */
const RESTORE_DEADLINE_MS = 20_000;

/** Advances the active run as far as possible now. */
export function conductRun(context: Context): void {
  const run = currentRun(context);
  context.request('session');
  // Taken over from a process that no longer exists: one of its faults may be active.
  const { admission, target } = context.observed;
  if (admission.state !== 'granted' && !target) requestAdmissionCheck(context, true);
  updateScenarios(context);
  applyAnswers(context);
  context.draft.result = resultOf(context.draft);

  const { stoppingSince } = journalOf(context);
  const reason = reasonToStop(context, run);
  // One that cuts a fault short replaces one that lets it run to its end.
  if (reason && (stoppingSince === undefined || (cutsShort(reason) && !cutsShort(run)))) {
    beginStop(context, run, reason);
  }
  if (journalOf(context).stoppingSince !== undefined) return stop(context, run);

  playChapters(context, run);
  trackAwaiting(context, run);
}

function currentRun({ draft }: Context): RunStatus {
  if (!draft.run) throw new Error('no run is active');
  return draft.run;
}

/** A non-empty request that has not been acted on. A missing one requests nothing: GitOps tools strip annotations. */
export function newRequest(context: Context): string | undefined {
  // No schema bounds an annotation; the status stores this much of it.
  const requestedAt = printable(annotationOf(context, 'requestedAt')?.slice(0, LIMITS.request) ?? '');
  const isNew = requestedAt !== '' && requestedAt !== context.draft.lastHandledRunRequest;
  return isNew ? requestedAt : undefined;
}

/** Why a run is stopped. */
type StopReason = Pick<Verdict, 'reason' | 'message'>;

/** Whether a fault is cut short, rather than left to end automatically, if a run is stopped for this. */
function cutsShort({ reason }: Pick<RunStatus, 'reason'>): boolean {
  return phaseOfStop(reason) === 'Aborted';
}

function beginStop(context: Context, run: RunStatus, { message, reason }: StopReason): void {
  run.reason = reason;
  // The verdict takes its sentence from here, also after a restart.
  context.draft.message = truncate(message, LIMITS.message);
  journalOf(context).stoppingSince = iso(context.now);
}

/** Why the run has to stop before its last chapter, if it has to. */
function reasonToStop(context: Context, run: RunStatus): StopReason | undefined {
  const { demo, now, subject } = context;
  const journal = journalOf(context);
  const because = (reason: Reason, message: string): StopReason => ({ reason, message });

  if (annotationOf(context, 'abort') === String(run.number)) {
    return because('Aborted', `Run ${run.number} was aborted by annotation`);
  }
  const key = runKey(demo.spec, subject.api);
  if (!comparableKeys(journal.runKey ?? '', key)) journal.runKey = key;
  if (journal.runKey !== key) {
    return because('Superseded', `Run ${run.number} was superseded by a change of the spec`);
  }
  if (newRequest(context)) {
    return because('Superseded', `Run ${run.number} was superseded by a new request`);
  }
  const admission = admissionOf(context);
  if (admission.state === 'refused') {
    return because(admission.reason, `Run ${run.number} was stopped: ${admission.message}`);
  }
  const deadline = runDeadline(context.draft, demo.spec, now);
  if (now >= deadline) {
    const message = `Run ${run.number} took longer than spec.activeDeadline (${demo.spec.activeDeadline})`;
    return because('DeadlineExceeded', message);
  }
  context.wake(deadline);
  return undefined;
}

/**
 * Undoes what the run did and ends it. Cuts a fault short only if the reason requires it; otherwise waits for its end.
 */
function stop(context: Context, run: RunStatus): void {
  const { draft, now, observed } = context;
  const release = cutsShort(run);
  const number = placeOf(draft) + 1;
  if (number > 0) draft.chapter = chapterLine(draft, number, 'stopping');
  context.report({ kind: 'running', reason: 'Stopping', message: draft.message ?? '' });
  discardUnbegunFaults(context);

  const fault = activeFault(draft, now);
  if (fault && !release) return context.wake(faultDeadline(fault));

  const id = `${run.number}/stop`;
  const outcome = observed.restored[id];
  // A process that has just taken over had no time to undo anything before.
  const since = Math.max(
    ms(journalOf(context).stoppingSince ?? ''),
    observed.since,
    fault ? ms(fault.until) : 0,
  );
  const giveUpAt = since + RESTORE_DEADLINE_MS;
  if (!outcome && now < giveUpAt) {
    context.request({ kind: 'Restore', id, fixtures: fixturesOf(context), release });
    return context.wake(giveUpAt);
  }
  if (fault && outcome?.faultOver) {
    // The process that announced it has not injected it, and no longer can: the subject was proven to be free of it.
    if (now >= ms(fault.plannedAt)) fault.endedAt = iso(now);
    else for (const one of draft.scenarios ?? []) if (one.fault === fault) delete one.fault;
  }
  const restored = outcome?.message ?? 'The operator could not prove in time that everything was restored';
  if (number > 0) draft.chapter = chapterLine(draft, number, 'stopped');
  const why = { reason: run.reason, message: draft.message };
  finish(context, run, verdictOfStop(context, why, restored));
}

/**
 * Discards a fault that this process has announced and not begun: it was not injected and will not be, so there is
 * nothing to release and no cool-down.
 */
function discardUnbegunFaults({ draft, observed }: Context): void {
  for (const entry of draft.scenarios ?? []) {
    const { fault } = entry;
    if (!fault || fault.startedAt || fault.proof || observed.begun.has(fault.id)) continue;
    if (observed.announced.has(announcement(fault))) delete entry.fault;
  }
}

function finish(context: Context, run: RunStatus, verdict: Verdict): void {
  const { draft, now } = context;
  run.completedAt = iso(now);
  run.phase = verdict.phase;
  run.reason = verdict.reason;
  for (const entry of draft.scenarios ?? []) {
    const { fault } = entry;
    if (!fault) continue;
    for (const { histories = {} } of Object.values(context.observed.restored)) {
      const digest = Object.hasOwn(histories, fault.id) && histories[fault.id];
      if (digest) entry.history = digest;
    }
    // What has ended needs no release.
    if (fault.endedAt) for (const part of ['fixture', 'marker'] as const) delete fault[part];
  }
  const journal = journalOf(context);
  delete journal.stoppingSince;
  delete journal.awaitingSince;
  stopAwaitingAnswers(context);
  draft.phase = verdict.phase;
  draft.message = verdict.message;
  draft.result = resultOf(draft);
  context.report({ kind: 'finished' });
}

/** Goes through the chapters until one has work left or waits. */
function playChapters(context: Context, run: RunStatus): void {
  const { demo, draft, now, subject } = context;

  for (const chapter of subject.chapters(demo.spec).slice(Math.max(0, placeOf(draft)))) {
    const entry = draft.chapters?.[chapter.number - 1];
    if (!entry) continue;

    entry.startedAt ??= iso(now);
    const work = workOn(context, chapter, entry);
    entry.message = truncate(work.message, LIMITS.message);
    draft.chapter = chapterLine(draft, chapter.number, work.note);
    draft.message = entry.message;
    context.report({ kind: 'running', reason: work.reason ?? 'Running', message: entry.message });

    if (work.fail) {
      beginStop(context, run, { reason: work.fail, message: work.message });
      return stop(context, run);
    }
    if (!work.done) return;
    entry.doneAt ??= iso(now);
    if (!canAdvance(context, run, chapter, entry, work.note)) return;
    if (chapter.stage === 'complete') return finish(context, run, verdictOf(context, work.message));
    delete entry.doneAt;
  }
}

/** Whether the run may leave a chapter whose work is done. */
function canAdvance(
  context: Context,
  run: RunStatus,
  chapter: Chapter,
  entry: ChapterStatus,
  note: string | undefined,
): boolean {
  const { demo, draft, now } = context;
  if (chapter.auto) return true;
  if (annotationOf(context, 'advance') === `${run.number}/${chapter.number}`) return true;
  if (demo.spec.pace.mode === 'Manual') {
    context.request('user');
    draft.chapter = chapterLine(draft, chapter.number, note ? `${note}, waiting` : 'waiting');
    // The hint comes last: the message may fill the field on its own.
    const hint = ` (waiting for advance "${run.number}/${chapter.number}")`;
    const message = truncate(entry.message ?? entry.title, LIMITS.message - hint.length) + hint;
    draft.message = message;
    context.report({ kind: 'running', reason: 'AwaitingAdvance', message });
    return false;
  }
  const dwellEnd = ms(entry.doneAt ?? iso(now)) + parseDuration(demo.spec.pace.dwell);
  if (now >= dwellEnd) return true;
  context.wake(dwellEnd);
  return false;
}

/** Records the time spent waiting for a person, which does not count for the deadline. */
function trackAwaiting(context: Context, run: RunStatus): void {
  if (run.completedAt) return;
  const { now } = context;
  const journal = journalOf(context);
  if (context.needs('user')) {
    journal.awaitingSince ??= iso(now);
  } else if (journal.awaitingSince) {
    journal.awaitedMilliseconds =
      (journal.awaitedMilliseconds ?? 0) + Math.max(0, now - ms(journal.awaitingSince));
    delete journal.awaitingSince;
  }
}

/** "4/11 Outage (countdown)". `note` names the current step in a word or two, so that every row of a watch differs. */
function chapterLine({ chapters = [] }: ChaosDemoStatus, number: number, note: string | undefined): string {
  return `${number}/${chapters.length} ${chapters[number - 1]?.title ?? ''}${note ? ` (${note})` : ''}`;
}
