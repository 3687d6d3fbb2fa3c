/** What the survey found, in a few sentences made of its results. */

import { code, counted } from './markdown.ts';
import { agreed, numbers, runsWithResult, type Surveyed } from './results.ts';
import { OUTAGE_REQUESTS_PER_SECOND, PAUSE_SECONDS } from './runner/demo.ts';
import { BEHAVIOURS, type FailureSaying, type SurveyedLimiter, type Variant } from './runner/limiter.ts';
import { PROCESSES } from './survey-variant.ts';

/** A configuration with its description, and what was found of it. */
export interface Entry {
  readonly limiter: SurveyedLimiter;
  readonly variant: Variant;
  readonly surveyed: Surveyed;
}

/** A list in Markdown. */
export function findingsOf(entries: readonly Entry[]): string {
  return [whatWasRun, withDefaults, inAll, promises, beyond, recovery, accounts, bursts, agreement]
    .flatMap((find) => find(entries) ?? [])
    .map((text) => `- ${text}`)
    .join('\n');
}

function whatWasRun(entries: readonly Entry[]): string {
  const limiters = limitersOf(entries);
  const languages = new Set(entries.map(({ limiter }) => limiter.language));
  return `${counted(limiters.size, 'limiter')} in ${counted(languages.size, 'language')}, ${counted(entries.length, 'configuration')}.`;
}

function withDefaults(entries: readonly Entry[]): string {
  const first = entries.filter(({ limiter, variant }) => variant === limiter.variants[0]);
  return `**With default settings**, of ${counted(first.length, 'limiter')}: ${tally(first)}.`;
}

function inAll(entries: readonly Entry[]): string {
  return `Of all ${counted(entries.length, 'configuration')}: ${tally(entries)}.`;
}

function promises(entries: readonly Entry[]): string[] {
  const said = (means: (saying: FailureSaying) => boolean) =>
    entries.filter(({ variant: { saysOfFailure } }) => saysOfFailure?.means && means(saysOfFailure));
  const admits = (saying: FailureSaying): boolean =>
    (saying.means ?? []).some((each) => each === 'FailsOpen' || each === 'Enforces');
  const open = said(admits);
  const others = said((saying) => !admits(saying));
  return [
    ...(open.length > 0
      ? [
          `For ${counted(open.length, 'configuration')}, **documentation promises that callers are admitted** if Redis fails: ${tally(open)}.`,
        ]
      : []),
    ...(others.length > 0
      ? [
          `For ${counted(others.length, 'configuration')}, it promises an error or a rejection: ${tally(others)}.`,
        ]
      : []),
  ];
}

/** What the caller over its limit sends during the pause. */
export const SENT_OVER = OUTAGE_REQUESTS_PER_SECOND * PROCESSES * PAUSE_SECONDS;

function beyond(entries: readonly Entry[]): string {
  const over = entries
    .map(({ limiter, surveyed }) => ({
      limiter,
      most: Math.max(0, ...numbers(runsWithResult(surveyed), 'outage', 'overAdmission')),
    }))
    .filter(({ most }) => most > 0);
  if (over.length === 0) return 'None exceeded the limit during the pause.';
  const most = Math.max(...over.map((each) => each.most));
  const names = new Set(over.map(({ limiter }) => limiter.name));
  const worst = new Set(over.filter((each) => each.most === most).map(({ limiter }) => limiter.name));
  return `${counted(over.length, 'configuration')} of ${counted(names.size, 'limiter')} exceeded the limit of one caller during the pause. The largest figure is ${most} of about ${SENT_OVER} sent (${[...worst].join(', ')}), so it is bounded by the test and not by the limiter.`;
}

/** What is usual, in milliseconds. */
const SOON = 1000;

