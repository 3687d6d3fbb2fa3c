/** The page of the survey, made of its results: what was found, an overview, and a part for each limiter. */

import { code, counted, link, range, row } from './markdown.ts';
import { type Entry, findingsOf, SENT_OVER } from './page-findings.ts';
import {
  agreed,
  numbers,
  type Surveyed,
  type SurveyedRun,
  type SurveyedScenario,
  toldRuns,
} from './results.ts';
import { CONFIGURED, PAUSE_SECONDS } from './runner/demo.ts';
import type { FailureSaying, Saying, SurveyedLimiter, WindowKind } from './runner/limiter.ts';
import { loadLimiter } from './runner/limiters.ts';
import { PROCESSES } from './survey-variant.ts';

const WINDOWS: Readonly<Record<WindowKind, string>> = {
  FixedFromFirstRequest: 'fixed window from the first request',
  FixedByClock: 'fixed window by the clock',
  Sliding: 'sliding window',
  TokenBucket: 'token bucket',
};

/** Markdown. Results whose limiter or variant is no longer described are left out. */
export async function pageOf(all: readonly Surveyed[]): Promise<string> {
  const limiters = await Promise.all([...new Set(all.map(({ limiter }) => limiter))].map(loadLimiter));
  const groups = limiters
    .map((limiter) => ({ limiter, entries: entriesOf(limiter, all) }))
    .filter(({ entries }) => entries.length > 0);
  const entries = groups.flatMap((group) => group.entries);
  return `${[
    '# Survey of rate limiters',
    `How real, unmodified rate limiters behave while writes to their Redis stall. [Your own rate
limiter](your-limiter.md#phases-of-a-run) defines the results. This page is generated from [survey.json](survey.json),
which also has the evidence of each run.`,
    '## Findings',
    findingsOf(entries),
    '## Method',
    howOf(entries),
    '## Overview',
    overviewOf(groups),
    ...groups.map(({ entries: own, limiter }) => partOf(limiter, own)),
  ].join('\n\n')}\n`;
}

function entriesOf(limiter: SurveyedLimiter, all: readonly Surveyed[]): Entry[] {
  return limiter.variants.flatMap((variant) => {
    const surveyed = all.find((each) => each.limiter === limiter.name && each.variant === variant.name);
    return surveyed ? [{ limiter, variant, surveyed }] : [];
  });
}

function howOf(entries: readonly Entry[]): string {
  const runs = entries.flatMap(({ surveyed }) => surveyed.runs);
  const loads = range(
    runs.map(({ load }) => load),
    '',
  );
  const days = [...new Set(runs.map(({ at }) => at.slice(0, 10)))].sort();
  const date = days.length > 1 ? `${days[0]} to ${days.at(-1)}` : (days[0] ?? '');
  return `Each limiter ran as ${PROCESSES} processes over one Redis, with a limit of ${CONFIGURED.limit} requests in ${CONFIGURED.windowSeconds} s. Windows
that end for each caller at a different moment lasted an hour. The service is the smallest that the documentation
describes (${code('survey/limiters')}), and identifies its callers by a header, if necessary with a key function of the
survey. So the first configuration has default settings, but for that function and what its row names.

A ChaosDemo tested two scenarios. GhostAllowing sent three bursts of three times the limit, without a fault.
StoreOutage then paused Redis writes for ${PAUSE_SECONDS} s with ${code('CLIENT PAUSE')}: connections stay open, and Redis
returns no error. Callers waited ${CALLERS_WAIT_MS / 1000} s for an answer, so a client that waits longer hangs by definition. An unreachable
Redis, which documentation usually describes, was not tested.

${counted(runs.length, 'run')} were made on ${date}, on one machine with a load of ${loads}. The results do not record the version
of Redis and the machine. Times depend on that load, and a burst within the limit proves little.

| Column | Meaning |
| --- | --- |
| result | outcome for callers under their limit during the pause, and in how many runs |
| latency | median before, during and after the pause, of answers within ${CALLERS_WAIT_MS / 1000} s. During the pause these are often few. Medians above ${CALLERS_WAIT_MS / 1000} s, of a late measurement, are left out; none: no other is left |
| over-admission | requests of one caller admitted during the pause beyond its limit, of about ${SENT_OVER} sent |
| recovery | time from the end of the pause until callers were admitted as before |
| under-, over-counted | of three callers: requests admitted and never counted; counted and not admitted in time. With a token bucket, these are lower bounds |
| burst | most requests admitted without a fault, and the limit |

\`\`\`sh
npm run survey -- --times 3
\`\`\``;
}

function overviewOf(groups: readonly { limiter: SurveyedLimiter; entries: readonly Entry[] }[]): string {
  const rows = groups.map(({ entries, limiter }) => {
    const [first] = entries;
    const isFirst = first && first.variant === limiter.variants[0];
    return row([
      link(limiter.name, `#${limiter.name}`),
      limiter.language,
      isFirst ? gets(first.surveyed) : '',
      entries
        .slice(isFirst ? 1 : 0)
        .map(({ surveyed, variant }) => `${code(variant.name)} ${gets(surveyed)}`)
        .join(', '),
    ]);
  });
  return [row(['limiter', 'language', 'default settings', 'other settings']), row(rule(4)), ...rows].join(
    '\n',
  );
}

/** `Hangs`, or why there is no single result. */
function gets(surveyed: Surveyed): string {
  return agreed(surveyed) ?? (toldRuns(surveyed).length > 0 ? '*differs*' : '*no result*');
}

function partOf(limiter: SurveyedLimiter, entries: readonly Entry[]): string {
  const besides = Object.entries(limiter.besides).map(([name, version]) => `${code(name)} ${version}`);
  const head = `${link(`${limiter.package} ${limiter.version}`, limiter.documentation)} (${limiter.language})${
    besides.length > 0 ? `, with ${besides.join(', ')}` : ''
  }. Algorithm: ${WINDOWS[limiter.window.kind]} (${quoted(limiter.window.saidBy)}).`;
  const titles = [
    'configuration',
    'result',
    'latency',
    'over-admission',
    'recovery',
    'under-, over-counted',
    'burst',
  ];
  const table = [row(titles), row(rule(titles.length)), ...entries.map(rowOf)].join('\n');
  const sayings = entries.flatMap(sayingOf);
  const reasons = entries.flatMap(({ surveyed, variant }) =>
    whyNotAgreed(surveyed).map((reason) => `- ${code(variant.name)}: ${reason}`),
  );
  return [
    `## ${limiter.name}`,
    head,
    table,
    ...(limiter.remark ? [limiter.remark] : []),
    ...(reasons.length > 0 ? [`Results that differ or are missing:\n\n${reasons.join('\n')}`] : []),
    sayings.length > 0
      ? `Its documentation on failures of Redis:\n\n${sayings.join('\n')}`
      : 'Its documentation has no statement on failures of Redis that the survey found.',
    `\`\`\`sh\nnpm run survey -- ${limiter.name} --times 3\n\`\`\``,
  ].join('\n\n');
}

function rowOf({ surveyed, variant }: Entry): string {
  const told = toldRuns(surveyed);
  const of = (name: string): number[] => numbers(told, 'outage', name);
  const lost = of('underCounted');
  const burst = burstOf(surveyed.runs);
  return row([
    `${code(variant.name)}: ${variant.what}`,
    callersGet(surveyed),
    told.length === 0
      ? ''
      : ['latencyBefore', 'latencyDuring', 'latencyAfter']
          .map((name) => range(of(name).filter(isInTime), 'ms') || 'none')
          .join(', '),
    range(of('overAdmission'), ''),
    recoveryOf(told),
    lost.length > 0 ? `${range(lost, '')}, ${range(of('overCounted'), '')}` : 'unknown',
    burst,
  ]);
}

/**
 * How long callers wait for an answer; milliseconds. Older runs counted as in time what the end of the pause brought,
 * if the operator was held up meanwhile.
 */
const CALLERS_WAIT_MS = 1000;

function isInTime(ms: number): boolean {
  return ms <= CALLERS_WAIT_MS;
}

/** `**Hangs** 3 of 3`; all words where they differ. */
function callersGet(surveyed: Surveyed): string {
  const { runs } = surveyed;
  const told = toldRuns(surveyed);
  const one = agreed(surveyed);
  if (one) return `**${one}** ${told.length} of ${runs.length}`;
  const kinds = Map.groupBy(told, ({ behaviour }) => behaviour);
  const each = [...kinds].map(([behaviour, of]) => `${behaviour} ${of.length} of ${runs.length}`);
  return each.length > 0 ? each.join(', ') : '*no result*';
}

/** Why there is no single result. */
function whyNotAgreed(surveyed: Surveyed): string[] {
  const untold = surveyed.runs.filter(({ behaviour }) => !behaviour).map(({ message }) => message);
  const differs = agreed(surveyed) === undefined ? toldRuns(surveyed) : [];
  return [
    ...withoutBaseline(untold),
    ...differs.map(
      ({ behaviour, scenarios }) => `${behaviour}; of requests under the limit, ${tallyOf(scenarios)}`,
    ),
  ];
}

/** What one caller was admitted before any fault. The message of a run names it and the limit; others are quoted. */
const WITHOUT_BASELINE =
  /^No baseline: without any fault one caller was let through ([0-9]+) times, and the limit allows ([0-9]+)/;

function withoutBaseline(messages: readonly string[]): string[] {
  const found = messages.map((message) => WITHOUT_BASELINE.exec(message));
  const figures = (group: 1 | 2): number[] => found.flatMap((match) => (match ? [Number(match[group])] : []));
  const others = messages.filter((_, i) => !found[i]).map((message) => message.replaceAll('\n', ' '));
  const admitted = figures(1);
  return [
    ...(admitted.length > 0
      ? [
          `no result in ${counted(admitted.length, 'run')}: without a fault, one caller was admitted ${range(admitted, 'times')}, with a limit of ${range(figures(2), '')}`,
        ]
      : []),
    ...[...new Set(others)].map((message) => `no result: ${code(message)}`),
  ];
}

/** The outcomes of callers under the limit, of all processes together, from the evidence. */
function tallyOf(scenarios: readonly SurveyedScenario[]): string {
  const evidence = scenarios.find(({ name }) => name === 'outage')?.evidence ?? [];
  const totals = new Map<string, number>();
  for (const line of evidence) {
    const [, under = ''] = /: (?:within|under) the limit ([^;]*)/.exec(line) ?? [];
    for (const [, count, outcome = ''] of under.matchAll(/([0-9]+) ([a-z]+)/g)) {
      totals.set(outcome, (totals.get(outcome) ?? 0) + Number(count));
    }
  }
  return [...totals].map(([outcome, count]) => `${count} ${OUTCOMES[outcome] ?? outcome}`).join(', ');
}

/** Names in older evidence. */
const OUTCOMES: Readonly<Record<string, string>> = { denied: 'rejected' };

function recoveryOf(told: readonly SurveyedRun[]): string {
  const times = numbers(told, 'outage', 'timeToRecovery');
  const never = told.length - times.length;
  if (never === 0) return range(times, 'ms');
  const late = `not within 5 s in ${never} of ${told.length}`;
  return times.length === 0 ? late : `${range(times, 'ms')}; ${late}`;
}

/** `20 of 20`, or `44 of 20 in 5 of 9 bursts`. */
function burstOf(runs: readonly SurveyedRun[]): string {
  const most = Math.max(...numbers(runs, 'burst', 'admitted'));
  const summaries = runs.flatMap(
    ({ scenarios }) => scenarios.find(({ name }) => name === 'burst')?.summary ?? [],
  );
  if (summaries.length === 0 || !Number.isFinite(most)) return 'no result';
  const allowed = Math.max(
    ...summaries.map((summary) => Number(/^[0-9]+\/([0-9]+)/.exec(summary)?.[1] ?? 0)),
  );
  const broken = sum(numbers(runs, 'burst', 'trialsViolated'));
  const trials = sum(numbers(runs, 'burst', 'trials'));
  return `${most} of ${allowed}${broken > 0 ? `, exceeded in ${broken} of ${trials} bursts` : ''}`;
}

function sayingOf({ surveyed, variant }: Entry): string[] {
  const { saysOfFailure } = variant;
  if (!saysOfFailure) return [];
  const verdict = verdictOn(saysOfFailure, surveyed);
  return [`- ${code(variant.name)}: ${quoted(saysOfFailure)}${verdict ? `. ${verdict}.` : ''}`];
}

function verdictOn({ means, onError }: FailureSaying, surveyed: Surveyed): string | undefined {
  const behaviour = agreed(surveyed);
  if (!means || !behaviour) return undefined;
  if (means.includes(behaviour)) return 'Confirmed';
  if (onError && behaviour === 'Hangs') return 'No error came in time, so this did not apply';
  return behaviour === 'Mixed' && means.includes('FailsOpen') && servedShare(surveyed) > 0.5
    ? 'Confirmed in part'
    : '**Contradicted**';
}

/** The least share of callers within their limit that were let through, of all runs. */
function servedShare(surveyed: Surveyed): number {
  const told = toldRuns(surveyed);
  const asked = numbers(told, 'outage', 'underLimit');
  const notAdmitted = numbers(told, 'outage', 'notAdmitted');
  return Math.min(...asked.map((all, index) => 1 - (notAdmitted[index] ?? all) / all));
}

function quoted({ quote, url }: Saying): string {
  return link(`"${quote}"`, url);
}

function sum(all: readonly number[]): number {
  return all.reduce((total, each) => total + each, 0);
}

function rule(columns: number): string[] {
  return Array.from({ length: columns }, () => '---');
}
