/** `chaosdemo check`: judges the history of a run again. Needs no cluster, Redis or network. */
import { createReadStream } from 'node:fs';
import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { type ScenarioStatus, terminalLine, withPrintableTexts } from '../api/index.ts';
import { asExpected } from '../engine/verdict.ts';
import { boundedLines, HistoryFormatError } from '../subjects/ratelimiter/history/json-lines.ts';
import { replay } from '../subjects/ratelimiter/run/replay.ts';
import { EXIT } from './exit-status.ts';
import { exitOfError } from './program.ts';
import { scenarioLines } from './run-text.ts';

/** The program `chaosdemo` with the one command that works anywhere. */
export function chaosdemoProgram(description: string): Command {
  const program = new Command('chaosdemo')
    .description(description)
    .version(packageJson.version, '--version')
    .exitOverride();

  program
    .command('check')
    .summary('judge the history of a run again')
    .description(
      'Judges the history of a run again, by the checkers of the operator, and prints the results, figures and evidence that its status had.',
    )
    .argument('<file>', 'history as JSON Lines; - reads standard input')
    .option('--json', 'print the scenarios as JSON, as status.scenarios of a ChaosDemo has them')
    .addHelpText(
      'after',
      `
Exit status: 0 every scenario ended as expected, 1 one did not, 2 one is Inconclusive, 64 wrong usage,
65 the file is not a history, 66 the file cannot be read.

Examples:
  npm run demo -- --report-dir run && node scripts/chaosdemo.mjs check run/history.jsonl
  kubectl chaosdemo history demo | node scripts/chaosdemo.mjs check -`,
    )
    .action(async (file: string, { json = false }: { json?: boolean }) => {
      const scenarios = await replay(boundedLines(inputOf(file)));
      const lines = json ? [JSON.stringify(withPrintableTexts(scenarios), null, 2)] : textOf(scenarios);
      process.stdout.write(`${lines.join('\n')}\n`);
      process.exitCode = exitOf(scenarios);
    });
  return program;
}

/** Runs the command line of this process, and sets its exit status. */
export async function runCommandLine(program: Command): Promise<void> {
  try {
    await program.parseAsync(process.argv);
  } catch (error) {
    process.exitCode = failed(error);
  }
}

function inputOf(file: string): AsyncIterable<string> {
  return file === '-' ? process.stdin.setEncoding('utf8') : createReadStream(file, 'utf8');
}

function textOf(scenarios: readonly ScenarioStatus[]): string[] {
  return scenarios.flatMap((scenario, i) => [
    ...(i > 0 ? [''] : []),
    ...scenarioLines(scenario).map(terminalLine),
  ]);
}

function exitOf(scenarios: readonly ScenarioStatus[]): number {
  const known = ({ result }: ScenarioStatus): boolean => result !== undefined && result !== 'Inconclusive';
  if (scenarios.some((scenario) => known(scenario) && !asExpected(scenario))) return EXIT.found;
  return scenarios.every(known) ? EXIT.done : EXIT.failed;
}

function failed(error: unknown): number {
  const isFile = error instanceof Error && 'syscall' in error;
  const status = error instanceof HistoryFormatError ? EXIT.data : isFile ? EXIT.noInput : EXIT.failed;
  return exitOfError(error, { failed: status, prefix: 'chaosdemo: ' });
}
