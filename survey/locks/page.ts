/** The page of the survey of locks, from its results. Pure but for reading them. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { code, link, table } from '../markdown.ts';
import {
  FAULTS,
  type Fault,
  LIBRARIES,
  type LockRun,
  SETTINGS,
  type Setting,
  TIMEOUT_MS,
} from './libraries.ts';

/** Where the results are. */
export const RESULTS = fileURLToPath(new URL('../../docs/survey-locks.json', import.meta.url));

/** Where the history of the last run of each cell is. */
export const HISTORIES = fileURLToPath(new URL('histories', import.meta.url));

/** The file of a cell there. */
export function historyOf({
  fault,
  library,
  setting,
}: Pick<LockRun, 'fault' | 'library' | 'setting'>): string {
  return `${library.replaceAll(/[^\w-]+/g, '-').replace(/^-/, '')}-${setting}-${fault}.jsonl.gz`;
}

/** All runs so far, in their order. */
export async function readRuns(): Promise<readonly LockRun[]> {
  return JSON.parse(await readFile(RESULTS, 'utf8').catch(() => '[]')) as LockRun[];
}

/** The page in Markdown. */
export function lockPage(runs: readonly LockRun[]): string {
  const loads = runs.map(({ load }) => load);
  const dates = runs.map(({ at }) => at.slice(0, 10)).sort();
  const [first, last] = [dates[0], dates.at(-1)];
  return `# Survey of locks

What contenders of unmodified locks get during a fault of Redis. [Test a lock](your-lock.md#results) defines the outcomes. This
page is generated from [survey-locks.json](survey-locks.json), which has each run.

## Findings

${findingsOf(runs)
  .map((line) => `- ${line}`)
  .join('\n')}

## Results

${table(
  ['library', 'settings', ...FAULTS.map(code)],
  LIBRARIES.flatMap(({ name }) =>
    SETTINGS.map((setting) => [
      name,
      setting,
      ...FAULTS.map((fault) => outcome(runsOf(runs, name, setting, fault))),
    ]),
  ),
)}

- **not returned**: a slot was not granted again after the fault, its time to live and 5 s.
- \`2 × Hangs, Denies\`: the runs differ. Empty: not run.

## Method

Each library runs in the smallest service that its documentation describes (\`survey/locks\`), as three processes over one
Redis, with a time to live of 5 s and no retries of an acquire. \`default\` has the default settings of its client.
\`timeout\` sets a timeout of ${TIMEOUT_MS} ms for each command, and in Python and Go no retries of a command. \`Stall\`
holds writes back, \`Disconnect\` also ends connections again and again, and \`DataLoss\` removes the keys of the locks
once. In a \`Failover\`, three Sentinels swap a primary and its replica, and clients find the primary by the Sentinels. The
others are of a [fault proxy](fault-proxy.md): in \`StallByProxy\`, no byte passes.

${runs.length} runs were made ${first === last ? `on ${first}` : `from ${first} to ${last}`}, on one machine with two cores and a load of ${Math.min(...loads)} to ${Math.max(...loads)}.

\`\`\`sh
node survey/locks/run.ts --times 3
\`\`\`

\`survey/locks/histories\` has the last history of a cell, if it was kept: \`gunzip\` it, and \`chaosdemo check\` judges
it again.

## Libraries

Their documentation does not state the outcome if their only Redis does not respond. What comes closest to a promise or
a warning:

${table(
  ['library', 'version', 'language', 'documentation'],
  LIBRARIES.map(({ language, name, quote, url, version }) => [
    name,
    link(version, url),
    language,
    code(quote),
  ]),
)}

redlock, its fork and Redisson mean Redis with replicas or several servers.
`;
}

/** The runs of one cell. */
function runsOf(runs: readonly LockRun[], name: string, setting: Setting, fault: Fault): readonly LockRun[] {
  return runs.filter(
    ({ fault: by, library, setting: having }) => library === name && having === setting && by === fault,
  );
}

/** Sentences about the table. A lock counts for an outcome if each of its runs has it. */
function findingsOf(runs: readonly LockRun[]): string[] {
  const having = (word: string, setting: Setting, fault: Fault): string => {
    const cells = LIBRARIES.map(({ name }) => runsOf(runs, name, setting, fault));
    const tested = cells.filter(({ length }) => length > 0);
    const found = tested.filter((own) => own.every(({ summary }) => summary.split('; ')[0] === word));
    return `${found.length} of ${tested.length} are ${code(word)}`;
  };
  const others = runs.filter(({ fault }) => fault !== 'DataLoss' && fault !== 'Failover');
  const granting = others.filter(({ summary }) => summary.includes('DoubleGrants'));
  const names = [...new Set(granting.map(({ library }) => library))].join(', ');
  return [
    `${code('DataLoss')} and ${code('Failover')} apart, a lock never had more holders for certain than slots in ${others.length - granting.length} of ${others.length} runs${names && `; else: ${names}`}.`,
    `Once their keys are lost, ${having('DoubleGrants', 'default', 'DataLoss')}: a lock in one Redis is free without its key.`,
    `In a failover, ${having('DoubleGrants', 'default', 'Failover')} with default settings: for some seconds, two servers take writes.`,
    `With default settings, ${having('Hangs', 'default', 'Stall')} while writes stall: contenders get no response within 1 s.`,
    `With a timeout for each command, ${having('Denies', 'timeout', 'Stall')}.`,
    `If no server listens, ${having('Hangs', 'default', 'Refuse')} with default settings: their client queues commands until it is connected again.`,
  ];
}

/** The outcome of all runs of one cell: their words, the most frequent first. */
function outcome(runs: readonly LockRun[]): string {
  const words = Map.groupBy(runs, ({ result, summary }) =>
    result === 'Errored'
      ? 'no result'
      : result === 'Inconclusive'
        ? 'inconclusive'
        : summary.replace(/; \d+ > \d+ at once/, ''),
  );
  const sorted = [...words].toSorted(([, one], [, other]) => other.length - one.length);
  if (sorted.length < 2) return sorted[0]?.[0] ?? '';
  return sorted.map(([word, { length }]) => (length > 1 ? `${length} × ${word}` : word)).join(', ');
}
