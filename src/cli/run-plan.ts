/** Runs a ChaosDemo on its target on this machine: applies it, shows the run, and leaves nothing behind. */
import { once } from 'node:events';
import { dirname } from 'node:path';
import type { Kubectl } from '@chaosdemo/testbed';
import { type ChaosDemo, terminalLine } from '../api/index.ts';
import { type Stage, type StageStart, startStage } from '../local/environment.ts';
import type { ApiServer } from './api-server/api-server.ts';
import type { RunOptions, ShowOptions } from './arguments.ts';
import type { Plan, PlannedDemo } from './plan.ts';
import type { Connection } from './plugin/connection.ts';
import { applyDemo } from './plugin/demos.ts';
import type { Ui } from './plugin/ui/server.ts';
import { readSource } from './report/read.ts';
import { type ReportSource, reportOf } from './report/report.ts';
import { writeAll } from './report/write.ts';
import { printedVerdict, showRun } from './show-run.ts';
import { hasTerminal } from './view/screen.ts';

const start = performance.now();

/** Lines held back while a live view has the terminal. */
let buffered: string[] | undefined;

/** Prints one line; much of the text comes from the cluster. */
export function print(line: string): void {
  if (buffered) buffered.push(line);
  else process.stdout.write(`${terminalLine(line)}\n`);
}

/** A line of progress, with the time since the start. */
export function progress(step: string, message: string): void {
  print(`[${((performance.now() - start) / 1000).toFixed(1).padStart(5)} s] ${step}: ${message}`);
}

/** Prints that the run is being interrupted, which takes some seconds. */
export function announceStop(): void {
  print('');
  print('Stopping: restoring and ending everything that was started');
}

/** A stage with an operator, for a run. */
export type RunStage = Stage<ApiServer>;

/**
 * Starts the target and the operator, runs the demo, and prints the verdict as the last line. Returns the final object.
 * @param serve starts the API server
 * @param operatorArgs flags of the operator
 */
export async function runPlan(
  { cleanUp, demo, ended: othersEnded = async () => [], from, hints, launch, libraries, supervisor }: Plan,
  options: RunOptions,
  signal: AbortSignal,
  serve: (start: StageStart) => Promise<ApiServer>,
  operatorArgs: (stage: RunStage) => Promise<readonly string[]> = async () => [],
): Promise<ChaosDemo> {
  const environment = await startStage({ onProgress: progress, signal }, serve, launch, supervisor);
  const { api, namespace } = environment;
  const connection = { client: api.client, namespace, kubectl: 'kubectl' };
  let verdict: readonly string[] = [];
  const printVerdict = (): void => {
    for (const line of verdict) print(line);
    verdict = [];
  };
  try {
    const args = await operatorArgs(environment);
    let applied: ChaosDemo | undefined;
    const operator = await api.operate(args, signal);
    progress('operator', operator.described);
    try {
      applied = await applyDemo(connection, demo, signal);
      progress('demo', `applied ${from}`);
      const failed = new AbortController();
      // Without these, progress cannot be observed; a limiter or Redis that dies is part of the demo.
      void operator.failed.then((error) => failed.abort(error));
      for (const vital of api.vital) void vital.exited.then(() => failed.abort(vital.exitError()));
      void environment.broken.then((error) => print(`   ${error.message}`));
      const page = options.ui ? await openPage(connection, demo.metadata.name) : undefined;
      try {
        // The address of a page must stay visible and clickable.
        const isLive = hasTerminal() && !options.plain && !options.ui;
        const stopped = AbortSignal.any([signal, failed.signal]);
        const ended = { ...(await present(connection, demo, isLive, stopped)), libraries };
        const started = environment.limiters.filter(({ process }) => process.exit);
        const dead = [...started.map(({ process }) => process.exitError().message), ...(await othersEnded())];
        // Diagnoses explain effects by Redis, and know nothing about a process that has ended.
        const status = { ...ended.demo.status, ...(dead.length > 0 && { diagnoses: [] }) };
        verdict = [
          ...dead.flatMap((message) => ['', ...message.split('\n')]),
          ...(hints?.(ended.demo) ?? []),
          ...printedVerdict({ ...ended, demo: { ...ended.demo, status } }),
          ...(status.phase === 'Failed' ? ['The exit status is 1, because the gate failed'] : []),
        ];
        await writeFiles(ended, options);
        if (page || options.keep) printVerdict();
        if (page) for (const line of ['', `The page stays until Ctrl-C: ${page.address}`]) print(line);
        if (options.keep && api.kubectl) printUsage(api.kubectl, namespace, demo.metadata.name);
        if ((page || options.keep) && !signal.aborted) await once(signal, 'abort');
        return ended.demo;
      } finally {
        await page?.close();
      }
    } finally {
      progress('stop', 'stopping the operator, which releases what is paused');
      await operator.stop();
      if (applied) await cleanUp?.(applied);
    }
  } finally {
    // The verdict is the last line, unless the user ends what is left running.
    await environment.stop().finally(printVerdict);
  }
}

/** Shows the run to its end. Lines printed while a live view has the terminal appear when it is closed. */
async function present(
  { client, namespace }: Connection,
  { metadata: { name }, spec }: PlannedDemo,
  isLive: boolean,
  signal: AbortSignal,
): Promise<ReportSource> {
  const isManual = spec?.pace?.mode === 'Manual';
  const onInterrupt = 'stop and restore';
  if (isLive) buffered = [];
  try {
    const shown = { client, namespace, name, plain: !isLive, isManual, print, onInterrupt, signal };
    return await readSource(client, await showRun(shown), signal);
  } finally {
    const waiting = buffered ?? [];
    buffered = undefined;
    for (const line of waiting) print(line);
  }
}

/** Writes the files of the run, and prints their paths. */
async function writeFiles(source: ReportSource, options: ShowOptions): Promise<void> {
  const report = reportOf(source);
  if (!report) return;
  for (const path of await writeAll(source, report, options)) print(`Report: ${path}`);
}

/** Serves the page of the run. The caller closes it. */
async function openPage(connection: Connection, name: string): Promise<Ui> {
  // Loads the charting library, which no other demo needs.
  const { openUi } = await import('./plugin/ui/server.ts');
  print('');
  return await openUi({ connection, name, port: 0, print });
}

/** Prints how to use the processes left running. */
function printUsage({ binary, kubeconfig }: Kubectl, namespace: string, name: string): void {
  const help = `
Everything is still running. In another terminal:

  export KUBECONFIG=${kubeconfig}
  export PATH=${dirname(binary)}:$PATH
  kubectl -n ${namespace} get chaosdemo ${name} -o yaml
  kubectl -n ${namespace} annotate chaosdemo ${name} --overwrite chaosdemo.dev/requested-at=$(date +%s)

With the plugin (docs/plugin.md): kubectl chaosdemo watch ${name} -n ${namespace}

Ctrl-C ends it.`;
  for (const line of help.split('\n')) print(line);
}
