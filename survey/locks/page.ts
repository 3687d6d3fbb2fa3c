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
holds writes back, and \`DataLoss\` removes the keys of the locks once. The others are of a [fault
proxy](fault-proxy.md): in \`StallByProxy\`, no byte passes. \`Disconnect\` is not tested: on one machine, all processes
have one address.

${runs.length} runs were made ${first === last ? `on ${first}` : `from ${first} to ${last}`}, on one machine with two cores and a load of ${Math.min(...loads)} to ${Math.max(...loads)}.

\`\`\`sh
node survey/locks/run.ts --times 3
\`\`\`

## Libraries

Their documentation does not state the outcome if their only Redis does not respond.

${table(
  ['library', 'version', 'language'],
  LIBRARIES.map(({ language, name, url, version }) => [name, link(version, url), language]),
)}
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
    const found = LIBRARIES.filter(({ name }) => {
      const own = runsOf(runs, name, setting, fault);
      return own.length > 0 && own.every(({ summary }) => summary.split('; ')[0] === word);
    });
    return `${found.length} of ${LIBRARIES.length} are ${code(word)}`;
  };
  const others = runs.filter(({ fault }) => fault !== 'DataLoss');
  const granting = others.filter(({ summary }) => summary.includes('DoubleGrants'));
  const names = [...new Set(granting.map(({ library }) => library))].join(', ');
  return [
    `${code('DataLoss')} apart, a lock never had more holders for certain than slots in ${others.length - granting.length} of ${others.length} runs${names && `; else: ${names}`}.`,
    `Once their keys are lost, ${having('DoubleGrants', 'default', 'DataLoss')}: a lock in one Redis is free without its key.`,
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
