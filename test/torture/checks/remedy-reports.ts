/** What a status reports of a remediation, compared with what was sent to the pods and what they answered. */

import { profileFor } from '../model.ts';
import { limitAllowedBy, type RemedyPlan } from '../remedy-plan.ts';
import { LIMIT } from '../settings.ts';
import { answersTo, outside } from './answers.ts';
import { type RemedySeen, remediationIn, versionsOf } from './remedies-seen.ts';
import type { Seen, Wrong } from './seen.ts';

type Report = NonNullable<ReturnType<typeof remediationIn>>;

const STATES = new Set(['Suggested', 'Applying', 'Applied', 'Ineffective', 'Unproven', 'NotApplied']);

export function checkRemedyReports(seen: Seen, remedies: readonly RemedySeen[]): Wrong[] {
  const { lane, plan } = seen;
  const wrong: Wrong[] = [];
  const add = (at: number, message: string): void =>
    void wrong.push({ check: 'remedy reports', lane, at, message });
  const last = versionsOf(seen).at(-1);
  if (!last) return [];
  const { diagnoses = [], run } = last.object.status ?? {};
  for (const { remediation, scenario } of diagnoses) {
    if (!remediation) continue;
    const { action, profile, state } = remediation;
    const remedy = remedies.find((one) => one.scenario === scenario);
    const say = (message: string): void => add(remedy?.at ?? last.at, `${scenario}: ${message}`);
    if (!STATES.has(state)) say(`there is no state ${state}`);
    if (state === 'Suggested' && action === undefined) continue;
    if (!plan.remedy || action !== plan.remedy.action || profile !== profileFor(plan.remedy.action)) {
      say(
        `${state} is said of ${action} by ${profile}, and the spec lists ${plan.remedy?.action ?? 'nothing'}`,
      );
      continue;
    }
    if (!remedy && state !== 'NotApplied') say(`${state}, and no remedy was announced`);
    if (state === 'Applying' && run?.completedAt) say('the run has ended, and it is said to be under way');
    const sent = remedy?.defines.length ?? 0;
    if (state === 'NotApplied' && sent > 0) say(`NotApplied, and ${sent} limits were sent`);
    if (remedy && (state === 'Applied' || state === 'Ineffective')) {
      for (const message of measuredProblems(seen, plan.remedy, remedy, remediation)) say(message);
    }
  }
  for (const remedy of remedies) {
    if (run?.completedAt && remediationIn(last.object.status, remedy.scenario)?.action === undefined) {
      add(remedy.at, `${remedy.id} was announced, and nothing tells what became of it`);
    }
    for (const message of changes(seen, remedy)) add(remedy.at, message);
  }
  return wrong;
}

/** It was announced in an earlier version, and what was told of it stays. */
function changes(seen: Seen, { id, scenario }: RemedySeen): string[] {
  const messages: string[] = [];
  let announced = false;
  let told: string | undefined;
  for (const { afterGap, object } of versionsOf(seen)) {
    const report = remediationIn(object.status, scenario);
    const state = report?.state ?? 'Suggested';
    announced ||= afterGap === true;
    if (!announced && state !== 'Suggested' && state !== 'Applying') {
      messages.push(`${state} is said of ${id}, and no version before has announced it`);
    }
    announced ||= state === 'Applying' || state === 'NotApplied';
    const says = state === 'Suggested' || state === 'Applying' ? undefined : JSON.stringify(report);
    if (told !== undefined && says !== told)
      messages.push(`what was told of ${id} was ${told} and is ${says}`);
    told ??= says;
  }
  return messages;
}

/** What a report of an action that was carried out says against what was sent and answered. */
function measuredProblems(
  { lane, record }: Seen,
  plan: RemedyPlan,
  { checks, defines }: RemedySeen,
  report: Report,
): string[] {
  const set = defines.findLast(({ answeredAt, status = 0 }) => answeredAt !== undefined && status < 300);
  if (!set) return [`${report.state}, and no node has answered that it set the limit`];
  const limit = limitAllowedBy(plan);
  const problems = set.limit === limit ? [] : [`a limit of ${set.limit} was the last that was set`];
  if (plan.action !== 'ChangeLimit') return problems;
  // A change counts the answers that the operator had: to the old limit, and then to the new one.
  const control = defines.findLast((one) => one.limit === LIMIT && one.windowId !== undefined);
  for (const [which, windowId] of [
    ['before', control?.windowId] as const,
    ['after', set.windowId] as const,
  ]) {
    const { admittedInTime } = answersTo(
      checks.filter((one) => one.windowId === windowId),
      record,
      lane,
    );
    const said = report[which]?.find(({ name }) => name === 'admitted')?.value;
    const problem = outside(`admitted ${which}`, said, admittedInTime);
    if (problem !== undefined) problems.push(problem);
  }
  return problems;
}
