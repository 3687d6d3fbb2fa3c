/** The command line of `npm run survey`. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

/** Runs wait most of the time; more of them would keep a machine busy that measures. */
const AT_ONCE = Math.min(8, 2 * availableParallelism());
/** The operator takes on 50 runs at once. */
const MOST_AT_ONCE = 20;
const MOST_TIMES = 20;

/** What `--help` says. */
export const HELP = `Usage: npm run survey -- [names] [flags]

Starts each rate limiter of survey/limiters as three processes over one Redis, and lets the operator tell what their
callers get while Redis takes no writes. Without names: all of them, once, in about a quarter of an hour.

Results are written as they come, to survey.json, and survey.md is made of them. Those of limiters and variants that
are not asked for stay; those that are asked for are replaced.

  --first         only the first variant of each: what a user gets who changes nothing
  --variant NAME  only variants of this name; may be given several times
  --times N       how many runs of each are made, 1 to ${MOST_TIMES} (default: 1)
  --resume        keep the runs that are there, and make only those that lack
  --at-once N     how many run at the same time, 1 to ${MOST_AT_ONCE} (default here: ${AT_ONCE})
  --out FOLDER    where survey.json and survey.md are (default: docs)
  --page          survey nothing; make survey.md of survey.json again
  --help          this text

Exit status: 0 all was told, and the same each time; 1 not all; 64 wrong usage; 130 stopped by Ctrl-C.
`;

/** What was asked for. */
export interface SurveyArguments {
  /** Limiters; none: all. */
  readonly names: readonly string[];
  readonly first: boolean;
  /** Variants; undefined: all. */
  readonly variants: readonly string[] | undefined;
  readonly times: number;
  readonly resume: boolean;
  readonly atOnce: number;
  readonly out: string;
  readonly page: boolean;
}

/** Reads them. Throws RangeError or TypeError with what is wrong. */
export function readArguments(args: readonly string[]): SurveyArguments | 'help' {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      first: { type: 'boolean', default: false },
      variant: { type: 'string', multiple: true },
      times: { type: 'string', default: '1' },
      resume: { type: 'boolean', default: false },
      'at-once': { type: 'string', default: String(AT_ONCE) },
      out: { type: 'string', default: 'docs' },
      page: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  return {
    names: positionals,
    first: values.first,
    variants: values.variant,
    times: wholeNumber('times', values.times, MOST_TIMES),
    resume: values.resume,
    atOnce: wholeNumber('at-once', values['at-once'], MOST_AT_ONCE),
    out: values.out,
    page: values.page,
  };
}

function wholeNumber(flag: string, text: string, most: number): number {
  const number = /^[0-9]{1,3}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= most) return number;
  throw new RangeError(`--${flag} ${text}: write a whole number from 1 to ${most}`);
}
