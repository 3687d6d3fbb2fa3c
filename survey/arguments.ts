/** The command lines of `npm run survey` and `npm run survey:check`. */
import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { wholeNumber } from '../src/cli/whole-number.ts';

/** Runs wait most of the time; more of them would keep a machine busy that measures. */
const AT_ONCE = Math.min(8, 2 * availableParallelism());

/** The options of a survey. */
export interface SurveyOptions {
  readonly first?: boolean;
  /** Names of variants; undefined: all. */
  readonly variant?: readonly string[];
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
        `Starts each rate limiter of survey/limiters as three processes over one Redis, and lets the operator report what their callers get while Redis takes no writes. Without names: all of them, once, in about a quarter of an hour.

Results are written as they come, to survey.json, and survey.md is made of them. Those of other limiters and variants stay.`,
      )
      .argument('[names...]', 'limiters (default: all)')
      .option('--first', 'only the first variant of each: what a user gets who changes nothing')
      .option(...VARIANT, several)
      .option('--times <number>', 'how many runs of each are made', wholeNumber(1, 20), 1)
      .option('--resume', 'keep the runs that are there, and make only those that lack')
      // The operator takes on 50 runs at once.
      .option('--at-once <number>', 'how many run at the same time', wholeNumber(1, 20), AT_ONCE)
      .option('--out <folder>', 'where survey.json and survey.md are', 'docs')
      .option('--page', 'survey nothing; make survey.md of survey.json again')
      .addHelpText(
        'after',
        `
Exit status: 0 every result is known, and the same each time; 1 not all; 64 wrong usage; 130 stopped by Ctrl-C.`,
      )
  );
}

/** The command of a check. */
export function checkCommand(): Command {
  return new Command('npm run survey:check --')
    .description(
      'Starts each rate limiter of survey/limiters as three processes over one Redis, and proves that its description is true. Without names: all of them, in every variant.',
    )
    .argument('[names...]', 'limiters (default: all)')
    .option(...VARIANT, several)
    .option('--pause <ms>', 'for how long Redis takes no writes', wholeNumber(1, 60_000), 3000)
    .addHelpText(
      'after',
      '\nExit status: 0 all are as described, 1 not all, 64 wrong usage, 130 stopped by Ctrl-C.',
    );
}
