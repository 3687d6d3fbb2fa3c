/**
 * The stage that injects: a baseline if it is missing, a fresh fixture, the announcement with its countdown, the
 * injection, its proof.
 *
 * A fault is announced in the status before anything is done, and only the process that announced it injects it. A
 * fault announced by a process that no longer exists is an orphan: it is retried only if it is known not to have
 * happened, or cannot happen twice (its fixture is no longer in use).
 */
import type { ChapterStatus, FaultStatus, ScenarioStatus } from '../api/index.ts';
import { formatDuration } from '../api/index.ts';
import type { Context } from './context.ts';
import { entryOf } from './context.ts';
import { controlName, fixtureName } from './fixtures.ts';
import { decidingOf } from './judgement.ts';
import { announcement } from './observed.ts';
import type { Scenario } from './subject.ts';
import { iso, ms } from './time.ts';
import type { Work } from './work.ts';
import { awaitHealthy, freshHealth, workUntil } from './work.ts';

/** An announced fault that has not begun this long after its planned time is not injected. */
export const INJECTION_TIMEOUT_MS = 3000;

/** How long after its planned end the report of a fault may take. */
const REPORT_TIMEOUT_MS = 10_000;

/** How many attempts one scenario has, each with a fresh fixture, before it is given up. */
const MAX_ATTEMPTS = 5;

/** Works on the chaos chapter of a scenario. */
export function workOnChaos(context: Context, scenario: Scenario, chapter: ChapterStatus): Work {
  const entry = entryOf(context, scenario.name);
  const { fault } = entry;
  if (!fault) return plan(context, scenario, entry, chapter);
  if (fault.proof && (scenario.load || fault.endedAt)) {
    return { done: true, message: fault.message ?? `The fault is ${fault.proof}`, note: noteOf(fault) };
  }
  if (fault.proof) return untilOver(context, fault);
  return context.observed.announced.has(announcement(fault))
    ? injectAndReport(context, scenario, entry, fault, chapter)
    : resolveOrphan(context, scenario, entry, fault);
}

/** Waits for the end of a fault, and shows what was seen of it so far. */
function untilOver(context: Context, fault: FaultStatus): Work {
  const { message = 'The fault is active', until } = fault;
  const reading = context.observed.readings[fault.id];
  return reading?.figure === undefined || decidingOf(reading)
    ? workUntil(context, ms(until), message, 'injecting')
    : workUntil(context, ms(until), `So far ${reading.figure}`, `so far ${reading.summary}`);
}

/** The current step of a fault's chapter, once the fault is proven or not. */
export function noteOf(fault: FaultStatus): string {
  return fault.proof === 'Confirmed' ? 'fault confirmed' : 'fault not proven';
}

/** Announces the next attempt once the subject is healthy and a fresh fixture is usable for the rest of the chapter. */
function plan(context: Context, scenario: Scenario, entry: ScenarioStatus, chapter: ChapterStatus): Work {
  const { demo, draft, now, observed, subject } = context;
  if (demo.spec.suspend) return suspendedWork(context);
  const unhealthy = awaitHealthy(context, ms(chapter.startedAt ?? ''));
  if (unhealthy) return unhealthy;
  // After a restart of the operator the bound of the invariant, and its controls, have to be measured again.
  if (!observed.baseline?.ok) return measureBaseline(context);

  const attempt = (entry.retries ?? 0) + 1;
  const run = draft.run?.number ?? 0;
  const id = `${run}-${scenario.name}-${attempt}`;
  const failure = observed.prepareFailures[id];
  if (failure) return { done: false, message: failure, fail: 'PrepareFailed' };

  if (attempt > MAX_ATTEMPTS) {
    const message = `Gave up after ${attempt - 1} attempts: none of the planned faults was injected. The last one: ${chapter.message ?? 'no reason is known'}`;
    return { done: false, message, fail: 'PrepareFailed' };
  }
  const prepared = observed.prepared[id];
  if (!prepared) {
    const fixture = fixtureName(demo, run, scenario.name, attempt, observed.since);
    const about = { fault: id, scenario: scenario.name, fixture };
    context.request({ kind: 'Prepare', id: `${id}/prepare`, ...about });
    const message = sentences(`Setting up ${fixture} on every pod`, subject.waitsFor?.(demo.spec, scenario));
    return { done: false, message };
  }

  if (prepared.usableUntil - now < scenario.storyMs) {
    const need = formatDuration(scenario.storyMs);
    return replan(context, entry, `${prepared.fixture} is not usable for the ${need} that the fault takes`);
  }
  const plannedAt = now + scenario.countdownMs;
  entry.fault = {
    id,
    fixture: prepared.fixture,
    ...(prepared.marker ? { marker: prepared.marker } : {}),
    plannedAt: iso(plannedAt),
    until: iso(plannedAt + scenario.faultMs),
  };
  const message = `${prepared.message}. ${scenario.faultTitle} in ${formatDuration(scenario.countdownMs)}`;
  return workUntil(context, plannedAt, message, 'countdown');
}

