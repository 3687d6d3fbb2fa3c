/** The page of the survey, made of its results: what was found, an overview, and a part for each limiter. */

import { code, counted, link, range, row } from './markdown.ts';
import { type Entry, findingsOf } from './page-findings.ts';
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
  FixedFromFirstRequest: 'a window that begins with the first request',
  FixedByClock: 'a window by the clock',
  Sliding: 'a window that slides',
  TokenBucket: 'tokens that come back',
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
    `What callers of real, unmodified rate limiters get while their Redis takes no writes. The words are those of
[Your own rate limiter](your-limiter.md#phases-of-a-run). This page is made of [survey.json](survey.json), which
also has the evidence of each run; nobody writes it by hand.`,
    '## What was found',
    findingsOf(entries),
    '## How',
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
  return `Each limiter ran as ${PROCESSES} processes over one Redis, with a limit of ${CONFIGURED.limit} requests in
${CONFIGURED.windowSeconds} s (in an hour where windows end for each caller at another moment), in the smallest service that its own documentation leads to (${code('survey/limiters')}), behind a
ChaosDemo with two scenarios. GhostAllowing sent three times the limit at once, three times over, with nothing wrong.
StoreOutage then paused the writes of Redis for ${PAUSE_SECONDS} s with ${code('CLIENT PAUSE')}, which is a Redis that
stalls: connections stay open, and no error arrives. Callers waited 1 s for an answer. ${counted(runs.length, 'run')} were made on a machine at a load of
${loads}. Times are of that machine; and a burst that showed nothing proves little. A sentence of documentation is held against
a Redis that stalls; whoever wrote it may have thought of one that is gone.

| column | what it says |
| --- | --- |
| callers get | what callers within their limit got during the pause, and in how many runs |
| an answer takes | the median before, during and after the pause, of the answers that came in time, to callers of both kinds; none: nobody was answered in time |
| beyond the limit | how many requests more than the limit allows got through during the pause |
| well again | how long after the pause callers were served as before |
| lost, overCounted | of three callers: requests admitted and never counted; counted and not admitted in time; each at least, since tokens that come back hide some |
| burst | the most that got through with nothing wrong, and what the limit allows |

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
  return [row(['limiter', 'language', 'as it comes', 'otherwise configured']), row(rule(4)), ...rows].join(
    '\n',
  );
}

/** `Hangs`, or why not one word. */
function gets(surveyed: Surveyed): string {
  return agreed(surveyed) ?? (toldRuns(surveyed).length > 0 ? '*differs*' : '*not told*');
}

function partOf(limiter: SurveyedLimiter, entries: readonly Entry[]): string {
  const besides = Object.entries(limiter.besides).map(([name, version]) => `${name} ${version}`);
  const head = `${link(`${limiter.package} ${limiter.version}`, limiter.documentation)} (${limiter.language})${
    besides.length > 0 ? `, with ${besides.join(', ')}` : ''
  }. It counts in ${WINDOWS[limiter.window.kind]}: ${quoted(limiter.window.saidBy)}.`;
  const titles = [
    'configuration',
    'callers get',
    'an answer takes',
    'beyond the limit',
    'well again',
    'lost, overCounted',
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
    ...(reasons.length > 0 ? [`Not the same each time, or not told:\n\n${reasons.join('\n')}`] : []),
    sayings.length > 0
      ? `Its documentation says of a Redis that fails:\n\n${sayings.join('\n')}`
      : 'Nothing was found in its documentation on a Redis that fails.',
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
    wellAgain(told),
    lost.length > 0 ? `${range(lost, '')}, ${range(of('overCounted'), '')}` : 'not known',
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
  return each.length > 0 ? each.join(', ') : '*not told*';
}

/** Why the runs do not all say the same. */
function whyNotAgreed(surveyed: Surveyed): string[] {
  const untold = surveyed.runs.filter(({ behaviour }) => !behaviour);
  // What somebody is to do about it, who describes a limiter of their own, is left out.
  const said = new Set(
    untold.map(({ message }) => message.replaceAll('\n', ' ').replace(/: see (whether )?subject\..*/, '')),
  );
  const differs = agreed(surveyed) === undefined ? toldRuns(surveyed) : [];
  return [
    ...[...said].map((message) => `not told: ${message}`),
    ...differs.map(({ behaviour, scenarios }) => `${behaviour}: ${byNode(scenarios).join('; ')}`),
  ];
}

/** What the evidence says of each process. */
function byNode(scenarios: readonly SurveyedScenario[]): readonly string[] {
  const evidence = scenarios.find(({ name }) => name === 'outage')?.evidence ?? [];
  return evidence.filter((line) => /: (?:within|under) the limit /.test(line));
}

function wellAgain(told: readonly SurveyedRun[]): string {
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
  if (summaries.length === 0 || !Number.isFinite(most)) return 'not told';
  const allowed = Math.max(
    ...summaries.map((summary) => Number(/^[0-9]+\/([0-9]+)/.exec(summary)?.[1] ?? 0)),
  );
  const broken = sum(numbers(runs, 'burst', 'trialsViolated'));
  const trials = sum(numbers(runs, 'burst', 'trials'));
  return `${most} of ${allowed}${broken > 0 ? `, too many in ${broken} of ${trials}` : ''}`;
}

function sayingOf({ surveyed, variant }: Entry): string[] {
  const { saysOfFailure } = variant;
  if (!saysOfFailure) return [];
  const verdict = verdictOn(saysOfFailure, surveyed);
  return [`- ${code(variant.name)}: ${quoted(saysOfFailure)}${verdict ? `, which this ${verdict}` : ''}`];
}

function verdictOn({ means }: FailureSaying, surveyed: Surveyed): string | undefined {
  const behaviour = agreed(surveyed);
  if (!means || !behaviour) return undefined;
  if (means.includes(behaviour)) return 'confirms';
  return behaviour === 'Mixed' && means.includes('FailsOpen') && servedShare(surveyed) > 0.5
    ? 'confirms in part'
    : '**contradicts**';
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
