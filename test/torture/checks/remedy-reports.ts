/** What a status reports of a remediation, compared with what was sent to the pods and what they answered. */
import { APPLICABLE_ACTION } from '../../../src/api/index.ts';
import { type RemedySeen, remediationIn, versionsOf } from './remedies-seen.ts';
import type { Seen, Wrong } from './seen.ts';

const STATES = new Set(['Suggested', 'Applying', 'Applied', 'Ineffective', 'Unproven', 'NotApplied']);

export function checkRemedyReports(seen: Seen, remedies: readonly RemedySeen[]): Wrong[] {
  const { lane, plan } = seen;
  const wrong: Wrong[] = [];
  const add = (at: number, message: string): void =>
    void wrong.push({ check: 'remedy reports', lane, at, message });
  const last = versionsOf(seen).at(-1);
  if (!last) return [];
  const { diagnoses = [], run } = last.object.status ?? {};
  for (const { action, remediation, scenario } of diagnoses) {
    if (!remediation) continue;
    const { state } = remediation;
    const remedy = remedies.find((one) => one.scenario === scenario);
    const say = (message: string): void => add(remedy?.at ?? last.at, `${scenario}: ${message}`);
    if (!STATES.has(state)) say(`there is no state ${state}`);
    if (state === 'Suggested') continue;
    if (!plan.resets || action !== APPLICABLE_ACTION) {
      say(
        `${state} is said of ${action}, and the spec allows ${plan.resets ? APPLICABLE_ACTION : 'nothing'}`,
      );
      continue;
    }
    if (!remedy && state !== 'NotApplied') say(`${state}, and no remedy was announced`);
    if (state === 'Applying' && run?.completedAt) say('the run has ended, and it is said to be under way');
    const sent = remedy?.defines.length ?? 0;
    if (state === 'NotApplied' && sent > 0) say(`NotApplied, and ${sent} limits were sent`);
    if (remedy && (state === 'Applied' || state === 'Ineffective') && unsent(remedy)) {
      say(`${state}, and no node has answered that it set the limit`);
    }
  }
  for (const remedy of remedies) {
    const { state = 'Suggested' } = remediationIn(last.object.status, remedy.scenario) ?? {};
    if (run?.completedAt && state === 'Suggested') {
      add(remedy.at, `${remedy.id} was announced, and its outcome was never reported`);
    }
    for (const message of changes(seen, remedy)) add(remedy.at, message);
  }
  return wrong;
}

/** It was announced in an earlier version, and its report stays as it is. */
function changes(seen: Seen, { id, scenario }: RemedySeen): string[] {
  const messages: string[] = [];
  let announced = false;
  let reported: string | undefined;
  for (const { afterGap, object } of versionsOf(seen)) {
    const report = remediationIn(object.status, scenario);
    const state = report?.state ?? 'Suggested';
    announced ||= afterGap === true;
    if (!announced && state !== 'Suggested' && state !== 'Applying') {
      messages.push(`${state} is said of ${id}, and no version before has announced it`);
    }
    announced ||= state === 'Applying' || state === 'NotApplied';
    const says = state === 'Suggested' || state === 'Applying' ? undefined : JSON.stringify(report);
    if (reported !== undefined && says !== reported)
      messages.push(`the report of ${id} was ${reported} and is ${says}`);
    reported ??= says;
  }
  return messages;
}

/** Whether no node has answered that it set the limit. */
function unsent({ defines }: RemedySeen): boolean {
  return !defines.some(({ answeredAt, status = 0 }) => answeredAt !== undefined && status < 300);
}
