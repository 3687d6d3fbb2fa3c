/**
 * `npm run demo`: the whole thing on one machine. Starts what a cluster would
 * have, applies a ChaosDemo, tells the story as it happens, and leaves nothing
 * behind.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import type { ChaosDemo } from '../api/index.ts';
import { ANNOTATIONS, KIND, terminalLine } from '../api/index.ts';
import type { Environment } from '../local/environment.ts';
import { startEnvironment } from '../local/environment.ts';
import { startLocalModel, writeLocalProfile } from '../local/model.ts';
import { startOperator } from '../local/operator.ts';
import { UsageError, type ValuesOf } from '../settings/settings.ts';
import { DEMO } from './arguments.ts';
import { follow } from './follow.ts';
import { EXIT_BY_PHASE, runProgram } from './program.ts';
import { Stepper } from './stepper.ts';
import { verdictLines } from './story.ts';

type DemoArguments = ValuesOf<typeof DEMO.settings>;

const start = performance.now();

/** One line; much of it comes from the cluster. */
function say(line: string): void {
  process.stdout.write(`${terminalLine(line)}\n`);
}

/** A line of progress, with the time since the start. */
function progress(step: string, message: string): void {
  say(`[${((performance.now() - start) / 1000).toFixed(1).padStart(5)} s] ${step}: ${message}`);
}

async function main(options: DemoArguments, signal: AbortSignal): Promise<number> {
  const manifest = await readFile(options.file, 'utf8').catch((error: Error) => {
    throw new UsageError(`--file ${options.file}: ${error.message}`);
  });
  const demo = readDemo(manifest, options);
  const environment = await startEnvironment({ mode: options.mode, onProgress: progress, signal });
  try {
    const profiles = await findProfiles(options, environment, signal);
    const args = profiles === undefined ? [] : [`--diagnosis-profiles=${profiles}`];
    const operator = await startOperator(environment, { signal, args });
    progress('operator', `started under its own ServiceAccount; log: ${operator.process.logFile}`);
    try {
      await environment.controlPlane.kubectl.apply([demo], { signal });
      progress('demo', `applied ${options.file}`);
      const failed = new AbortController();
      // Without these nothing can be told any more; a limiter or Redis that dies is part of the story.
      const { apiServer, etcd } = environment.controlPlane;
      for (const vital of [operator.process, apiServer, etcd]) {
        void vital.exited.then(() => failed.abort(vital.exitError()));
      }
      void environment.broken.then((error) => say(`   ${error.message}`));
      const ended = await present(environment, demo, AbortSignal.any([signal, failed.signal]));
      for (const line of verdictLines(ended.status ?? {})) say(line);
      if (options.report) {
        await writeFile(options.report, `${JSON.stringify(ended, null, 2)}\n`);
        for (const line of ['', `The final object is in ${options.report}`]) say(line);
      }
      if (options.keep) await keep(environment, demo.metadata.name, signal);
      return EXIT_BY_PHASE[ended.status?.phase ?? ''] ?? 2;
    } finally {
      progress('stop', 'stopping the operator, which releases what is paused');
      await operator.stop();
    }
  } finally {
    await environment.stop();
  }
}

/** The file of profiles that the operator is given; where it is asked for, the local model runs by then. */
async function findProfiles(
  { diagnosis, diagnosisProfiles }: DemoArguments,
  { supervisor }: Environment,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (diagnosis !== 'local' || diagnosisProfiles !== undefined)
    return diagnosisProfiles && resolve(diagnosisProfiles);
  const onProgress = (message: string): void => progress('model', message);
  return await writeLocalProfile(await startLocalModel({ supervisor, onProgress, signal }), supervisor);
}

type NamedDemo = ChaosDemo & { metadata: { name: string } };

function readDemo(manifest: string, { diagnosis, file, pace }: DemoArguments): NamedDemo {
  const demo = parse(manifest) as NamedDemo | null;
  if (demo?.kind !== KIND || !demo.metadata?.name) {
    throw new UsageError(`--file ${file}: it holds no ${KIND} with a name`);
  }
  if (demo.metadata.namespace !== 'ratelimiter') {
    throw new UsageError(
      `--file ${file}: write metadata.namespace: ratelimiter, where the rate limiters are`,
    );
  }
  const mode = pace === 'manual' ? 'Manual' : 'Auto';
  const asked = {
    ...(pace && { pace: { ...demo.spec?.pace, mode } }),
    ...(diagnosis && { diagnosis: { profile: diagnosis } }),
  };
  return { ...demo, spec: { ...demo.spec, ...asked } } as NamedDemo;
}

/** Shows the run to its end, stepping by the keyboard where it is paced by hand; returns the object then. */
async function present(environment: Environment, demo: NamedDemo, signal: AbortSignal): Promise<ChaosDemo> {
  const { name } = demo.metadata;
  const { controlPlane, namespace } = environment;
  if (demo.spec?.pace?.mode !== 'Manual') return await follow(environment, name, { say, signal });
  const failed = new AbortController();
  const stepper = new Stepper({
    keyboard: process.stdin,
    say,
    advance: async (annotation) => {
      const value = `${ANNOTATIONS.advance}=${annotation}`;
      await controlPlane.kubectl.run(['-n', namespace, 'annotate', 'chaosdemo', name, '--overwrite', value]);
    },
    onInterrupt: () => process.kill(process.pid, 'SIGINT'),
    onError: (error) => failed.abort(error),
  });
  try {
    return await follow(environment, name, {
      say,
      signal: AbortSignal.any([signal, failed.signal]),
      onStatus: (status) => stepper.take(status),
    });
  } finally {
    stepper.close();
  }
}

/** Leaves everything running until Ctrl-C. */
async function keep(
  { controlPlane, namespace }: Environment,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const { binary, kubeconfig } = controlPlane.kubectl;
  const help = `
Everything is still running. In another terminal:

  export KUBECONFIG=${kubeconfig}
  export PATH=${dirname(binary)}:$PATH
  kubectl -n ${namespace} get chaosdemo ${name} -o yaml
  kubectl -n ${namespace} annotate chaosdemo ${name} --overwrite chaosdemo.dev/requested-at=$(date +%s)

Ctrl-C ends it.`;
  for (const line of help.split('\n')) say(line);
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

await runProgram(DEMO, {
  main,
  failed: 2,
  onInterrupt: () => {
    say('');
    say('Stopping: restoring and ending everything that was started');
  },
});
