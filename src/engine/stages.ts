/**
 * One rule for each stage of a chapter: what it requests, what it shows, and when its work is done. The chaos stage has
 * a file of its own.
 */
import type { ChapterStatus } from '../api/index.ts';
import { counted, formatDuration } from '../api/index.ts';
import { measureBaseline, noteOf, workOnChaos } from './chaos-stage.ts';
import type { Chapter } from './chapter.ts';
import type { Context } from './context.ts';
import { entryOf } from './context.ts';
import { answersAwaitedUntil, requestDiagnosis } from './diagnoses.ts';
import { faultDeadline, isPossiblyActive, runDeadline, watchEnd } from './fault-times.ts';
import { fixturesOf } from './fixtures.ts';
import { applyRecovery, isBeingObserved } from './scenarios.ts';
import type { Scenario } from './subject.ts';
import { ms } from './time.ts';
import type { Work } from './work.ts';
import { awaitHealthy, freshHealth, workUntil } from './work.ts';

/** How long before its deadline a run stops waiting for a diagnosis: the wait must not decide the verdict. */
const BEFORE_DEADLINE_MS = 5000;

/** Time limit after a fault, beyond the time to settle, for the proof that the subject works again. */
const RECOVERY_TIMEOUT_MS = 30_000;

/** Advances the work on a chapter as far as possible now. */
export function workOn(context: Context, chapter: Chapter, entry: ChapterStatus): Work {
  // Finished work stays finished, whatever the health of the subject while people read about it.
  if (entry.doneAt !== undefined && !chapter.auto) return finishedWork(context, chapter, entry);
  switch (chapter.stage) {
    case 'welcome':
      return { done: true, message: context.subject.welcome(context.demo.spec, context.observed.target) };
    case 'health':
      return workOnHealth(context, entry);
    case 'setup':
      return workOnSetup(context);
    case 'chaos':
      return workOnChaos(context, scenarioOf(context, chapter), entry);
    case 'detection':
      return workOnDetection(context, scenarioOf(context, chapter));
    case 'diagnosis':
      return workOnDiagnosis(context, scenarioOf(context, chapter), entry);
    case 'recovery':
      return workOnRecovery(context, scenarioOf(context, chapter), entry);
    case 'complete':
      return workOnComplete(context);
    default:
      return chapter.stage satisfies never;
  }
}

function finishedWork(context: Context, chapter: Chapter, entry: ChapterStatus): Work {
  const message = entry.message ?? entry.title;
  const fault = chapter.stage === 'chaos' ? entryOf(context, chapter.scenario ?? '').fault : undefined;
  return { done: true, message, note: fault && noteOf(fault) };
}

function scenarioOf(context: Context, chapter: Chapter): Scenario {
  const scenario = context.scenarios.find(({ name }) => name === chapter.scenario);
  if (!scenario) throw new Error(`chapter ${chapter.number} is for a scenario that is not in the spec`);
  return scenario;
}

function workOnHealth(context: Context, entry: ChapterStatus): Work {
  const unhealthy = awaitHealthy(context, ms(entry.startedAt ?? ''));
  // Before the first check there is nothing to call unhealthy yet.
  if (unhealthy) return freshHealth(context) ? unhealthy : { ...unhealthy, note: undefined };
  const { dependencies = [], pods = [] } = freshHealth(context) ?? {};
  const connected = dependencies.map(({ name }) => `, ${name} connected`).join('');
  const images = new Set(context.observed.target?.pods.map(({ imageId }) => imageId));
  const [digest] = /(?<=sha256:)[0-9a-f]{12}/.exec([...images][0] ?? '') ?? [];
  const image = images.size === 1 ? ` on one image${digest ? ` (${digest})` : ''}` : '';
  return {
    done: true,
    message: `${counted(pods.length, 'pod')} ready${image}${connected}: ${pods.map(({ name }) => name).join(', ')}`,
  };
}

function workOnSetup(context: Context): Work {
  const { baseline } = context.observed;
  return baseline?.ok ? { done: true, message: baseline.message } : measureBaseline(context);
}

