/** The command line of `npm run demo`. */
import { parseArgs } from 'node:util';
import { UsageError } from './program.ts';

export interface DemoArguments {
  mode: 'approximate' | 'strict';
  /** Path of the ChaosDemo to apply. */
  file: string;
  /** Manual: the run goes on from chapter to chapter by a key; undefined: as the file says. */
  pace: 'Auto' | 'Manual' | undefined;
  keep: boolean;
  /** Where to write the final object; undefined: nowhere. */
  report: string | undefined;
}

export const HELP = `Runs a whole chaos demo on this machine: a real Kubernetes API server, a real
Redis, three rate limiters, and the operator that puts them through real failures.

Usage: npm run demo -- [options]

  --mode approximate|strict  How the rate limiters count (default approximate).
                             approximate admits too much, strict does not.
  --file FILE                The ChaosDemo to run (default manifests/samples/demo.yaml).
                             Its namespace must be "ratelimiter".
  --pace auto|manual         manual goes on to the next chapter when you press space or
                             enter (default: as the file says).
  --keep                     Leave everything running after the verdict, and print how
                             to use kubectl against it; Ctrl-C ends it.
  --report FILE              Write the final ChaosDemo object to FILE, as JSON.
  --help                     Print this.

Exit status: 0 Succeeded, 1 Failed, 2 Errored (or it could not be run), 3 Aborted,
64 wrong usage, 130 stopped by Ctrl-C.
`;

/**
 * Reads the arguments; undefined where help was asked for.
 * @throws UsageError naming what is wrong and what to write.
 */
export function parseDemoArguments(args: readonly string[], defaultFile: string): DemoArguments | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  const mode = values.mode ?? 'approximate';
  if (mode !== 'approximate' && mode !== 'strict') {
    throw new UsageError(`--mode ${mode}: write approximate or strict`);
  }
  return {
    mode,
    file: values.file ?? defaultFile,
    pace: paceOf(values.pace),
    keep: values.keep ?? false,
    report: values.report,
  };
}

function paceOf(pace: string | undefined): DemoArguments['pace'] {
  if (pace === undefined) return undefined;
  if (pace === 'auto') return 'Auto';
  if (pace === 'manual') return 'Manual';
  throw new UsageError(`--pace ${pace}: write auto or manual`);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        mode: { type: 'string' },
        file: { type: 'string' },
        pace: { type: 'string' },
        keep: { type: 'boolean' },
        report: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
