/**
 * `npm run kind:up|kind:demo|kind:down`: the operator and the bundled rate limiter in a
 * real cluster on this machine.
 */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Kubectl } from '@chaosdemo/testbed';
import type { ChaosDemo } from '../../src/api/index.ts';
import { ANNOTATIONS, terminalLine } from '../../src/api/index.ts';
import { exitOfRun } from '../../src/cli/exit-status.ts';
import { runProgram } from '../../src/cli/program.ts';
import { formatElapsed } from '../binaries/progress.ts';
import { ToolError } from '../errors.ts';
import { type ClusterOptions, clusterCommand } from './arguments.ts';
import { clusterExists, clusterKubectl, createCluster, deleteCluster, findKind } from './cluster.ts';
import { installLimiter, installModel, installOperator, provideImages } from './install.ts';

const CLUSTER = 'chaosdemo';
/** Longer than the activeDeadline of the samples (10 m). */
const DEMO_DEADLINE_MS = 12 * 60_000;
/** A refusal that lasts so long needs a user. */
const REFUSED_MS = 20_000;

type Verb = (options: ClusterOptions, signal: AbortSignal) => Promise<number>;

const commands: Readonly<Record<string, Verb>> = { up, demo, down };
const start = performance.now();

function progress(message: string): void {
  process.stdout.write(`${terminalLine(`[kind, ${formatElapsed(performance.now() - start)}] ${message}`)}\n`);
}

async function up(options: ClusterOptions, signal: AbortSignal): Promise<number> {
  const step = { progress, signal };
  const kind = await findKind(CLUSTER, step);
  if (await clusterExists(kind)) progress(`the cluster ${CLUSTER} is there`);
  else await createCluster(kind, { ...step, nodeImage: options.nodeImage || undefined });
  const images = await provideImages(kind, step);
  const kubectl = await clusterKubectl(kind, step);
  if (options.model) {
    progress('installing the model');
    await installModel(kind, kubectl, images.runtime, step);
  }
  progress('installing the operator');
  await installOperator(kubectl, { signal }, options.model ? 'operator-with-models' : 'operator');
  progress(`installing the rate limiter, ${options.mode}`);
  await installLimiter(kubectl, options.mode, images, { signal });
  progress(`ready. Next: npm run kind:demo${options.model ? ' -- --diagnosis small' : ''}`);
  return 0;
}

async function demo({ diagnosis, file }: ClusterOptions, signal: AbortSignal): Promise<number> {
  const step = { progress, signal };
  const kubectl = await clusterKubectl(await findKind(CLUSTER, step), step);
  const object = await kubectl.json<ChaosDemo>(['create', '--dry-run=client', '-f', file]);
  const { name, namespace } = object.metadata;
  // In the same write as the spec: a run for each change would supersede the first.
  const request = new Date().toISOString();
  const annotations = { ...object.metadata.annotations, [ANNOTATIONS.requestedAt]: request };
  const spec = diagnosis === undefined ? object.spec : { ...object.spec, diagnosisProfile: diagnosis };
  await kubectl.apply([{ ...object, spec, metadata: { ...object.metadata, annotations } }], { signal });

  const watch = ['--kubeconfig', kubectl.kubeconfig, '-n', namespace, 'get', 'chaosdemo', name, '-w'];
  const rows = spawn(kubectl.binary, watch, { env: kubectl.env, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const input of [rows.stdout, rows.stderr]) {
    createInterface({ input }).on('line', (row) => process.stdout.write(`${terminalLine(row)}\n`));
  }
  try {
    return await verdict(kubectl, ['-n', namespace, 'get', 'chaosdemo', name], request, signal);
  } finally {
    rows.kill();
  }
}

/** Waits for the end of the run that `request` started; returns its exit status. */
async function verdict(
  kubectl: Kubectl,
  get: readonly string[],
  request: string,
  signal: AbortSignal,
): Promise<number> {
  const deadline = Date.now() + DEMO_DEADLINE_MS;
  let refusedSince: number | undefined;
  while (Date.now() < deadline) {
    const { metadata, status = {} } = await kubectl.json<ChaosDemo>(get, { signal });
    const condition = (type: string) => status.conditions?.find((each) => each.type === type);
    if (status.lastHandledRunRequest === request && condition('Finished')?.status === 'True') {
      const reason = condition('Succeeded')?.reason ?? condition('Ready')?.reason;
      progress(`${status.phase} (${reason}), ${status.result}: ${status.message}`);
      return exitOfRun({ status });
    }
    const refused = condition('Stalled');
    const current = status.observedGeneration === metadata?.generation;
    const stands = current && refused?.status === 'True' && status.lastHandledRunRequest !== request;
    refusedSince = stands ? (refusedSince ?? Date.now()) : undefined;
    if (refusedSince !== undefined && Date.now() - refusedSince > REFUSED_MS) {
      progress(`refused (${refused?.reason}): ${refused?.message}`);
      return 2;
    }
    await sleep(1_000, undefined, { signal });
  }
  throw new ToolError('NO_VERDICT', `No verdict after ${DEMO_DEADLINE_MS / 60_000} min`);
}

async function down(_options: ClusterOptions, signal: AbortSignal): Promise<number> {
  await deleteCluster(await findKind(CLUSTER, { progress, signal }));
  return 0;
}

await runProgram<ClusterOptions>(clusterCommand(), {
  main: async (options, signal, [verb = '']) => (await commands[verb]?.(options, signal)) ?? 2,
  failed: 2,
});
