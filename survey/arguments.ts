/** The command lines of `npm run survey` and `npm run survey:check`. */
import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import { wholeNumber } from '../src/cli/option-value.ts';
import { SURVEYED_FAULTS, type SurveyedFault } from './runner/demo.ts';

/** Runs wait most of the time; more of them would keep a machine busy that measures. */
const AT_ONCE = Math.min(8, 2 * availableParallelism());

/** The options of a survey. */
export interface SurveyOptions {
  readonly first?: boolean;
  /** Names of variants; undefined: all. */
  readonly variant?: readonly string[];
  readonly fault: SurveyedFault;
  readonly times: number;
  readonly resume?: boolean;
  readonly atOnce: number;
  readonly out: string;
  readonly page?: boolean;
}

/** The options of a check. */
export interface CheckOptions {
  readonly variant?: readonly string[];
  readonly pause: number;
}

const several = (text: string, earlier: readonly string[] = []): string[] => [...earlier, text];
const VARIANT = ['--variant <name>', 'only variants of this name; may be given several times'] as const;

/** The command of a survey. */
export function surveyCommand(): Command {
  return (
    new Command('npm run survey --')
      .description(
        `Starts each rate limiter of survey/limiters as three processes over one Redis, and lets the operator report the outcome for their callers during a fault of Redis. Without names: all of them, once. Takes about 10 minutes, and some minutes more to install them.

Writes each result to survey.json, or for example survey-disconnect.json, and survey.md from all of them. Keeps results of other limiters and variants.`,
      )
      .argument('[names...]', 'limiters (default: all)')
      .option('--first', 'only the first variant of each: its default settings')
      .option(...VARIANT, several)
      .addOption(
        new Option(
          '--fault <type>',
          'the fault; Restart is a Refuse in which a process is restarted. Those other than Stall need Linux, and root or user namespaces',
        )
          .choices(SURVEYED_FAULTS)
          .default('Stall'),
      )
      .option('--times <number>', 'runs of each', wholeNumber(1, 20), 1)
      .option('--resume', 'keep stored runs, and make only those that are missing')
      // The operator admits 50 runs at once.
      .option('--at-once <number>', 'runs at the same time', wholeNumber(1, 20), AT_ONCE)
      .option('--out <folder>', 'the folder of survey.json and survey.md', 'docs')
      .option('--page', 'only write survey.md again, from survey.json')
      .addHelpText(
        'after',
        `
Exit status: 0 each has a result, the same in each run; 1 not all; 64 wrong usage; 130 stopped by Ctrl-C.`,
      )
  );
}

/** The command of a check. */
export function checkCommand(): Command {
  return new Command('npm run survey:check --')
    .description(
      'Starts each rate limiter of survey/limiters as three processes over one Redis, and checks its description. Without names: all of them, in every variant.',
    )
    .argument('[names...]', 'limiters (default: all)')
    .option(...VARIANT, several)
    .option(
      '--pause <ms>',
      'duration of the pause of Redis writes, in milliseconds',
      wholeNumber(1, 60_000),
      3000,
    )
    .addHelpText(
      'after',
      '\nExit status: 0 all are as described, 1 not all, 64 wrong usage, 130 stopped by Ctrl-C.',
    );
}
