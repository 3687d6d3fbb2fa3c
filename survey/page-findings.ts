/** What the survey found, in a few sentences made of its results. */

import { counted } from './markdown.ts';
import { agreed, numbers, type Surveyed, toldRuns } from './results.ts';
import {
  BEHAVIOURS,
  type Behaviour,
  type FailureSaying,
  type SurveyedLimiter,
  type Variant,
} from './runner/limiter.ts';

/** A configuration with its description, and what was found of it. */
export interface Entry {
  readonly limiter: SurveyedLimiter;
  readonly variant: Variant;
  readonly surveyed: Surveyed;
}

/** A list in Markdown. */
export function findingsOf(entries: readonly Entry[]): string {
  return [whatWasRun, asTheyCome, inAll, promises, beyond, accounts, bursts, agreement]
    .flatMap((find) => find(entries) ?? [])
    .map((text) => `- ${text}`)
    .join('\n');
}

function whatWasRun(entries: readonly Entry[]): string {
  const limiters = limitersOf(entries);
  const languages = new Set(entries.map(({ limiter }) => limiter.language));
  return `${counted(limiters.size, 'limiter')} in ${counted(languages.size, 'language')}, ${counted(entries.length, 'configuration')}.`;
}

function asTheyCome(entries: readonly Entry[]): string {
  const first = entries.filter(({ limiter, variant }) => variant === limiter.variants[0]);
  return `**As they come**, of ${counted(first.length, 'limiter')} ${tally(first)}.`;
}

function inAll(entries: readonly Entry[]): string {
  return `Of all ${counted(entries.length, 'configuration')} ${tally(entries)}.`;
}

function promises(entries: readonly Entry[]): string[] {
  const said = (means: (saying: FailureSaying) => boolean) =>
    entries.filter(({ variant: { saysOfFailure } }) => saysOfFailure?.means && means(saysOfFailure));
  const letsThrough = (saying: FailureSaying): boolean =>
    (saying.means ?? []).some((each) => each === 'FailsOpen' || each === 'Enforces');
  const through = said(letsThrough);
  const others = said((saying) => !letsThrough(saying));
  return [
    ...(through.length > 0
      ? [
          `**Documentation promises that callers are let through** when Redis fails in ${counted(through.length, 'configuration')}. Of these ${tally(through)}.`,
        ]
      : []),
    ...(others.length > 0
      ? [
          `It promises an error or a denial in ${counted(others.length, 'configuration')}. Of these ${tally(others)}.`,
        ]
      : []),
  ];
}

function beyond(entries: readonly Entry[]): string {
  const over = entries
    .map(({ limiter, surveyed }) => ({
      limiter,
      most: Math.max(0, ...numbers(toldRuns(surveyed), 'outage', 'overAdmission')),
    }))
    .filter(({ most }) => most > 0);
  if (over.length === 0) return 'None let more than the limit through during the pause.';
  const most = over.reduce((a, b) => (b.most > a.most ? b : a));
  const names = new Set(over.map(({ limiter }) => limiter.name));
  return `${counted(over.length, 'configuration')} of ${counted(names.size, 'limiter')} let more than the limit through during the pause: up to ${counted(most.most, 'request')} more (${most.limiter.name}), of one caller that had used its limit up.`;
}

function accounts(entries: readonly Entry[]): string {
  const having = (measure: string): Entry[] =>
    entries.filter(({ surveyed }) => numbers(surveyed.runs, 'outage', measure).some((value) => value > 0));
  const overCounted = having('overCounted');
  const lost = having('underCounted');
  return `${counted(overCounted.length, 'configuration')} of ${counted(limitersOf(overCounted).size, 'limiter')} counted requests that nobody served (overCounted): callers who got an error, or nothing, paid for it once Redis was back. ${counted(lost.length, 'configuration')} of ${counted(limitersOf(lost).size, 'limiter')} served requests that were never counted (lost).`;
}

function bursts(entries: readonly Entry[]): string {
  const broken = entries.filter(({ surveyed }) =>
    numbers(surveyed.runs, 'burst', 'trialsViolated').some((value) => value > 0),
  );
  const names = [...limitersOf(broken)];
  return broken.length === 0
    ? 'In a burst with nothing wrong none let more than its limit through.'
    : `In a burst with nothing wrong ${counted(broken.length, 'configuration')} let more than the limit through (${names.join(', ')}).`;
}

function agreement(entries: readonly Entry[]): string {
  const times = entries.map(({ surveyed }) => toldRuns(surveyed).length);
  const alike = entries.filter(({ surveyed }) => agreed(surveyed)).length;
  const least = Math.min(...times);
  const most = Math.max(...times);
  const how = least === most ? counted(most, 'time') : `${least} to ${most} times`;
  return `Each was told ${how}; ${alike === entries.length ? 'what callers get was the same each time' : `what callers get was the same each time in ${alike} of ${entries.length}`}.`;
}

/** `12 leave callers waiting (Hangs), 3 turn callers away (FailsClosed)`: what most do first. */
function tally(entries: readonly Entry[]): string {
  const kinds = Map.groupBy(entries, ({ surveyed }) => agreed(surveyed));
  const parts = BEHAVIOURS.map((behaviour) => ({ behaviour, count: kinds.get(behaviour)?.length ?? 0 }))
    .filter(({ count }) => count > 0)
    .sort((one, other) => other.count - one.count)
    .map(({ behaviour, count }) => `${count} ${MEANS[behaviour][count === 1 ? 0 : 1]}`);
  const untold = kinds.get(undefined)?.length ?? 0;
  return [...parts, ...(untold > 0 ? [`${untold} cannot be told in one word`] : [])].join(', ');
}

const MEANS: Readonly<Record<Behaviour, readonly [string, string]>> = {
  Enforces: [
    'lets callers through and keeps the limit (Enforces)',
    'let callers through and keep the limit (Enforces)',
  ],
  FailsOpen: ['lets too many through (FailsOpen)', 'let too many through (FailsOpen)'],
  FailsClosed: ['turns callers away (FailsClosed)', 'turn callers away (FailsClosed)'],
  Hangs: ['leaves callers waiting (Hangs)', 'leave callers waiting (Hangs)'],
  Mixed: ['does something in between (Mixed)', 'do something in between (Mixed)'],
};

function limitersOf(entries: readonly Entry[]): Set<string> {
  return new Set(entries.map(({ limiter }) => limiter.name));
}
