/**
 * `npm run demo`: the whole thing on one machine. Starts what a cluster would
 * have, applies a ChaosDemo, tells the story as it happens, and leaves nothing
 * behind.
 */
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import type { ChaosDemo, Phase } from '../api/index.ts';
import { GROUP, KIND, PLURAL, VERSION } from '../api/index.ts';
import { KubeClient } from '../kube/client.ts';
import { loadKubeConfig } from '../kube/kube-config.ts';
import type { KubeObject } from '../kube/kube-types.ts';
import { Reflector } from '../kube/reflector.ts';
import { resourcePath } from '../kube/resource-path.ts';
import { Store } from '../kube/store.ts';
import type { Environment } from '../local/environment.ts';
import { startEnvironment } from '../local/environment.ts';
import { LocalError } from '../local/errors.ts';
import { startOperator } from '../local/operator.ts';
import { HELP, parseDemoArguments, UsageError } from './arguments.ts';
import { countdownOf, storyOf, verdictLines } from './story.ts';

const SAMPLE = fileURLToPath(new URL('../../manifests/samples/demo.yaml', import.meta.url));
const EXIT: Record<Exclude<Phase, 'Pending' | 'Running'>, number> = {
  Succeeded: 0,
  Failed: 1,
  Errored: 2,
  Aborted: 3,
};
const EXIT_USAGE = 64;
const EXIT_INTERRUPTED = 130;

const start = performance.now();
const silent = { debug() {}, info() {}, warn() {}, error() {} };

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** A line of progress, with the time since the start. */
function progress(step: string, message: string): void {
  say(`[${((performance.now() - start) / 1000).toFixed(1).padStart(5)} s] ${step}: ${message}`);
}

async function main(signal: AbortSignal): Promise<number> {
  const options = parseDemoArguments(process.argv.slice(2), SAMPLE);
  if (!options) {
    process.stdout.write(HELP);
    return 0;
  }
  const manifest = await readFile(options.file, 'utf8').catch((error: Error) => {
    throw new UsageError(`--file ${options.file}: ${error.message}`);
  });
  const name = nameOf(manifest, options.file);
  const environment = await startEnvironment({ mode: options.mode, onProgress: progress, signal });
  try {
    const operator = await startOperator(environment, { signal });
    progress('operator', `started under its own ServiceAccount; log: ${operator.process.logFile}`);
    try {
      await environment.controlPlane.kubectl.apply(manifest, { signal });
      progress('demo', `applied ${options.file}`);
      const failed = new AbortController();
      void operator.process.exited.then(() => failed.abort(operator.process.exitError()));
      void environment.broken.then((error) => say(`   ${error.message}`));
      const ended = await follow(environment, name, AbortSignal.any([signal, failed.signal]));
      for (const line of verdictLines(ended.status ?? {})) say(line);
      if (options.report) {
        await writeFile(options.report, `${JSON.stringify(ended, null, 2)}\n`);
        say(`\nThe final object is in ${options.report}`);
      }
      if (options.keep) await keep(environment, name, signal);
      return EXIT[ended.status?.phase as keyof typeof EXIT] ?? 2;
    } finally {
      progress('stop', 'stopping the operator, which releases what is paused');
      await operator.stop();
    }
  } finally {
    await environment.stop();
  }
}

function nameOf(manifest: string, file: string): string {
  const object = parse(manifest) as Partial<ChaosDemo> | null;
  const name = object?.metadata?.name;
  if (object?.kind !== KIND || !name) throw new UsageError(`--file ${file}: it holds no ${KIND} with a name`);
  if (object.metadata?.namespace !== 'ratelimiter') {
    throw new UsageError(
      `--file ${file}: write metadata.namespace: ratelimiter, where the rate limiters are`,
    );
  }
  return name;
}

/** Prints rows, chapters and countdowns until the run has ended; returns the object as it is then. */
async function follow(environment: Environment, name: string, signal: AbortSignal): Promise<ChaosDemo> {
  const { controlPlane, namespace } = environment;
  const { binary, kubeconfig } = controlPlane.kubectl;
  const args = ['--kubeconfig', kubeconfig, '-n', namespace, 'get', 'chaosdemo', name, '-w'];
  say(`\n$ kubectl -n ${namespace} get chaosdemo ${name} -w`);
  const rows = spawn(binary, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  createInterface({ input: rows.stdout }).on('line', say);

  const client = new KubeClient(loadKubeConfig(kubeconfig));
  const stop = new AbortController();
  const store = new Store<ChaosDemo & KubeObject>(silent);
  const path = resourcePath({ group: GROUP, version: VERSION, plural: PLURAL }, { namespace });
  const reflector = new Reflector({
    client,
    path,
    store,
    logger: silent,
    fieldSelector: `metadata.name=${name}`,
  });
  const watching = reflector.run(AbortSignal.any([signal, stop.signal]));
  let current: ChaosDemo | undefined;
  let shown = '';
  const countdown = setInterval(() => {
    const line = current?.status && countdownOf(current.status, Date.now());
    if (line && line !== shown) say(line);
    shown = line ?? shown;
  }, 200);
  try {
    return await new Promise<ChaosDemo>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      if (signal.aborted) reject(signal.reason as Error);
      store.subscribe(({ object, type }) => {
        if (type === 'deleted') return reject(new Error(`the ChaosDemo ${name} was deleted`));
        for (const line of storyOf(current?.status, object.status ?? {})) say(line);
        current = object;
        const refused = object.status?.conditions?.find((condition) => condition.type === 'Stalled');
        if (refused && !object.status?.run) say(`   Refused (${refused.reason}): ${refused.message}`);
        if (object.status?.run?.verdict) resolve(object);
      });
    });
  } finally {
    clearInterval(countdown);
    stop.abort();
    await watching;
    await client.close();
    rows.kill();
  }
}

/** Leaves everything running until Ctrl-C. */
async function keep(
  { controlPlane, namespace }: Environment,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const { binary, kubeconfig } = controlPlane.kubectl;
  say(`
Everything is still running. In another terminal:

  export KUBECONFIG=${kubeconfig}
  alias kubectl=${binary}
  kubectl -n ${namespace} get chaosdemo ${name} -o yaml
  kubectl -n ${namespace} annotate chaosdemo ${name} --overwrite chaosdemo.dev/requested-at=$(date +%s)

Ctrl-C ends it.`);
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    say('\nStopping: restoring and ending everything that was started');
    interrupted.abort(new Error(`stopped by ${name}`));
  });
}
try {
  process.exitCode = await main(interrupted.signal);
} catch (error) {
  if (interrupted.signal.aborted) {
    process.exitCode = EXIT_INTERRUPTED;
  } else {
    process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
    if (error instanceof LocalError) process.stderr.write(`${error.remedy}\n`);
    if (error instanceof UsageError) process.stderr.write('See npm run demo -- --help\n');
    process.exitCode = error instanceof UsageError ? EXIT_USAGE : 2;
  }
}