function workOnDetection(context: Context, scenario: Scenario): Work {
  const entry = entryOf(context, scenario.name);
  if (entry.result) return { done: true, message: entry.message ?? entry.result };
  // The last sample arrives a little after the end: waking at once until then would leave no time to take it.
  if (entry.fault) context.wake(Math.max(context.now + 100, watchEnd(entry.fault, scenario)));
  const most = formatDuration(scenario.settleMs);
  const message = `Watching, for up to ${most} after the fault: ${scenario.invariant}`;
  return { done: false, message, note: 'watching' };
}

function workOnDiagnosis(context: Context, scenario: Scenario, entry: ChapterStatus): Work {
  const { now, observed } = context;
  const { result, fault } = entryOf(context, scenario.name);
  if (result !== 'Violated' || !fault) {
    return { done: true, message: 'No violation was proven, so there is nothing to explain' };
  }
  // Anything after the first detection is for the diagnosis, which waits for the end of the fault.
  if (fault.endedAt === undefined && isPossiblyActive(fault, now)) {
    const message = 'Watching until the fault ends, to explain all of it';
    return workUntil(context, ms(fault.until), message, 'watching');
  }
  const requestedAt = Math.max(ms(entry.startedAt ?? ''), ms(fault.endedAt ?? fault.until), observed.since);
  const message = requestDiagnosis(context, { fault: fault.id, scenario: scenario.name, requestedAt });
  if (message !== undefined) return { done: true, message };
  return { done: false, message: 'Requesting a diagnosis from the evidence only', note: 'asking' };
}

function workOnRecovery(context: Context, scenario: Scenario, chapter: ChapterStatus): Work {
  const { now, observed } = context;
  const entry = entryOf(context, scenario.name);
  const { fault } = entry;
  if (!fault) return { done: true, message: 'No fault was injected, so there is nothing to recover from' };
  if (isPossiblyActive(fault, now)) {
    const message = `The fault is announced until ${fault.until}`;
    return workUntil(context, faultDeadline(fault), message, 'fault on');
  }
  const report = observed.recoveries[fault.id];
  const endedAt = ms(fault.endedAt ?? fault.until);
  if (report?.workedAt !== undefined) {
    applyRecovery(entry, fault, report);
    return { done: true, message: report.message };
  }
  // A presenter may have talked long after the end of the fault: the time limit counts from when the check begins.
  const begunAt = Math.max(endedAt, observed.since, ms(chapter.startedAt ?? ''));
  const deadline = begunAt + scenario.settleMs + RECOVERY_TIMEOUT_MS;
  if (report || now >= deadline) {
    const why = report?.message ?? 'no probe saw it work in time';
    return { done: false, message: `The subject did not recover: ${why}`, fail: 'RecoveryFailed' };
  }
  context.request({
    kind: 'Recover',
    id: `${fault.id}/recover`,
    fault: fault.id,
    scenario: scenario.name,
    settleMs: scenario.settleMs,
  });
  return workUntil(context, deadline, 'Proving that the subject works again, and watching it settle');
}

function workOnComplete(context: Context): Work {
  const { demo, draft, now, observed, scenarios } = context;
  for (const scenario of scenarios) {
    const { fault } = entryOf(context, scenario.name);
    const reading = fault && observed.readings[fault.id];
    if (reading && isBeingObserved(fault, scenario, reading, now)) {
      const end = Math.max(now + 100, watchEnd(fault, scenario));
      return workUntil(context, end, `Watching to the end: ${scenario.invariant}`);
    }
  }
  const id = `${draft.run?.number}/complete`;
  const outcome = observed.restored[id];
  const until = answersAwaitedUntil(context, runDeadline(draft, demo.spec, now) - BEFORE_DEADLINE_MS);
  const isAwaited = until !== undefined && now < until;
  const awaiting = `Waiting for the diagnosis by profile "${demo.spec.diagnosisProfile}"`;
  if (isAwaited && outcome?.ok)
    return workUntil(context, until, `${outcome.message}. ${awaiting}`, 'awaiting diagnosis');
  if (outcome?.ok) return { done: true, message: outcome.message };
  if (outcome) return { done: false, message: outcome.message, fail: 'RestoreFailed' };
  context.request({ kind: 'Restore', id, fixtures: fixturesOf(context), release: false });
  return { done: false, message: 'Restoring the subject, and proving that it works' };
}
