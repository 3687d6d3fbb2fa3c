/** Puts the operator and the bundled rate limiter into a cluster of kind, from the shipped manifests. */

import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { attempt, type Kubectl, type StepOptions } from '@chaosdemo/testbed';
import { stringify } from 'yaml';
import type { LimiterMode } from '../../src/local/limiters.ts';
import { root } from '../../src/local/root.ts';
import { buildModelImage } from '../model/image.ts';
import { output } from '../run.ts';
import { type Kind, loadImages } from './cluster.ts';
import { buildImage, type Engine } from './engine.ts';
import { ensureImage } from './images.ts';

/** Images of a cluster, as the node has them. */
export interface Images {
  /** Of the operator and the rate limiter, as the manifests name it. */
  readonly operator: string;
  /** The one that the manifests name, or its stand-in. */
  readonly redis: string;
  /** Whose entrypoint is Node: what the Dockerfile names, or its stand-in. */
  readonly runtime: string;
}

/** Gives up waiting when aborted. */
export interface Stop {
  readonly signal?: AbortSignal | undefined;
}

const systemNamespace = 'chaosdemo-system';
const limiterNamespace = 'ratelimiter';
const ROLLOUT = '--timeout=300s';

/** Builds the bundles and the image, gets Redis, and loads both into the node. */
export async function provideImages(kind: Kind, options: StepOptions): Promise<Images> {
  const { engine } = kind;
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const revision = await attempt('git', ['rev-parse', 'HEAD']);
  const operator = `chaosdemo.dev/chaosdemo-operator:${version}`;
  const buildArgs = {
    RUNTIME_IMAGE: await runtimeImage(engine, options),
    VERSION: version,
    REVISION: revision.stdout.trim() || 'unknown',
  };
  await output(process.execPath, [join(root, 'scripts/build.mjs')], { cwd: root });
  await buildImage(engine, operator, buildArgs, { ...options, folder: root });

  const manifest = await readFile(join(root, 'manifests/ratelimiter/base/redis.yaml'), 'utf8');
  const redisName = /^\s+image: (\S+)$/m.exec(manifest)?.[1] ?? '';
  const redis = await ensureImage(engine, redisName, 'redis', options);
  const images = { operator, redis, runtime: buildArgs.RUNTIME_IMAGE };
  await loadImages(kind, [images.operator, images.redis], options);
  return images;
}

/** What the Dockerfile names to run Node, or its stand-in. @throws ToolError IMAGE_UNAVAILABLE */
export async function runtimeImage(
  engine: Engine,
  options: StepOptions,
  purpose: 'runtime-base' | 'runtime-base-elsewhere' = 'runtime-base',
): Promise<string> {
  const dockerfile = await readFile(join(root, 'Dockerfile'), 'utf8');
  const base = /^ARG RUNTIME_IMAGE=(\S+)$/m.exec(dockerfile)?.[1] ?? '';
  return await ensureImage(engine, base, purpose, options);
}

/** Builds the image of the small model, loads it, applies manifests/model, and waits until the model is in memory. */
export async function installModel(
  kind: Kind,
  kubectl: Kubectl,
  runtime: string,
  options: StepOptions,
): Promise<void> {
  const image = await buildModelImage(kind.engine, runtime, options);
  await loadImages(kind, [image], options);
  await rolledOut(kubectl, 'models', 'deployment/chaosdemo-model', options, async () => {
    await kubectl.run(['apply', '--server-side', '-k', join(root, 'manifests/model')], options);
  });
}

/** Applies the operator's manifests, with the profile of manifests/model or without, and waits until it runs this image. */
export async function installOperator(
  kubectl: Kubectl,
  stop: Stop,
  folder: 'operator' | 'operator-with-models' = 'operator',
): Promise<void> {
  await rolledOut(kubectl, systemNamespace, 'deployment/chaosdemo-operator', stop, async () => {
    await kubectl.run(['apply', '--server-side', '-k', join(root, 'manifests', folder)], stop);
    const crds = join(root, 'crds');
    await kubectl.run(['wait', '--for=condition=Established', '--timeout=60s', '-f', crds], stop);
  });
}

/** Applies an overlay of the rate limiter, makes its passwords once, and waits until it runs this image. */
export async function installLimiter(
  kubectl: Kubectl,
  mode: LimiterMode,
  images: Images,
  stop: Stop,
): Promise<void> {
  // Its pods wait for the passwords: with these first, none fails to start.
  const namespace = join(root, 'manifests/operator/enable-namespace');
  await kubectl.run(['apply', '--server-side', '-k', namespace], stop);
  await makeSecrets(kubectl);
  await rolledOut(kubectl, limiterNamespace, 'deployment/ratelimiter', stop, () =>
    applyOverlay(kubectl, `manifests/ratelimiter/overlays/${mode}`, images),
  );
  await kubectl.run(['-n', limiterNamespace, 'rollout', 'status', 'statefulset/redis', ROLLOUT], stop);
}

/**
 * Applies a workload and waits for its pods. One that was there is restarted: the tag may be
 * that of an earlier build, and then nothing in the manifests has changed.
 */
async function rolledOut(
  kubectl: Kubectl,
  namespace: string,
  workload: string,
  stop: Stop,
  apply: () => Promise<void>,
): Promise<void> {
  const there = await kubectl.run(
    ['-n', namespace, 'get', workload, '--ignore-not-found', '-o', 'name'],
    stop,
  );
  await apply();
  if (there.trim() !== '') await kubectl.run(['-n', namespace, 'rollout', 'restart', workload], stop);
  await kubectl.run(['-n', namespace, 'rollout', 'status', workload, ROLLOUT], stop);
}

/** By a kustomization, with which docs/install.md chooses images. @param patches strategic merge patches */
export async function applyOverlay(
  kubectl: Kubectl,
  overlay: string,
  images: Images,
  patches: readonly object[] = [],
): Promise<void> {
  // kustomize follows links before it looks at `../`, and on macOS the folder for temporary files is one.
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'chaosdemo-kustomize-')));
  try {
    const [newName, newTag] = images.redis.split(/:(?=[^:/]+$)/);
    const kustomization = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: [relative(folder, join(root, overlay))],
      images: [{ name: 'docker.io/library/redis', newName, newTag }],
      patches: patches.map((patch) => ({ patch: stringify(patch) })),
    };
    await writeFile(join(folder, 'kustomization.yaml'), stringify(kustomization));
    await kubectl.run(['apply', '--server-side', '-k', folder]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function makeSecrets(kubectl: Kubectl): Promise<void> {
  const secret = ['get', 'secret', 'redis-users', '--ignore-not-found', '-o', 'name'];
  const there = await kubectl.run(['-n', limiterNamespace, ...secret]);
  if (there.trim() !== '') return;
  const secrets = await output(process.execPath, [join(root, 'scripts/redis-users.mjs')]);
  await kubectl.run(['create', '-f', '-'], { input: secrets });
}
