/** Derives the conditions from a status, by the table in the API. */

import type { ChaosDemoStatus, Condition, Reason, ScenarioStatus } from '../api/index.ts';
import {
  CONDITIONS_BY_STATE,
  counted,
  endOf,
  scenariosOf,
  truncate,
  violationCondition,
} from '../api/index.ts';
import type { Context } from './context.ts';
import { activeFault, isRunActive } from './fault-times.ts';
import { UNREACHABLE } from './health.ts';

type Part = Pick<Condition, 'status' | 'reason' | 'message'>;
type Parts = Readonly<Record<string, Part>>;

/** All conditions of the draft, in a fixed order. */
export function conditionsFor(context: Context): Condition[] {
  const { demo, draft, now } = context;
  const { api } = context.subject;
  const types = new Set((draft.scenarios ?? scenariosOf(demo.spec, api)).map(({ type }) => type));
  const violations = api.faults
    .filter(({ type }) => types.has(type))
    .map(({ type }) => [violationCondition(type), violation(context, type)]);
  const parts = {
    ...stateConditions(context),
    Healthy: healthy(context),
    FaultActive: faultActive(context),
    ...Object.fromEntries(violations),
  };
  return conditionsOf(parts, demo.status ?? {}, now);
}

/** The conditions of these parts. `lastTransitionTime` moves only when the status of a condition does. */
export function conditionsOf(parts: Parts, { conditions = [] }: ChaosDemoStatus, now: number): Condition[] {
  const transition = `${new Date(now).toISOString().slice(0, 19)}Z`;
  return Object.entries(parts).map(([type, { status, reason, message }]) => {
    const same = conditions.find((known) => known.type === type && known.status === status);
    return { type, status, lastTransitionTime: same?.lastTransitionTime ?? transition, reason, message };
  });
}

/** Ready, Reconciling, Stalled, Finished and Succeeded. */
function stateConditions({ draft, objectState }: Context): Parts {
  const verdict = endOf(draft);
  if (objectState.kind === 'finished' && verdict) {
    const { phase, reason } = verdict;
    // The sentence is in status.message.
    return partsOf(phase === 'Succeeded' ? 'succeeded' : 'unsuccessful', reason, `${phase}: ${reason}`);
  }
  if (objectState.kind === 'suspended' || objectState.kind === 'finished')
    return partsOf('suspended', 'Suspended', draft.run ? 'The next run waits' : 'No run has been made');
  const { kind, message, reason } = objectState;
  return partsOf(kind === 'refused' ? 'refused' : 'open', reason, message);
}

/** The conditions of an object in this state of the table, all with the same reason and message. */
export function partsOf(state: keyof typeof CONDITIONS_BY_STATE, reason: Reason, message: string): Parts {
  const statuses = Object.entries(CONDITIONS_BY_STATE[state]);
  return Object.fromEntries(statuses.map(([type, status]) => [type, { status, reason, message }])) as Parts;
}

/** Whether the object requests a run other than the last one, so that the last result does not apply to it. */
function awaitsNextRun({ draft, objectState }: Context): boolean {
  return !isRunActive(draft) && objectState.kind !== 'finished';
}

function partOf(status: Part['status'], reason: Reason, message: string): Part {
  return { status, reason, message };
}

function healthy(context: Context): Part {
  const { demo, draft, now, observed } = context;
  const known = demo.status?.conditions?.find(({ type }) => type === 'Healthy');
  const unknown = partOf('Unknown', 'NotObserved', 'The operator has not checked the subject in this run');
  if (!draft.run || awaitsNextRun(context)) return unknown;
  // Not checked by this process: as the last one saw it.
  if (!observed.health) return known ?? unknown;
  const { dependencies, hasIssues, issues, pods } = observed.health;
  if (!hasIssues) {
    const connected = dependencies.map(({ name }) => `, ${name} connected`).join('');
    return partOf('True', 'AllPodsReady', `${counted(pods.length, 'pod')} ready${connected}`);
  }
  const message = truncate(issues.join('; '), 512) || 'The subject has issues';
  let reason: Reason = 'PodsNotReady';
  if (pods.every(({ state }) => state === UNREACHABLE)) reason = 'Unreachable';
  else if (dependencies.some(({ connected }) => !connected)) reason = 'DependencyDisconnected';
  if (activeFault(draft, now)) reason = 'DegradedByFault';
  return partOf('False', reason, message);
}

function faultActive({ draft, now }: Context): Part {
  const fault = activeFault(draft, now);
  if (fault?.startedAt)
    return partOf('True', 'FaultInjected', `${fault.id} is active until ${fault.until} at the latest`);
  if (fault) return partOf('True', 'FaultPlanned', `${fault.id} is announced for ${fault.plannedAt}`);
  const last = draft.scenarios?.flatMap((entry) => entry.fault ?? []).at(-1);
  if (!last) return partOf('False', 'NoFault', 'No fault has been injected in this run');
  const { endedAt = last.until } = last;
  const end = endedAt === last.until ? `by ${endedAt} at the latest` : `at ${endedAt}`;
  return partOf('False', 'FaultReleased', `${last.id} ended ${end}`);
}

/** True: violated in this run. False: held. Unknown: everything else. */
function violation(context: Context, type: string): Part {
  const { draft } = context;
  const entries = draft.scenarios?.filter((scenario) => scenario.type === type) ?? [];
  const parts = entries.map((entry) => ({ name: entry.name, part: violationIn(draft, entry) }));
  const [worst] = parts.toSorted((a, b) => RANK[a.part.status] - RANK[b.part.status]);
  if (!worst || awaitsNextRun(context))
    return partOf('Unknown', 'NotObserved', `Run ${(draft.run?.number ?? 0) + 1} has not begun`);
  const { name, part } = worst;
  return parts.length === 1 ? part : { ...part, message: `${name}: ${part.message}` };
}

/** Of several scenarios of a type a violation counts most; False needs all of them to be without a violation. */
const RANK: Readonly<Record<Part['status'], number>> = { True: 0, Unknown: 1, False: 2 };

function violationIn(draft: ChaosDemoStatus, { fault, message = '', reason, result }: ScenarioStatus): Part {
  if (result === 'Violated') return partOf('True', 'Violated', message);
  if (result === 'Held') return partOf('False', 'Held', message);
  if (result === 'Inconclusive') return partOf('Unknown', reason ?? 'Inconclusive', message);
  const notObserved = (why: string): Part => partOf('Unknown', 'NotObserved', why);
  if (!isRunActive(draft))
    return notObserved(`The run ended before ${fault ? 'there was a result' : 'its fault'}`);
  if (!fault) return notObserved('No fault is announced for it yet');
  if (!fault.startedAt && !fault.proof) return notObserved(`A fault is announced for ${fault.plannedAt}`);
  const since = fault.startedAt ?? fault.plannedAt;
  return partOf('Unknown', 'Watching', `Watched since ${since}`);
}
