/** Every version follows from the one before: nothing is skipped, nothing is taken back. */
import type { ChaosDemoStatus, FaultStatus } from '../../../src/api/index.ts';
import { numbered } from '../../../src/engine/chapter.ts';
import type { LanePlan } from '../plan.ts';
import type { VersionSeen } from '../record.ts';
import type { Seen, Wrong } from './seen.ts';

const PHASE_AFTER: Readonly<Record<string, readonly string[]>> = {
  Pending: ['Pending', 'Running'],
  Running: ['Running', 'Succeeded', 'Failed', 'Errored', 'Aborted'],
};
const CHAPTER_AFTER: Readonly<Record<string, readonly string[]>> = {
  // Stopped where a run was aborted in the very decision that came to the chapter.
  Pending: ['Pending', 'Running', 'Waiting', 'Completed', 'Stopped'],
  Running: ['Running', 'Waiting', 'Completed', 'Stopped'],
  Waiting: ['Waiting', 'Running', 'Completed', 'Stopped'],
};

export function checkTransitions({ lane, name, plan, record }: Seen): Wrong[] {
  const wrong: Wrong[] = [];
  const versions = record.of('version', lane).filter(({ object }) => object.metadata.name === name);
  const announced = new Set<string>();
  let before: VersionSeen | undefined;
  for (const version of versions) {
    const say = (message: string): void =>
      void wrong.push({ check: 'transitions', lane, at: version.at, message });
    const status = version.object.status ?? {};
    if (before) compare(before.object.status ?? {}, status, { afterGap: version.afterGap, plan }, say);
    checkChapters(status, say);
    checkAnnounced(status, announced, version.afterGap ?? false, say);
    before = version;
  }
  return wrong;
}

type Say = (message: string) => void;

function compare(
  before: ChaosDemoStatus,
  after: ChaosDemoStatus,
  { afterGap = false, plan }: { readonly afterGap: boolean | undefined; readonly plan: LanePlan },
  say: Say,
): void {
  if (before.phase && after.phase && !afterGap) {
    const allowed = PHASE_AFTER[before.phase] ?? [before.phase];
    if (!allowed.includes(after.phase)) say(`phase ${before.phase} was followed by ${after.phase}`);
  }
  if (before.phase && !after.phase) say(`the phase ${before.phase} was taken away`);
  if ((after.run?.number ?? 0) < (before.run?.number ?? 0)) say('the number of the run went back');
  if ((after.run?.number ?? 0) > 1) say(`run ${after.run?.number} began, and one was requested`);
  const chapters = numbered(after);
  for (const [i, chapter] of numbered(before).entries()) {
    const next = chapters[i];
    const allowed = CHAPTER_AFTER[chapter.state] ?? [chapter.state];
    if (!next || !allowed.includes(next.state)) {
      say(`chapter ${i + 1} was ${chapter.state} and is ${next?.state ?? 'gone'}`);
    }
  }
  for (const scenario of before.scenarios ?? []) {
    const next = after.scenarios?.find(({ name }) => name === scenario.name);
    if (scenario.result && next?.result !== scenario.result) {
      say(`${scenario.name} was ${scenario.result} and is ${next?.result ?? 'without a result'}`);
    }
    if ((next?.retries ?? 0) < (scenario.retries ?? 0)) say(`the retries of ${scenario.name} went back`);
    if (scenario.fault && next?.fault?.id === scenario.fault.id)
      compareFaults(scenario.fault, next.fault, plan, say);
    else if (scenario.fault?.startedAt) say(`the fault ${scenario.fault.id}, which had begun, was dropped`);
  }
  for (const condition of before.conditions ?? []) {
    const next = after.conditions?.find(({ type }) => type === condition.type);
    // One that has said its word may go.
    if (next?.status === condition.status && next.lastTransitionTime !== condition.lastTransitionTime)
      say(`the condition ${condition.type} is still ${next.status} and says that it changed`);
  }
}

function compareFaults(
  before: FaultStatus,
  after: FaultStatus,
  { fault = 'Stall' }: LanePlan,
  say: Say,
): void {
  // Faults that are no single command are proven again at their end.
  const isDoubted = fault !== 'Stall' && !before.endedAt && after.endedAt && after.proof !== 'Confirmed';
  for (const field of ['plannedAt', 'until', 'startedAt', 'endedAt', 'proof'] as const) {
    if (field === 'proof' && isDoubted) continue;
    if (before[field] !== undefined && after[field] !== before[field]) {
      say(`${field} of ${before.id} was ${before[field]} and is ${after[field]}`);
    }
  }
}

/** Times in order, and no chapter begun before the one before it. */
function checkChapters(status: ChaosDemoStatus, say: Say): void {
  let left = 0;
  for (const { doneAt, number, startedAt, state } of numbered(status)) {
    if (state === 'Pending') continue;
    const times = [startedAt, doneAt].flatMap((time) => (time ? [Date.parse(time)] : []));
    if (startedAt === undefined) say(`chapter ${number} is ${state} and has no start`);
    if (times.some((time, i) => time < (times[i - 1] ?? left)))
      say(`the times of chapter ${number} are out of order`);
    left = times.at(-1) ?? left;
  }
}

/** A fault that was carried out was announced in a version before. */
function checkAnnounced(status: ChaosDemoStatus, announced: Set<string>, afterGap: boolean, say: Say): void {
  for (const { fault } of status.scenarios ?? []) {
    if (!fault) continue;
    if ((fault.proof || fault.startedAt) && !announced.has(fault.id) && !afterGap) {
      say(`${fault.id} was carried out and no version before has announced it`);
    }
    announced.add(fault.id);
  }
}
