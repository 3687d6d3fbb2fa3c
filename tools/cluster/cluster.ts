/** A cluster of kind on this machine. */

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { attempt, cacheRoot, findInPath, Kubectl, readPin, type StepOptions } from '@chaosdemo/testbed';
import { parse } from 'yaml';
import { root } from '../../src/local/root.ts';
import { ensureControlPlaneBinaries } from '../binaries/control-plane.ts';
import { ToolError } from '../errors.ts';
import { ensureTool } from '../offline/programs.ts';
import { toolsFolder } from '../offline/tools-folder.ts';
import { output } from '../run.ts';
import { type Engine, findEngine, saveImages } from './engine.ts';
import { ensureImage } from './images.ts';
import { assertClusterPossible } from './requirements.ts';

/** Where a cluster lives, and the programs that speak to it. */
export interface Kind {
  readonly engine: Engine;
  /** Path of kind. */
  readonly binary: string;
  /** The cluster's name. */
  readonly name: string;
}

/** How a cluster is made. */
export interface CreateOptions extends StepOptions {
  /** Default: kind-config.yaml of this repository. */
  readonly config?: string;
  /** Default: the image that the configuration names, or one made here where that cannot be pulled. */
  readonly nodeImage?: string | undefined;
  /** The kubeconfig that gets the context `kind-NAME`. Default: that of the user. */
  readonly kubeconfig?: string;
}

/** How long kind waits for the node. */
const READY = '300s';

/** The engine, and kind from PATH or built from its pinned module. */
export async function findKind(name: string, options: StepOptions): Promise<Kind> {
  const engine = await findEngine(options);
  const found = await findInPath('kind');
  if (!found) {
    options.progress('kind is not in PATH. Next: the pinned one');
    return { engine, name, binary: await ensureTool('kind', options) };
  }
  const wanted = await readPin(join(toolsFolder, 'kind'), 'sigs.k8s.io/kind');
  const { stdout } = await attempt(found, ['version']);
  if (!stdout.includes(`${wanted} `)) {
    options.progress(
      `made for kind ${wanted}, found "${stdout.trim()}": if the node does not start, install that one`,
    );
  }
  return { engine, name, binary: found };
}

/** Whether the cluster is there. */
export async function clusterExists(kind: Kind): Promise<boolean> {
  const clusters = await output(kind.binary, ['get', 'clusters'], { env: kind.engine.env });
  return clusters.split('\n').includes(kind.name);
}

/** @throws ToolError CLUSTER_EXISTS; it may be in use */
export async function assertNoCluster(kind: Kind): Promise<void> {
  if (!(await clusterExists(kind))) return;
  throw new ToolError(
    'CLUSTER_EXISTS',
    `There is a kind cluster ${kind.name} already. Its kind is ${kind.binary}, its engine ${kind.engine.name}`,
  );
}

/** Makes the cluster and waits for its node; what was made is deleted again where that fails or is stopped. */
export async function createCluster(kind: Kind, options: CreateOptions): Promise<void> {
  const { signal, kubeconfig, config = join(root, 'kind-config.yaml') } = options;
  assertClusterPossible(kind.engine);
  await assertNoCluster(kind);
  const stock = parse(await readFile(config, 'utf8')).nodes[0].image as string;
  const image = options.nodeImage ?? (await ensureImage(kind.engine, stock, 'node', options));
  // kind binds it into the node; machines without loadable modules do not have it.
  if (process.platform === 'linux' && process.getuid?.() === 0)
    await mkdir('/lib/modules', { recursive: true });
  const args = ['create', 'cluster', '--config', config, '--image', image, '--wait', READY];
  try {
    await output(kind.binary, [...args, ...whichCluster(kind, kubeconfig)], {
      env: kind.engine.env,
      signal,
      shown: true,
    });
  } catch (error) {
    await deleteCluster(kind, kubeconfig);
    throw error;
  }
}

/** Deletes the cluster, if it is there. */
export async function deleteCluster(kind: Kind, kubeconfig?: string): Promise<void> {
  const args = ['delete', 'cluster', ...whichCluster(kind, kubeconfig)];
  await output(kind.binary, args, { env: kind.engine.env, shown: true });
  await rm(kubeconfigOf(kind.name), { force: true });
}

function whichCluster({ name }: Kind, kubeconfig: string | undefined): string[] {
  return ['--name', name, ...(kubeconfig ? ['--kubeconfig', kubeconfig] : [])];
}

/** kubectl as the cluster's admin, whatever the user's own kubeconfig says. @throws ToolError NO_CLUSTER */
export async function clusterKubectl(kind: Kind, options: StepOptions): Promise<Kubectl> {
  if (!(await clusterExists(kind)))
    throw new ToolError('NO_CLUSTER', `There is no kind cluster ${kind.name}`);
  const file = kubeconfigOf(kind.name);
  await mkdir(dirname(file), { recursive: true });
  const config = await output(kind.binary, ['get', 'kubeconfig', '--name', kind.name], {
    env: kind.engine.env,
  });
  await writeFile(file, config, { mode: 0o600 });
  const found = await findInPath('kubectl');
  return new Kubectl(found ?? (await ensureControlPlaneBinaries(options)).kubectl, file);
}

/** Gives the node images that the engine has, by way of an archive, which kind takes from Docker and podman alike. */
export async function loadImages(
  { engine, binary, name }: Kind,
  images: readonly string[],
  { progress }: StepOptions,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'chaosdemo-images-'));
  try {
    const archive = join(folder, 'images.tar');
    progress(`loading ${images.join(' and ')} into the node`);
    await saveImages(engine, images, archive);
    await output(binary, ['load', 'image-archive', archive, '--name', name], { env: engine.env });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Where the kubeconfig is kept that the project itself uses for a cluster. */
export function kubeconfigOf(name: string): string {
  return join(cacheRoot(), 'kind', `${name}.kubeconfig`);
}