/** Suspended: nothing further is injected until the object is resumed. */
function suspendedWork(context: Context): Work {
  context.request('user');
  const message = 'Suspended: spec.suspend is true, so nothing further is injected';
  return { done: false, message, note: 'suspended', reason: 'Suspended' };
}

/**
 * Requests the baseline, on a fixture owned by this session. Ends the run if it could not be measured, or if the subject
 * breaks its invariant without any fault.
 */
export function measureBaseline(context: Context): Work {
  const { demo, draft, observed, subject } = context;
  if (observed.baseline) {
    const { message, violated } = observed.baseline;
    return { done: false, message, fail: violated ? 'BaselineViolated' : 'BaselineFailed' };
  }
  const run = draft.run?.number ?? 0;
  // Until the subject is open there is nothing to measure, and no session to own the fixture.
  if (observed.target) {
    const fixture = controlName(demo, run, observed.since);
    context.request({ kind: 'MeasureBaseline', id: `${run}/baseline`, fixture });
  }
  const message = sentences('Measuring the baseline, without a fault', subject.waitsFor?.(demo.spec));
  return { done: false, message };
}

function sentences(first: string, second: string | undefined): string {
  return second === undefined ? first : `${first}. ${second}`;
}

/** Follows a fault that this process announced to its report. */
function injectAndReport(
  context: Context,
  scenario: Scenario,
  entry: ScenarioStatus,
  fault: FaultStatus,
  chapter: ChapterStatus,
): Work {
  const { demo, now, observed } = context;
  const plannedAt = ms(fault.plannedAt);
  const report = observed.faults[fault.id];

  if (report?.missed) return replan(context, entry, `The fault was not injected: ${report.message}`);
  if (now < plannedAt) {
    if (demo.spec.suspend) return replan(context, entry, 'Suspended during the countdown');
    return workUntil(context, plannedAt, chapter.message ?? scenario.faultTitle, 'countdown');
  }
  if (!observed.begun.has(fault.id)) {
    const obstacle = obstacleTo(context, fault);
    if (obstacle) return replan(context, entry, obstacle);
  }
  const deadline = ms(fault.until) + REPORT_TIMEOUT_MS;
  if (now >= deadline) {
    fault.proof = 'Inconclusive';
    fault.message = 'The operator ordered the fault and got no report of it';
    fault.endedAt = fault.until;
    return { done: true, message: fault.message, note: noteOf(fault) };
  }
  context.request({
    kind: 'Inject',
    id: fault.id,
    scenario: scenario.name,
    plannedAt,
    until: ms(fault.until),
  });
  return workUntil(context, deadline, `${scenario.faultTitle} now`, 'injecting');
}

/** What prevents an injection that is due. */
function obstacleTo(context: Context, fault: FaultStatus): string | undefined {
  if (context.now > ms(fault.plannedAt) + INJECTION_TIMEOUT_MS) return 'The moment of the fault was missed';
  if (context.demo.spec.suspend) return 'Suspended during the countdown';
  const health = freshHealth(context);
  if (!health) return 'The last check of the health of the subject is too old';
  return health.hasIssues ? `The subject became unhealthy: ${health.issues.join('; ')}` : undefined;
}

/** Drops an attempt whose fault has certainly not been injected; its id is never used again. */
function replan(context: Context, entry: ScenarioStatus, message: string): Work {
  delete entry.fault;
  entry.retries = (entry.retries ?? 0) + 1;
  return workUntil(context, context.now, message, 'planning again');
}

/** Decides about a fault announced by a process that no longer exists. */
function resolveOrphan(
  context: Context,
  scenario: Scenario,
  entry: ScenarioStatus,
  fault: FaultStatus,
): Work {
  const { now, observed } = context;
  // The other process may be slow rather than gone; after this time it no longer injects.
  const settled = ms(fault.plannedAt) + INJECTION_TIMEOUT_MS + 1000;
  if (now < settled) {
    const message = 'A fault was announced before the operator restarted';
    return workUntil(context, settled, message, 'taking over');
  }
  if (!scenario.releasable && !entry.retries) {
    const message =
      'The operator restarted around the moment of the fault; trying once more with a new fixture';
    return replan(context, entry, message);
  }
  if (scenario.releasable) {
    const finding = observed.orphans[fault.id];
    if (finding === 'NotInjected') {
      return replan(context, entry, 'The operator restarted before the fault was injected');
    }
    const deadline = Math.max(ms(fault.until), observed.since) + REPORT_TIMEOUT_MS;
    const { marker } = fault;
    if (!finding && marker && now < deadline) {
      const id = `${fault.id}/inquire`;
      context.request({ kind: 'Inquire', id, fault: fault.id, scenario: scenario.name, marker });
      const message = 'Asking whether the announced fault was injected';
      return workUntil(context, deadline, message, 'taking over');
    }
  }
  if (now < ms(fault.until)) {
    const message = `A fault may be active; it was announced until ${fault.until}`;
    return workUntil(context, ms(fault.until), message, 'taking over');
  }
  fault.proof = 'Inconclusive';
  fault.endedAt ??= fault.until;
  fault.message = 'The operator restarted before it was proven that the fault was there';
  return { done: true, message: fault.message, note: noteOf(fault) };
}
