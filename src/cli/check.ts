/** `chaosdemo check`: judges the history of a run again. Needs no cluster, Redis or network. */

import { createReadStream } from 'node:fs';
import { UsageError } from '@chaosdemo/settings';
import { Command } from 'commander';
import {
  type ChaosDemo,
  type ScenarioStatus,
  statusSchema,
  terminalLine,
  withPrintableTexts,
} from '../api/index.ts';
import { asExpected } from '../engine/verdict.ts';
import { boundedLines, HistoryFormatError } from '../subjects/history/json-lines.ts';
import { KINDS } from '../subjects/index.ts';
import { replay } from '../subjects/run/replay.ts';
import { EXIT } from './exit-status.ts';
import { readManifest } from './manifest.ts';
import { exitOfError } from './program.ts';
import { scenarioLines } from './run-text.ts';

export function checkCommand(): Command {
  return new Command('check')
    .exitOverride()
    .summary('judge the history of a run again')
    .description(
      'Judges the history of a run again, by the checkers of the operator, and prints the results, figures and evidence that its status had.',
    )
    .argument('<file>', 'history as JSON Lines; - reads standard input')
    .option('--json', 'print the scenarios as JSON, as status.scenarios of a ChaosDemo has them')
    .option('--against <file>', 'compare with the ChaosDemo of the run, in YAML or JSON')
    .addHelpText(
      'after',
      `
Exit status: 0 every scenario ended as expected, 1 one did not, 2 one is Inconclusive, 64 wrong usage,
65 the file is not a history, no run records it so, or it is not that of --against, 66 the file cannot be read.

Examples:
  npm run demo -- --report-dir run && node scripts/chaosdemo.mjs check run/history.jsonl
  node scripts/chaosdemo.mjs check run/history.jsonl --against run/chaosdemo.json
  kubectl chaosdemo history demo | node scripts/chaosdemo.mjs check -`,
    )
    .action(async (file: string, { against, json = false }: { against?: string; json?: boolean }) => {
      const recorded = against === undefined ? undefined : await statusIn(against);
      const noted: string[] = [];
      const input = file === '-' ? process.stdin.setEncoding('utf8') : createReadStream(file, 'utf8');
      const scenarios = await replay(boundedLines(input), KINDS, (name) =>
        noted.push(`${name}: no probe of its fault is recorded, so its proof cannot be recomputed`),
      );
      const text = scenarios.map((one) => scenarioLines(one).map(terminalLine).join('\n')).join('\n\n');
      process.stdout.write(`${json ? JSON.stringify(withPrintableTexts(scenarios), null, 2) : text}\n`);
      process.exitCode = exitOf(scenarios);
      const different = recorded ? differences(scenarios, recorded) : [];
      const said = [...noted, ...different].map((line) => `chaosdemo: ${terminalLine(line)}\n`);
      process.stderr.write(said.join(''));
      if (different.length > 0) process.exitCode = EXIT.data;
    });
}

/** @throws UsageError if it holds no ChaosDemo that has run */
async function statusIn(path: string): Promise<readonly ScenarioStatus[]> {
  const { status } = (await readManifest('--against', path)) as Pick<ChaosDemo, 'status'>;
  const parsed = statusSchema.safeParse(status);
  if (!parsed.success) throw new UsageError(`--against ${path}: it has no status of a run`);
  return parsed.data.scenarios ?? [];
}

/** How scenarios that were judged again differ from those that the run recorded. */
export function differences(again: readonly ScenarioStatus[], recorded: readonly ScenarioStatus[]): string[] {
  const differs = ({ history, name, result }: ScenarioStatus): string | undefined => {
    const run = recorded.find((one) => one.name === name);
    if (!run) return 'the ChaosDemo has no such scenario';
    if (!run.history)
      return 'its status has no digest of the history, since the process that recorded it did not reach the verdict';
    if (run.history !== history) return 'the lines of the file are not those that the run recorded';
    return run.result === result ? undefined : `the status says ${run.result}, and the history ${result}`;
  };
  const missing = recorded.filter(({ history, name }) => history && !again.some((one) => one.name === name));
  return [
    ...again.map((one) => ({ name: one.name, why: differs(one) })),
    ...missing.map(({ name }) => ({ name, why: 'the file has no history of it' })),
  ].flatMap(({ name, why }) => (why === undefined ? [] : `${name}: ${why}`));
}

function exitOf(scenarios: readonly ScenarioStatus[]): number {
  const known = ({ result }: ScenarioStatus): boolean => result !== undefined && result !== 'Inconclusive';
  if (scenarios.some((scenario) => known(scenario) && !asExpected(scenario))) return EXIT.found;
  return scenarios.every(known) ? EXIT.done : EXIT.failed;
}

/** The exit status of a command line that failed. */
export function exitOfFailure(error: unknown): number {
  const isFile = error instanceof Error && 'syscall' in error;
  const status = error instanceof HistoryFormatError ? EXIT.data : isFile ? EXIT.noInput : EXIT.failed;
  return exitOfError(error, { failed: status, prefix: 'chaosdemo: ' });
}
