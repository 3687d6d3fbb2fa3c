/** What a status says of a remedy, beside what was sent to the nodes and what they and Redis have counted. */

import { profileFor } from '../model.ts';
import { limitAllowedBy, type RemedyPlan } from '../remedy-plan.ts';
import { LIMIT, NODES } from '../settings.ts';
import { answersTo, outside, type Range } from './answers.ts';
import { slack, stepsBetween } from './delays.ts';
import { type RemedySeen, remediationIn, versionsOf } from './remedies-seen.ts';
import type { Seen, Wrong } from './seen.ts';

type Report = NonNullable<ReturnType<typeof remediationIn>>;

const STATES = new Set(['Suggested', 'Applying', 'Applied', 'Ineffective', 'Unproven', 'NotApplied']);

/** Whoever waits for as long may run into a timeout. */
const SLOW_MS = 500;
/** The end of what is said where a change was measured, and the old limit was kept as well. */
const NOTHING_SHOWN = 'nothing shows that the change helped';
const OPERATORS = ['operator', 'api', 'api-server'] as const;
const NODES_AND_REDIS = ['redis', 'redis-link', 'node', 'node-link', 'object'] as const;

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
    if (remedy && isMeasured(remediation)) {
      for (const message of measuredProblems(seen, plan.remedy, remedy, remediation)) say(message);
    }
  }
  for (const remedy of remedies) {
    if (run?.completedAt && remediationIn(last.object.status, remedy.scenario)?.action === undefined) {
      add(remedy.at, `${remedy.id} was announced, and nothing tells what became of it`);
    }
    for (const message of [...changes(seen, remedy), ...unprovenProblems(seen, remedy)])
      add(remedy.at, message);
  }
  return wrong;
}

/** Whether it says that it was carried out, and what that came to. */
function isMeasured({ action, message, state }: Report): boolean {
  if (state === 'Unproven') return action === 'ChangeLimit' && message.endsWith(NOTHING_SHOWN);
  return state === 'Applied' || state === 'Ineffective';
}

/** Where nobody was disturbed in between who could keep it from being known, nor waited for a processor, it is known. */
function unprovenProblems(seen: Seen, { at, id, scenario }: RemedySeen): string[] {
  const { lane, record } = seen;
  const told = versionsOf(seen).find(
    ({ object }) => remediationIn(object.status, scenario)?.state === 'Unproven',
  );
  if (!told) return [];
  const report = remediationIn(told.object.status, scenario);
  if (report && isMeasured(report)) return [];
  const { message = '' } = report ?? {};
  if (told.afterGap || slack(record, at, told.at) > SLOW_MS) return [];
  const reasons = /lost its lead/.test(message) ? OPERATORS : [...OPERATORS, ...NODES_AND_REDIS];
  if (stepsBetween(record, at, told.at, lane, reasons).length > 0) return [];
  return [`Unproven is said of ${id}, and nothing of that was disturbed since it was announced: ${message}`];
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

function measuredProblems(seen: Seen, plan: RemedyPlan, remedy: RemedySeen, report: Report): string[] {
  const { lane, record } = seen;
  const { checks, defines, key } = remedy;
  const set = defines.findLast(({ answeredAt, status = 0 }) => answeredAt !== undefined && status < 300);
  if (!set) return [`${report.state}, and no node has answered that it set the limit`];
  const problems: (string | undefined)[] = [];
  const figure = (which: 'before' | 'after', name: string): number | undefined =>
    report[which]?.find((one) => one.name === name)?.value;
  const expect = (which: 'before' | 'after', name: string, range: Range): void =>
    void problems.push(
      figure(which, name) === undefined
        ? `${report.state}, and ${name} ${which} is not told`
        : outside(`${name} ${which}`, figure(which, name), range),
    );
  const exactly = (value: number): Range => ({ least: value, most: value });
  const sampled = record.of('counter', lane).filter((one) => one.key === key && one.windowId !== undefined);

  expect('before', 'limit', exactly(LIMIT));
  const was = sampled.findLast(({ at }) => at < set.at);
  // A change is measured against a fresh window of the old limit.
  const control = defines.findLast((one) => one.limit === LIMIT && one.windowId !== undefined);
  const earlier = plan.action === 'ChangeLimit' ? control?.windowId : was?.windowId;
  const used = record.of('check', lane).filter((one) => one.key === key && one.windowId === earlier);
  // A reset reads the counters of the nodes; a change counts the answers that the operator had.
  const counted = (checks: RemedySeen['checks'], until: number): Range =>
    plan.action === 'ChangeLimit' ? answersTo(checks, record, lane).allowed : admittedBy(seen, checks, until);
  expect('before', 'admitted', counted(used, set.at));
  const limit = limitAllowedBy(plan);
  if (limit !== undefined) {
    expect('after', 'limit', exactly(limit));
    if (set.limit !== limit)
      problems.push(`${report.state}, and a limit of ${set.limit} was the last that was set`);
  }
  const measuring = checks.filter(({ windowId }) => windowId === set.windowId);
  const allowed = measuring.filter(({ allowed }) => allowed === true).length;
  const admitted = figure('after', 'admitted') ?? -1;
  expect('after', 'admitted', counted(measuring, Infinity));
  if (plan.action === 'ChangeLimit') {
    const helped = admitted >= (limit ?? 0) && admitted <= LIMIT;
    const exceeded = (figure('before', 'admitted') ?? 0) > LIMIT;
    const state = !helped ? 'Ineffective' : exceeded ? 'Applied' : 'Unproven';
    if (report.state !== state)
      problems.push(
        `${report.state}, and ${figure('before', 'admitted')} and then ${admitted} were admitted`,
      );
    return problems.filter((problem) => problem !== undefined);
  }
  expect('before', 'stored', storedIn(seen, was?.redisKey, used.length));
  const is = sampled.findLast(({ windowId }) => windowId === set.windowId);
  expect('after', 'stored', { ...storedIn(seen, is?.redisKey, allowed), least: 0 });
  const agree = allowed === NODES && admitted === allowed && figure('after', 'stored') === allowed;
  if (agree !== (report.state === 'Applied')) {
    problems.push(`${report.state}, and ${allowed} of ${measuring.length} requests were allowed`);
  }
  return problems.filter((problem) => problem !== undefined);
}

/** What the nodes admitted of these; one that was killed meanwhile has forgotten its own. */
function admittedBy({ lane, record }: Seen, checks: RemedySeen['checks'], until: number): Range {
  const allowed = checks.filter(({ allowed }) => allowed === true);
  const steps = stepsBetween(record, checks[0]?.at ?? until, until, lane, ['node']);
  const killed = new Set(
    steps.flatMap(({ step: { action } }) =>
      action.to === 'node' && action.what === 'kill' ? [action.node] : [],
    ),
  );
  return { least: allowed.filter(({ node }) => !killed.has(node)).length, most: allowed.length };
}

/** What Redis was seen to count, at any time; a window that is over is counted in no more. */
function storedIn({ lane, record }: Seen, redisKey: string | undefined, admitted: number): Range {
  const counts = record
    .of('stored', lane)
    .filter((one) => one.redisKey === redisKey)
    .map(({ count }) => count);
  return counts.length > 0
    ? { least: Math.min(...counts), most: Math.max(...counts) }
    : { least: 0, most: admitted };
}
