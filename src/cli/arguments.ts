/** The command line of `npm run demo`. */
import { z } from 'zod';
import { boolean, choice, file, text } from '../settings/kinds.ts';
import type { Program, ValuesOf } from '../settings/settings.ts';

/** How rate limiters are started for a demo. */
export const LIMITER_MODE = {
  ...choice('approximate', 'strict'),
  flag: 'mode',
  help: 'How the rate limiters count; approximate admits too much, strict does not',
  fallback: 'approximate',
} as const;

/** The ChaosDemo that is run unless another is named. */
export const SAMPLE = 'manifests/samples/demo.yaml';

/** Who explains what was detected. */
export const PROFILE = text(
  '<profile>',
  'the name of a profile',
  z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/),
);

const demo = {
  mode: LIMITER_MODE,
  file: {
    ...file,
    flag: 'file',
    help: 'The ChaosDemo to run; its namespace must be "ratelimiter"',
    fallback: SAMPLE,
  },
  limiter: {
    ...text('<name>', 'the name of a rate limiter', z.string().min(1)),
    flag: 'limiter',
    help: 'Run a rate limiter that people use instead of the reference one; the names are below',
  },
  variant: {
    ...text('<name>', 'the name of a configuration', z.string().min(1)),
    flag: 'variant',
    help: 'With --limiter: how it is configured, as docs/survey.md names it (default: as it comes)',
  },
  pace: {
    ...choice('auto', 'manual'),
    flag: 'pace',
    help: 'manual: go on to the next chapter when you press space or enter (default: as the file says)',
  },
  diagnosis: {
    ...PROFILE,
    flag: 'diagnosis',
    help: 'Who explains what was detected: rules, local (a small model, which this starts), or a profile of --diagnosis-profiles (default: as the file says)',
  },
  diagnosisProfiles: {
    ...file,
    flag: 'diagnosis-profiles',
    help: 'File with profiles of models, for the operator (see docs/diagnosis-models.md)',
  },
  ui: {
    ...boolean,
    flag: 'ui',
    help: 'Open the run as a page in your browser, live, and print its address; it stays after the verdict until Ctrl-C. Rows and lines are printed meanwhile',
    fallback: 'false',
  },
  plain: {
    ...boolean,
    flag: 'plain',
    help: 'Print the rows of kubectl and the story line by line, also on a terminal, instead of the live view',
    fallback: 'false',
  },
  keep: {
    ...boolean,
    flag: 'keep',
    help: 'Leave everything running after the verdict, and print how to use kubectl against it; Ctrl-C ends it',
    fallback: 'false',
  },
  report: {
    ...file,
    flag: 'report',
    help: 'Write the final ChaosDemo object to this file, as JSON',
  },
  reportDir: {
    ...file,
    flag: 'report-dir',
    help: 'Write a report of the run into this folder: report.html, report.md, junit.xml and history.jsonl',
  },
  history: {
    ...file,
    flag: 'history',
    help: 'Write everything that was recorded to this file, for chaosdemo check (see docs/history-format.md)',
  },
} as const;

/** The settings of a demo. */
export type DemoSettings = typeof demo;

/** What may not stand beside --limiter. */
function conflicts({
  file: demoFile = SAMPLE,
  limiter,
  mode = 'approximate',
  variant,
}: Partial<ValuesOf<typeof demo>>) {
  if (limiter === undefined) return variant === undefined ? [] : ['--variant belongs to --limiter'];
  return [
    ...(demoFile === SAMPLE ? [] : ['--file does not go with --limiter, which has a ChaosDemo of its own']),
    ...(mode === 'approximate' ? [] : ['--mode is of the reference rate limiter, and not of --limiter']),
  ];
}

/** The command line of a demo that can run these rate limiters by name. */
export function demoProgram(limiters: readonly string[]): Program<DemoSettings> {
  const limiter = {
    ...text('<name>', `one of ${limiters.join(', ')}`, z.enum(limiters)),
    flag: demo.limiter.flag,
    help: demo.limiter.help,
  };
  return {
    about: `Usage: npm run demo -- [flags]

Runs a whole chaos demo on this machine: a real Kubernetes API server, a real Redis, three rate limiters, and
the operator that puts them through real failures.`,
    settings: { ...demo, limiter },
    conflicts,
    notes: `${wrapped(`Rate limiters of the survey: ${limiters.join(', ')}`)}

Exit status: 0 Succeeded, 1 Failed, 2 Errored or not run at all, 3 Aborted, 64 wrong usage,
130 stopped by Ctrl-C.`,
  };
}

/** Lines of at most 110 characters. */
function wrapped(text: string): string {
  return text.replaceAll(/(.{1,110})(?: |$)/g, '$1\n').trimEnd();
}
