/** The page of the survey, made of its results: what was found, an overview, and a part for each limiter. */

import { code, counted, link, range, table } from './markdown.ts';
import { type Entry, findingsOf, SENT_OVER } from './page-findings.ts';
import { agreed, numbers, runsWithResult, type Surveyed, type SurveyedRun } from './results.ts';
import { CONFIGURED, PAUSE_SECONDS, SURVEYED_FAULTS, type SurveyedFault } from './runner/demo.ts';
import type { FailureSaying, SurveyedLimiter, WindowKind } from './runner/limiter.ts';
import { loadLimiter } from './runner/limiters.ts';
import { PROCESSES } from './survey-variant.ts';

/** Results by fault, without those of a stall. */
type Others = ReadonlyMap<SurveyedFault, readonly Surveyed[]>;

const WINDOWS: Readonly<Record<WindowKind, string>> = {
  FixedFromFirstRequest: 'fixed window from the first request',
  FixedByClock: 'fixed window by the clock',
  Sliding: 'sliding window',
  TokenBucket: 'token bucket',
};

/**
 * Markdown, of the results with a stall, and with other faults. Those whose limiter or variant is no longer described
 * are left out.
 */
export async function pageOf(all: readonly Surveyed[], others: Others = new Map()): Promise<string> {
  const limiters = await Promise.all([...new Set(all.map(({ limiter }) => limiter))].map(loadLimiter));
  const groups = limiters
    .map((limiter) => ({ limiter, entries: entriesOf(limiter, all) }))
    .filter(({ entries }) => entries.length > 0);
  const entries = groups.flatMap((group) => group.entries);
  return `${[
    '# Survey of rate limiters',
    `How unmodified rate limiters behave while writes to their Redis stall. [Configure your limiter](configure.md) has the
settings that help, and [Concepts](concepts.md#store-outage) defines the outcomes. This page is generated from
[survey.json](survey.json), which has the figures and evidence of each run, in the terms of the build that made them.`,
    '## Findings',
    findingsOf(entries),
    '## Method',
    howOf(entries),
    '## Overview',
    overviewOf(groups),
    ...otherFaultsOf(groups, others),
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
  const loads = range(runs.map(({ load }) => load));
  const days = [...new Set(runs.map(({ at }) => at.slice(0, 10)))].sort();
  const date = days.length > 1 ? `${days[0]} to ${days.at(-1)}` : (days[0] ?? '');
  return `Each limiter ran as ${PROCESSES} processes over one Redis, with a limit of ${CONFIGURED.limit} requests in ${CONFIGURED.windowSeconds} s. If each
caller's window ends at another moment, it lasted an hour. The service is the smallest that the documentation describes
(${code('survey/limiters')}), and identifies callers by a header. The first
configuration has default settings, unless its row names others.

GhostAllowing sent three bursts of three times the limit, without a fault. StoreOutage then paused Redis writes for ${PAUSE_SECONDS} s:
connections stay open, and Redis returns no error. Callers waited 1 s, so a client that waits longer hangs by definition.
Documentation usually describes an unreachable Redis instead: see [other faults](#other-faults).

${counted(runs.length, 'run')} were made on ${date}, on one machine with a load of ${loads}. The versions of Redis and of the
machine were not recorded. Times depend on that load, and a burst within the limit proves little.

\`\`\`sh
npm run survey -- koa-ratelimit --times 3   # without a name: all limiters
\`\`\`

The tables of the limiters have these columns:

- **outcome**: for callers under their limit during the pause, with the number of runs if they differ. ${code('+144')}:
  requests of one caller admitted beyond its limit, of about ${SENT_OVER} sent. Without it, there were none.
- **under-/over-counted**: of three callers, requests admitted and never counted, and counted and not admitted in time.
  With a token bucket, these are lower bounds.

Quotes of the documentation about failures of Redis are **confirmed** or **contradicted** by the outcome, or **not
reached**: they are about an error, and none came in time. No verdict: not about callers, or the outcome is not one.`;
}

function overviewOf(groups: readonly { limiter: SurveyedLimiter; entries: readonly Entry[] }[]): string {
  const rows = groups.map(({ entries, limiter }) => {
    const byDefault = entries.find(({ variant }) => variant === limiter.variants[0]);
    const others = Map.groupBy(
      entries.filter((entry) => entry !== byDefault),
      ({ surveyed }) => gets(surveyed),
    );
    return [
      link(limiter.name, `#${limiter.name}`),
      limiter.language,
      byDefault ? gets(byDefault.surveyed) : '',
      [...others].map(([outcome, of]) => `${outcome}: ${variantsOf(of)}`).join('; '),
    ];
  });
  return table(['limiter', 'language', 'default settings', 'other settings'], rows);
}

/** A table of the configurations that were surveyed with other faults as well, and what it takes to read it. */
function otherFaultsOf(
  groups: readonly { limiter: SurveyedLimiter; entries: readonly Entry[] }[],
  others: Others,
): string[] {
  const rows = groups.flatMap(({ entries, limiter }) =>
    entries.flatMap(({ surveyed, variant }) => {
      const cells = SURVEYED_FAULTS.slice(1).map((fault) => outcomeWith(others.get(fault), surveyed));
      return cells.some((cell) => cell !== '')
        ? [[`${link(limiter.name, `#${limiter.name}`)} ${code(variant.name)}`, gets(surveyed), ...cells]]
        : [];
    }),
  );
  if (rows.length === 0) return [];
  return [
    '## Other faults',
    `The same, in one run each, with [other faults of Redis](faults.md) of ${PAUSE_SECONDS} s: ${code('npm run survey -- --fault Disconnect')}. Each
process reached Redis from its own address. ${code('Restart')} is a ${code('Refuse')} in which one of the processes was killed and started again.
**stays**: 5 s after the fault, callers were not treated as before. Empty: not tested.
${code('DataLoss')} needs a single key with the count.`,
    table(['configuration', ...SURVEYED_FAULTS.map(code)], rows),
  ];
}

/** `FailsOpen, stays`; empty if it was not surveyed. */
function outcomeWith(all: readonly Surveyed[] = [], { limiter, variant }: Surveyed): string {
  const same = all.find((each) => each.limiter === limiter && each.variant === variant);
  if (!same) return '';
  const stays = same.runs.some(({ scenarios }) =>
    scenarios.some(({ summary }) => summary?.includes('no recovery')),
  );
  return `${gets(same)}${stays ? ', **stays**' : ''}`;
}

function variantsOf(entries: readonly Entry[]): string {
  return entries.map(({ variant }) => code(variant.name)).join(', ');
}

/** `Hangs`, or why there is no single result. */
function gets(surveyed: Surveyed): string {
  return agreed(surveyed) ?? (runsWithResult(surveyed).length > 0 ? '*differs*' : '*no result*');
}

const COLUMNS = ['configuration', 'outcome', 'under-/over-counted'];

function partOf(limiter: SurveyedLimiter, entries: readonly Entry[]): string {
  const besides = Object.entries(limiter.besides).map(([name, version]) => `${code(name)} ${version}`);
  const head = `${link(`${limiter.package} ${limiter.version}`, limiter.documentation)}${
    besides.length > 0 ? `, with ${besides.join(', ')}` : ''
  }. Algorithm: ${link(WINDOWS[limiter.window.kind], limiter.window.saidBy.url)}.`;
  const list = [...entries.flatMap(whyNotAgreed), ...sayingsOf(entries)].map((text) => `- ${text}`);
  return [
    `## ${limiter.name}`,
    head,
    table(COLUMNS, entries.map(cellsOf)),
    ...(limiter.remark ? [limiter.remark] : []),
    ...(list.length > 0 ? [list.join('\n')] : []),
  ].join('\n\n');
}

function cellsOf({ surveyed, variant }: Entry): string[] {
  const decided = runsWithResult(surveyed);
  const of = (name: string): number[] => numbers(decided, 'outage', name);
  const lost = of('underCounted');
  return [
    `${code(variant.name)}: ${variant.what}`,
    `${outcomeOf(surveyed)}${overLimitOf(of('overAdmission'))}`,
    lost.length > 0 ? `${cellOf(lost)}/${cellOf(of('overCounted'))}` : '',
  ];
}

/** ` +144–147`: what was admitted over the limit; nothing for none. */
function overLimitOf(figures: readonly number[]): string {
  return figures.some((figure) => figure > 0) ? ` +${cellOf(figures)}` : '';
}

/** A figure of all runs in a cell of a table. */
function cellOf(figures: readonly number[]): string {
  return range(figures, '–');
}

/** `**Hangs**`; with the number of runs if they differ. */
function outcomeOf(surveyed: Surveyed): string {
  const { runs } = surveyed;
  const decided = runsWithResult(surveyed);
  if (agreed(surveyed) && decided.length === runs.length) return `**${agreed(surveyed)}**`;
  const kinds = Map.groupBy(decided, ({ behaviour }) => behaviour);
  const each = [...kinds].map(([behaviour, of]) => `${behaviour} ${of.length} of ${runs.length}`);
  return each.length > 0 ? each.join(', ') : '*no result*';
}

/** Why there is no single result. */
function whyNotAgreed({ surveyed, variant }: Entry): string[] {
  const untold = surveyed.runs.filter(({ behaviour }) => !behaviour).map(({ message }) => message);
  const differs = agreed(surveyed) === undefined ? runsWithResult(surveyed) : [];
  return [
    ...withoutBaseline(untold),
    ...(differs.length > 0 ? [`of requests under the limit, ${tallyOf(differs)}`] : []),
  ].map((reason) => `${code(variant.name)}: ${reason}.`);
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
          `no result in ${counted(admitted.length, 'run')}: without a fault, one caller was admitted ${range(admitted)} times, with a limit of ${range(figures(2))}`,
        ]
      : []),
    ...[...new Set(others)].map((message) => `no result: ${code(message)}`),
  ];
}

/** The outcomes of callers under the limit, of all processes together, from the evidence; over all runs. */
function tallyOf(runs: readonly SurveyedRun[]): string {
  const tallies = runs.map(({ scenarios }) => {
    const evidence = scenarios.find(({ name }) => name === 'outage')?.evidence ?? [];
    const totals = new Map<string, number>();
    for (const line of evidence) {
      const [, under = ''] =
        /(?:: (?:within|under) the limit|the fault\. Requests within a limit:) ([^;.]*)/.exec(line) ?? [];
      for (const [, count, outcome = ''] of under.matchAll(/([0-9]+) ([a-z]+)/g)) {
        totals.set(outcome, (totals.get(outcome) ?? 0) + Number(count));
      }
    }
    return totals;
  });
  const outcomes = [...new Set(tallies.flatMap((totals) => [...totals.keys()]))];
  return outcomes
    .map((outcome) => {
      const counts = tallies.map((totals) => totals.get(outcome) ?? 0);
      return `${range(counts)} ${OUTCOMES[outcome] ?? outcome}`;
    })
    .join(', ');
}

/** Names in older evidence. */
const OUTCOMES: Readonly<Record<string, string>> = { denied: 'rejected' };

/** Each quote once, with what came of it in the configurations that it is about. */
function sayingsOf(entries: readonly Entry[]): string[] {
  const quotes = Map.groupBy(entries, ({ variant }) => {
    const says = variant.saysOfFailure;
    return says && link(`"${says.quote}"`, says.url);
  });
  return [...quotes].flatMap(([quote, of]) => (quote ? [`${quote}: ${verdictsOn(of)}.`] : []));
}

function verdictsOn(entries: readonly Entry[]): string {
  const verdicts = Map.groupBy(
    entries,
    ({ surveyed, variant }) => variant.saysOfFailure && verdictOn(variant.saysOfFailure, surveyed),
  );
  return [...verdicts].map(([verdict, of]) => `${verdict ?? 'no verdict'} for ${variantsOf(of)}`).join('; ');
}

function verdictOn({ means, onError }: FailureSaying, surveyed: Surveyed): string | undefined {
  const behaviour = agreed(surveyed);
  if (!means || !behaviour) return undefined;
  if (means.includes(behaviour)) return 'confirmed';
  if (onError && behaviour === 'Hangs') return 'not reached';
  return behaviour === 'Mixed' && means.includes('FailsOpen') && servedShare(surveyed) > 0.5
    ? 'confirmed in part'
    : '**contradicted**';
}

/** The least share of callers within their limit that were let through, of all runs. */
function servedShare(surveyed: Surveyed): number {
  const decided = runsWithResult(surveyed);
  const sent = numbers(decided, 'outage', 'underLimit');
  const notAdmitted = numbers(decided, 'outage', 'notAdmitted');
  return Math.min(...sent.map((all, index) => 1 - (notAdmitted[index] ?? all) / all));
}
