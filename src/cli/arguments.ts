/** The command line of `npm run demo`. */
import { z } from 'zod';
import { boolean, choice, file, text } from '../settings/kinds.ts';
import type { Program } from '../settings/settings.ts';

/** How rate limiters are started for a demo. */
export const LIMITER_MODE = {
  ...choice('approximate', 'strict'),
  flag: 'mode',
  help: 'How the rate limiters count; approximate admits too much, strict does not',
  fallback: 'approximate',
} as const;

/** The ChaosDemo that is run unless another is named. */
export const SAMPLE = 'manifests/samples/demo.yaml';

const demo = {
  mode: LIMITER_MODE,
  file: {
    ...file,
    flag: 'file',
    help: 'The ChaosDemo to run; its namespace must be "ratelimiter"',
    fallback: SAMPLE,
  },
  pace: {
    ...choice('auto', 'manual'),
    flag: 'pace',
    help: 'manual: go on to the next chapter when you press space or enter (default: as the file says)',
  },
  diagnosis: {
    ...text('<profile>', 'the name of a profile', z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)),
    flag: 'diagnosis',
    help: 'Who explains what was detected: rules, local (a small model, which this starts), or a profile of --diagnosis-profiles (default: as the file says)',
  },
  diagnosisProfiles: {
    ...file,
    flag: 'diagnosis-profiles',
    help: 'File with profiles of models, for the operator (see docs/diagnosis-models.md)',
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
} as const;

export const DEMO: Program<typeof demo> = {
  about: `Usage: npm run demo -- [flags]

Runs a whole chaos demo on this machine: a real Kubernetes API server, a real Redis, three rate limiters, and
the operator that puts them through real failures.`,
  settings: demo,
  notes: `Exit status: 0 Succeeded, 1 Failed, 2 Errored or not run at all, 3 Aborted, 64 wrong usage,
130 stopped by Ctrl-C.`,
};
