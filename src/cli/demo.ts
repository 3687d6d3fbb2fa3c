/**
 * The program of `npm run demo`: everything on one machine. Starts the processes of a cluster, applies a ChaosDemo,
 * prints its progress, and leaves nothing behind.
 */

import { resolve } from 'node:path';
import { UsageError } from '@chaosdemo/settings';
import { findControlPlaneBinaries, type StepOptions, type Supervisor } from '@chaosdemo/testbed';
import { memoryApiServer } from './api-server/in-memory.ts';
import { realApiServer } from './api-server/real.ts';
import { type DemoOptions, demoCommand } from './arguments.ts';
import { EXIT, exitOfRun } from './exit-status.ts';
import { requireOutputs } from './outputs.ts';
import { type OtherLimiters, planOf } from './plan.ts';
import { runProgram } from './program.ts';
import { announceStop, progress, type RunStage, runPlan } from './run-plan.ts';

/** Additional capabilities of a demo, from outside this folder. */
export interface DemoExtras {
  readonly limiters: OtherLimiters;
  /** Installs a Redis if this machine has none. */
  ensureRedis(options: StepOptions): Promise<unknown>;
  /** Gets the programs of an API server if this machine has none. */
  ensureApiServer(options: StepOptions): Promise<unknown>;
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
  { supervisor }: RunStage,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (diagnosis !== 'local' || diagnosisProfiles !== undefined) {
    return diagnosisProfiles && resolve(diagnosisProfiles);
  }
  return await startModel(supervisor, (message) => progress('model', message), signal);
}

/** The real one if this machine has it or is to build it. @throws UsageError if there is none to keep */
async function apiServerOf(
  { ensureApiServer }: DemoExtras,
  { apiServer, keep }: DemoOptions,
  step: StepOptions,
): Promise<typeof memoryApiServer | typeof realApiServer> {
  if (apiServer) await ensureApiServer(step);
  if (apiServer || (await findControlPlaneBinaries(step))) return realApiServer;
  if (keep) {
    throw new UsageError(
      '--keep leaves a Kubernetes API server for kubectl, and this machine has none: add --api-server to build it, in 4 to 15 minutes',
    );
  }
  progress(
    'demo',
    'the Kubernetes API is in memory, since this machine has no kube-apiserver. To build it, in 4 to 15 minutes: --api-server',
  );
  return memoryApiServer;
}

/** Runs the demo selected by the command line of this process, to its end, and sets the exit status. */
export async function runDemo(extras: DemoExtras): Promise<void> {
  await runProgram<DemoOptions>(demoCommand(extras.limiters.names), {
    main: async (options, signal) => {
      requireOutputs(options);
      const plan = await planOf(options, extras.limiters);
      const step = { progress: (message: string) => progress('binaries', message), signal };
      const serve = await apiServerOf(extras, options, step);
      await extras.ensureRedis(step);
      const ended = await runPlan(plan, options, signal, serve, async (stage) => {
        const profiles = await findProfiles(extras, options, stage, signal);
        return profiles === undefined ? [] : [`--diagnosis-profiles=${profiles}`];
      });
      return exitOfRun(ended);
    },
    failed: EXIT.failed,
    onInterrupt: announceStop,
  });
}
