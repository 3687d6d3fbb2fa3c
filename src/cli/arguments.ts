/** The command line of `npm run demo`. */
import { Command, Option } from 'commander';
import { profileName } from '../api/index.ts';
import type { LimiterMode } from '../local/limiters.ts';
import { parserOf } from './option-value.ts';

/** The ChaosDemo that runs by default. */
export const SAMPLE = 'manifests/samples/demo.yaml';

/** How a run is shown, and the files that it leaves. */
export interface ShowOptions {
  readonly ui?: boolean;
  readonly plain?: boolean;
  readonly json?: string;
  readonly junit?: string;
  readonly reportDir?: string;
}

/** How a run ends. */
export interface RunOptions extends ShowOptions {
  readonly keep?: boolean;
}

export interface DemoOptions extends RunOptions {
  readonly apiServer?: boolean;
  readonly mode: LimiterMode;
  readonly file: string;
  readonly limiter?: string;
  readonly variant?: string;
  readonly pace?: 'auto' | 'manual';
  readonly diagnosis?: string;
  readonly diagnosisProfiles?: string;
}

/** How the bundled rate limiters count. */
export function modeOption(): Option {
  return new Option(
    '--mode <mode>',
    'how the rate limiters count; approximate admits too much, strict does not',
  )
    .choices(['approximate', 'strict'])
    .default('approximate');
}

/** The profile that explains what was detected. */
export function diagnosisOption(help: string): Option {
  const name = { schema: profileName, write: 'the name of a profile' };
  return new Option('--diagnosis <profile>', help).argParser(parserOf(name));
}

/** The exit statuses of a run, for `--help`. */
export const EXIT_STATUSES = `
Exit status: 0 Succeeded, 1 Failed, 2 Errored or not run at all, 3 Aborted, 64 wrong usage,
130 stopped by Ctrl-C.`;

/** Adds the options in {@link ShowOptions}. */
export function withShowOptions(command: Command): Command {
  return command
    .option(
      '--ui',
      'serve the run as a live page, and print its address for your browser; it stays after the verdict until Ctrl-C',
    )
    .option('--plain', 'print the story line by line instead of the live view')
    .option('--junit <file>', 'write the results as JUnit XML to this file')
    .option('--json <file>', 'write the final object to this file')
    .option(
      '--report-dir <folder>',
      'write report.html, report.md, junit.xml, the final object, and history.jsonl for chaosdemo check into it',
    );
}

/** The command of a demo that can also run these rate limiters by name. */
export function demoCommand(limiters: readonly string[]): Command {
  const command = new Command('npm run demo --')
    .description(
      'Runs a demo on this machine: a real Redis, three rate limiters, and the operator, which injects real faults and reports the results. The Kubernetes API is in memory, unless this machine has an API server.',
    )
    .addOption(modeOption())
    .option('--file <file>', 'the ChaosDemo to run; its namespace must be "ratelimiter"', SAMPLE)
    .addOption(
      new Option('--limiter <name>', 'run a rate limiter of the survey instead of the bundled one')
        .choices(limiters)
        .conflicts(['file', 'mode']),
    )
    .option(
      '--api-server',
      'build the Kubernetes API server if this machine has none, in 4 to 15 minutes, rather than run its API in memory',
    )
    .option('--keep', 'leave everything running after the verdict, and print how to use kubectl with it')
    .option('--variant <name>', 'with --limiter: its configuration, as docs/survey.md names it')
    .addOption(
      new Option(
        '--pace <pace>',
        'manual: continue to the next chapter when you press enter (default: from the file)',
      ).choices(['auto', 'manual']),
    )
    .addOption(
      diagnosisOption(
        'who explains what was detected: rules, local (a small model, which this starts), or a profile of --diagnosis-profiles (default: from the file)',
      ),
    )
    .option('--diagnosis-profiles <file>', 'profiles of models for the operator, see docs/diagnosis.md');
  return withShowOptions(command).addHelpText('after', EXIT_STATUSES);
}
