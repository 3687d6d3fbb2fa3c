/**
 * The program of `npm run demo`: everything on one machine. Starts the processes of a cluster, applies a ChaosDemo,
 * prints its progress, and leaves nothing behind.
 */

import { resolve } from 'node:path';
import type { Supervisor } from '@chaosdemo/testbed';
import type { Stage } from '../local/environment.ts';
import { type DemoOptions, demoCommand } from './arguments.ts';
import { exitOfRun } from './exit-status.ts';
import { requireOutputs } from './outputs.ts';
import { type OtherLimiters, planOf } from './plan.ts';
import { runProgram } from './program.ts';
import { announceStop, progress, runPlan } from './run-plan.ts';

/** Additional capabilities of a demo, from outside this folder. */
export interface DemoExtras {
  readonly limiters: OtherLimiters;
  /** Starts a small model that ends with the supervisor; returns a file of profiles with the one profile `local`. */
  startModel(
    supervisor: Supervisor,
    onProgress: (message: string) => void,
    signal: AbortSignal,
  ): Promise<string>;
}

/** The file of profiles for the operator; if it names the local model, that is running by then. */
async function findProfiles(
  { startModel }: DemoExtras,
  { diagnosis, diagnosisProfiles }: DemoOptions,
  { supervisor }: Stage,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (diagnosis !== 'local' || diagnosisProfiles !== undefined) {
    return diagnosisProfiles && resolve(diagnosisProfiles);
  }
  return await startModel(supervisor, (message) => progress('model', message), signal);
}

/** Runs the demo selected by the command line of this process, to its end, and sets the exit status. */
export async function runDemo(extras: DemoExtras): Promise<void> {
  await runProgram<DemoOptions>(demoCommand(extras.limiters.names), {
    main: async (options, signal) => {
      requireOutputs(options);
      const plan = await planOf(options, extras.limiters);
      const ended = await runPlan(plan, options, signal, async (environment) => {
        const profiles = await findProfiles(extras, options, environment, signal);
        return profiles === undefined ? [] : [`--diagnosis-profiles=${profiles}`];
      });
      return exitOfRun(ended);
    },
    failed: 2,
    onInterrupt: announceStop,
  });
}
