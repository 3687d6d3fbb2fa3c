/** Runs a ChaosDemo on its target on this machine: applies it, shows the run, and leaves nothing behind. */
import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KubeClient } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import { type ChaosDemo, terminalLine } from '../api/index.ts';
import type { Stage } from '../local/environment.ts';
import { startOperator } from '../local/operator.ts';
import type { ShowOptions } from './arguments.ts';
import { openDemoPage } from './demo-page.ts';
import { isShownLive, type Plan, type PlannedDemo } from './plan.ts';
import { readDiagnoses } from './report/read.ts';
import type { ReportSource } from './report/report.ts';
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

/**
 * Starts the target and the operator, runs the demo, and prints the verdict as the last line. Returns the final object.
 * @param operatorArgs flags of the operator
 */
export async function runPlan(
  { demo, ended: othersEnded = async () => [], from, hints = () => [], start }: Plan,
  options: ShowOptions,
  signal: AbortSignal,
  operatorArgs: (environment: Stage) => Promise<readonly string[]> = async () => [],
): Promise<ChaosDemo> {
  const environment = await start({ onProgress: progress, signal });
  let verdict: readonly string[] = [];
  const printVerdict = (): void => {
    for (const line of verdict) print(line);
    verdict = [];
  };
  try {
    const args = await operatorArgs(environment);
    const operator = await startOperator(environment, { signal, args });
    progress('operator', `started under its own ServiceAccount; log: ${operator.process.logFile}`);
    try {
      await environment.controlPlane.kubectl.apply([demo], { signal });
      progress('demo', `applied ${from}`);
      const failed = new AbortController();
      // Without these, progress cannot be observed; a limiter or Redis that dies is part of the demo.
      const { apiServer, etcd } = environment.controlPlane;
      for (const vital of [operator.process, apiServer, etcd]) {
        void vital.exited.then(() => failed.abort(vital.exitError()));
      }
      void environment.broken.then((error) => print(`   ${error.message}`));
      const page = options.ui ? await openDemoPage(environment, demo.metadata.name, print) : undefined;
      try {
        const isLive = isShownLive(options, hasTerminal());
        const ended = await present(environment, demo, isLive, AbortSignal.any([signal, failed.signal]));
        const started = environment.limiters.filter(({ process }) => process.exit);
        const dead = [...started.map(({ process }) => process.exitError().message), ...(await othersEnded())];
        const shown = dead.length > 0 ? withoutDiagnoses(ended.demo) : ended.demo;
        verdict = [
          ...dead.flatMap((message) => ['', ...message.split('\n')]),
          ...hints(ended.demo),
          ...printedVerdict({ ...ended, demo: shown }, options.verbose ?? false),
        ];
        await writeFiles(environment, ended.demo, options, signal);
        if (page || options.keep) printVerdict();
        if (page) for (const line of ['', `The page stays until Ctrl-C: ${page.address}`]) print(line);
        if (options.keep) printUsage(environment, demo.metadata.name);
        if (page || options.keep) await interrupted(signal);
        return ended.demo;
      } finally {
        await page?.close();
      }
    } finally {
      progress('stop', 'stopping the operator, which releases what is paused');
      await operator.stop();
    }
  } finally {
    // The verdict is the last line, unless the user ends what is left running.
    await environment.stop().finally(printVerdict);
  }
}

/** Diagnoses explain effects by Redis, and know nothing about a process that has ended. */
function withoutDiagnoses({ status = {}, ...demo }: ChaosDemo): ChaosDemo {
  return { ...demo, status: { ...status, diagnoses: [] } };
}

/** Writes the files of the run, and prints their paths. */
async function writeFiles(
  { controlPlane }: Stage,
  ended: ChaosDemo,
  { history, report, reportDir }: ShowOptions,
  signal: AbortSignal,
): Promise<void> {
  if (report) {
    await writeFile(report, `${JSON.stringify(ended, null, 2)}\n`);
    print(`The final object is in ${report}`);
  }
  if (reportDir || history) {
    const { reportOnRun } = await import('./report/write.ts');
    const paths = await reportOnRun(controlPlane.kubectl, ended, { reportDir, history }, signal);
    for (const path of paths) print(`Report: ${path}`);
    if (history && !paths.includes(history)) {
      print(`There is no history of this run, so ${history} was not written`);
    }
  }
}

/** Shows the run to its end. Lines printed while a live view has the terminal appear when it is closed. */
async function present(
  { controlPlane, namespace }: Stage,
  demo: PlannedDemo,
  isLive: boolean,
  signal: AbortSignal,
): Promise<ReportSource> {
  const client = new KubeClient(loadKubeConfig(controlPlane.kubectl.kubeconfig));
  const { name } = demo.metadata;
  const isManual = demo.spec?.pace?.mode === 'Manual';
  if (isLive) buffered = [];
  try {
    const { demo: ended, outcome } = await showRun({
      client,
      namespace,
      name,
      plain: !isLive,
      isManual,
      print,
      onInterrupt: 'stop and restore',
      signal,
    });
    if (outcome.why === 'refused') {
      throw new Error(`the ChaosDemo ${name} is not accepted (${outcome.reason}): ${outcome.message}`);
    }
    return await readDiagnoses(client, ended, signal);
  } finally {
    const waiting = buffered ?? [];
    buffered = undefined;
    for (const line of waiting) print(line);
    await client.close();
  }
}

/** Prints how to use the processes left running. */
function printUsage({ controlPlane, namespace }: Stage, name: string): void {
  const { binary, kubeconfig } = controlPlane.kubectl;
  const help = `
Everything is still running. In another terminal:

  export KUBECONFIG=${kubeconfig}
  export PATH=${dirname(binary)}:$PATH
  kubectl -n ${namespace} get chaosdemo ${name} -o yaml
  kubectl -n ${namespace} annotate chaosdemo ${name} --overwrite chaosdemo.dev/requested-at=$(date +%s)

With the plugin (docs/plugin.md):

  kubectl chaosdemo rerun ${name} -n ${namespace}
  kubectl chaosdemo watch ${name} -n ${namespace}

Ctrl-C ends it.`;
  for (const line of help.split('\n')) print(line);
}

/** Resolves on Ctrl-C. */
async function interrupted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