function recovery(entries: readonly Entry[]): string {
  const late = entries.flatMap(({ limiter, surveyed, variant }) => {
    const decided = runsWithResult(surveyed);
    const times = numbers(decided, 'outage', 'timeToRecovery');
    const never = decided.length - times.length;
    const slowest = Math.max(0, ...times);
    const how = [
      ...(slowest > SOON ? [`up to ${slowest} ms`] : []),
      ...(never > 0 ? [`not within 5 s in ${never} of ${decided.length} runs`] : []),
    ];
    return how.length > 0 ? [`${limiter.name} ${code(variant.name)}: ${how.join(', ')}`] : [];
  });
  const rest = late.length > 0 ? `, but for ${late.join('; ')}` : '';
  return `After the pause, callers were admitted as before within ${SOON / 1000} s${rest}.`;
}

function accounts(entries: readonly Entry[]): string {
  const having = (measure: string): Entry[] =>
    entries.filter(({ surveyed }) => numbers(surveyed.runs, 'outage', measure).some((value) => value > 0));
  const overCounted = having('overCounted');
  const underCounted = having('underCounted');
  return `${counted(overCounted.length, 'configuration')} of ${counted(limitersOf(overCounted).size, 'limiter')} counted requests that were not admitted in time (over-counted). ${counted(underCounted.length, 'configuration')} of ${counted(limitersOf(underCounted).size, 'limiter')} admitted requests that were never counted (under-counted).`;
}

function bursts(entries: readonly Entry[]): string {
  const broken = entries.filter(({ surveyed }) =>
    numbers(surveyed.runs, 'burst', 'trialsViolated').some((value) => value > 0),
  );
  if (broken.length === 0) return 'Without a fault, no burst exceeded its limit.';
  const each = [...Map.groupBy(broken, ({ limiter }) => limiter.name)].map(
    ([name, of]) => `${name}: ${of.map(burstOf).join(', ')}`,
  );
  return `Without a fault, a burst exceeded its limit in ${counted(broken.length, 'configuration')} (${each.join('; ')}).`;
}

/** `default 44 of 20 in 5 of 9 bursts`: the most that was admitted. */
function burstOf({ surveyed: { runs }, variant }: Entry): string {
  const summaries = runs.flatMap(
    ({ scenarios }) => scenarios.find(({ name }) => name === 'burst')?.summary ?? [],
  );
  const limits = summaries.map((summary) => Number(/^[0-9]+\/([0-9]+)/.exec(summary)?.[1] ?? 0));
  const [most, limit] = [Math.max(...numbers(runs, 'burst', 'admitted')), Math.max(...limits)];
  const sum = (name: string): number => numbers(runs, 'burst', name).reduce((total, each) => total + each, 0);
  return `${code(variant.name)} ${most} of ${limit} in ${sum('trialsViolated')} of ${sum('trials')} bursts`;
}

function agreement(entries: readonly Entry[]): string {
  const times = entries.map(({ surveyed }) => surveyed.runs.length);
  const alike = entries.filter(({ surveyed }) => agreed(surveyed)).length;
  const least = Math.min(...times);
  const most = Math.max(...times);
  const how = least === most ? counted(most, 'time') : `${least} to ${most} times`;
  return `Each configuration ran ${how}. ${alike} of ${entries.length} gave one result.`;
}

/** `12 Hangs, 3 FailsClosed`: the most frequent first. */
function tally(entries: readonly Entry[]): string {
  const kinds = Map.groupBy(entries, ({ surveyed }) => agreed(surveyed));
  const parts = BEHAVIOURS.map((behaviour) => ({ behaviour, count: kinds.get(behaviour)?.length ?? 0 }))
    .filter(({ count }) => count > 0)
    .sort((one, other) => other.count - one.count)
    .map(({ behaviour, count }) => `${count} ${behaviour}`);
  const open = kinds.get(undefined)?.length ?? 0;
  return [...parts, ...(open > 0 ? [`${open} without one result`] : [])].join(', ');
}

function limitersOf(entries: readonly Entry[]): Set<string> {
  return new Set(entries.map(({ limiter }) => limiter.name));
}
