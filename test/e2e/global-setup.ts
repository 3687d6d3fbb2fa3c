/**
 * One kind cluster for all end-to-end tests, with the image built from the Dockerfile and the
 * operator installed from the shipped manifests. Gone after the last test, whatever happens.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attempt, type Kubectl, TestbedError } from '@chaosdemo/testbed';
import type { TestProject } from 'vitest/node';
import { formatElapsed } from '../../tools/binaries/progress.ts';
import {
  assertNoCluster,
  clusterKubectl,
  createCluster,
  findKind,
  type Kind,
} from '../../tools/cluster/cluster.ts';
import { type Images, installOperator, provideImages } from '../../tools/cluster/install.ts';
import { assertClusterPossible } from '../../tools/cluster/requirements.ts';
import { ensureTool } from '../../tools/offline/programs.ts';
import { measurePace } from '../kit/measure-pace.ts';
import { ARTEFACTS } from './support/artefacts.ts';
import { writeAuditedConfig } from './support/audited-config.ts';

/** What tests get by `inject('cluster')`. */
export interface ProvidedCluster {
  readonly engine: 'docker' | 'podman';
  /** What the engine needs in its environment. */
  readonly engineEnv: Readonly<Record<string, string>>;
  /** Path of kind. */
  readonly kind: string;
  /** The cluster's name. */
  readonly name: string;
  /** Name of the node's container. */
  readonly node: string;
  readonly kubeconfig: string;
  readonly kubectl: string;
  readonly helm: string;
  readonly images: Images;
}

declare module 'vitest' {
  export interface ProvidedContext {
    cluster: ProvidedCluster;
  }
}

const NAME = 'chaosdemo-e2e';
/** What kind calls its network. */
const NETWORK = 'kind';

const start = performance.now();

function progress(message: string): void {
  process.stdout.write(`[e2e, ${formatElapsed(performance.now() - start)}] ${message}\n`);
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const interrupted = new AbortController();
  const step = { progress, signal: interrupted.signal };
  project.provide('pace', measurePace());
  const kind = await findKind(NAME, step).catch(explain);
  try {
    assertClusterPossible(kind.engine);
    // Not that of another run, which the end of this one would delete.
    await assertNoCluster(kind);
  } catch (error) {
    explain(error);
  }
  const folder = await mkdtemp(join(tmpdir(), 'chaosdemo-e2e-'));
  const remover = await startRemover(kind, folder);
  const remove = async (): Promise<void> => {
    progress('removing the cluster');
    const gone = once(remover, 'exit');
    remover.stdin?.end();
    if (remover.exitCode === null) await gone;
  };
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => {
      interrupted.abort(new Error(`stopped by ${signal}`));
      void remove().then(() => process.exit(status));
    });
  }
  try {
    project.provide('cluster', await prepare(kind, folder, step));
  } catch (error) {
    await remove();
    return explain(error);
  }
  return remove;
}

async function prepare(
  kind: Kind,
  folder: string,
  step: { progress: typeof progress; signal: AbortSignal },
): Promise<ProvidedCluster> {
  await mkdir(ARTEFACTS, { recursive: true });
  const helm = await ensureTool('helm', step);
  const kubeconfig = join(folder, 'kubeconfig');
  await createCluster(kind, { ...step, kubeconfig, config: await writeAuditedConfig(folder) });
  const images = await provideImages(kind, step);
  const kubectl = await clusterKubectl(kind, step);
  progress('installing the operator from manifests/operator');
  await installOperator(kubectl, step);
  await restNoRedis(kubectl, step);
  const { name: engine, env } = kind.engine;
  const engineEnv: Record<string, string> = {};
  for (const key of ['KIND_EXPERIMENTAL_PROVIDER', 'CONTAINERS_CONF']) {
    if (env[key] !== undefined) engineEnv[key] = env[key];
  }
  const node = `${NAME}-control-plane`;
  const where = { kind: kind.binary, name: NAME, node, kubeconfig, kubectl: kubectl.binary };
  return { engine, engineEnv, ...where, helm, images };
}

/** All tests share one Redis, and none of them is about its rest: with it each would wait a minute for the one before. */
async function restNoRedis(kubectl: Kubectl, { signal }: { signal: AbortSignal }): Promise<void> {
  const operator = ['-n', 'chaosdemo-system', 'deployment/chaosdemo-operator'] as const;
  await kubectl.run(['set', 'env', ...operator, 'CHAOSDEMO_FAULT_COOLDOWN=0s'], { signal });
  await kubectl.run(['rollout', 'status', ...operator, '--timeout=5m'], { signal });
}

/** A process that outlives this one, however this one ends. */
async function startRemover({ binary, engine }: Kind, folder: string): Promise<ChildProcess> {
  const there = (await attempt(engine.name, ['network', 'inspect', NETWORK], { env: engine.env })).ok;
  const program = fileURLToPath(new URL('support/remove-cluster.ts', import.meta.url));
  const args = [program, binary, engine.name, NAME, there ? '' : NETWORK, folder];
  return spawn(process.execPath, args, {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env: engine.env,
  });
}

/** What is missing on a machine is reported in plain words, without a stack trace. */
function explain(error: unknown): never {
  if (!(error instanceof TestbedError)) throw error;
  const plain = new Error(`${error.message}\n${error.remedy}`);
  plain.stack = plain.message;
  throw plain;
}
