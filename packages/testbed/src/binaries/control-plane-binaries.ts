/** Finds etcd, kube-apiserver and kubectl: in KUBEBUILDER_ASSETS, or in the cache. */
import { join } from 'node:path';
import type { ControlPlaneBinaries } from '../control-plane.ts';
import { messageOf, TestbedError } from '../errors.ts';
import { attempt, pathExists } from '../run.ts';
import { cacheRoot, platform, type StepOptions } from './cache.ts';
import { compareVersions, readPinnedVersions } from './versions.ts';

// The CRD relies on CEL validation, the demo on selectable fields: both are stable from here on.
const oldestKubernetes = 'v1.32.0';

// Normally instant; but on a starved machine a good folder must not be rejected: the next step may be a build.
const versionTimeoutMs = 5 * 60_000;

/** A folder whose programs have been run once as a check. */
export interface FoundBinaries extends ControlPlaneBinaries {
  readonly folder: string;
  /** The version that its kube-apiserver reports, `v1.36.3`. */
  readonly kubernetesVersion: string;
}

export type CachedFolders = Awaited<ReturnType<typeof cachedFolders>>;

/** Where the cache has control planes of the pinned versions. They may not exist yet. */
export async function cachedFolders(env: NodeJS.ProcessEnv) {
  const { kubernetes, etcd } = await readPinnedVersions();
  const cache = join(cacheRoot(env), 'control-plane');
  return {
    cache,
    /** Built from the pins. */
    built: join(cache, `${kubernetes}-etcd-${etcd}-${platform}`),
    /** A downloaded archive of that minor: its patch and its etcd are the choice of its index. */
    downloaded: join(cache, `${kubernetes}-envtest-${platform}`),
  };
}

/** Binaries of KUBEBUILDER_ASSETS or the cache that have been run once as a check; undefined: there are none. */
export async function findControlPlaneBinaries({
  env = process.env,
  progress,
}: StepOptions): Promise<FoundBinaries | undefined> {
  const assets = env['KUBEBUILDER_ASSETS'];
  const { built, downloaded } = await cachedFolders(env);
  for (const folder of assets ? [assets, built, downloaded] : [built, downloaded]) {
    if (folder !== assets && !(await pathExists(folder))) continue;
    try {
      return await checkBinaries(folder);
    } catch (error) {
      const name = folder === assets ? 'KUBEBUILDER_ASSETS' : folder;
      progress(`${name} cannot be used: ${messageOf(error)}`);
    }
  }
  return undefined;
}

/** Runs each program's version command. Throws ASSETS_UNUSABLE with the problem. */
export async function checkBinaries(folder: string): Promise<FoundBinaries> {
  const [etcd, kubeApiserver, kubectl] = ['etcd', 'kube-apiserver', 'kubectl'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  const [kubernetes] = await Promise.all([
    versionOf(kubeApiserver, ['--version'], /^Kubernetes (v\S+)/m),
    versionOf(etcd, ['--version'], /^etcd Version: (\S+)/m),
    versionOf(kubectl, ['version', '--client'], /^Client Version: (v\S+)/m),
  ]);
  if (compareVersions(kubernetes, oldestKubernetes) < 0) {
    throw new TestbedError(
      'ASSETS_UNUSABLE',
      `${kubeApiserver} is ${kubernetes}, older than ${oldestKubernetes}`,
    );
  }
  return { folder, etcd, kubeApiserver, kubectl, kubernetesVersion: kubernetes };
}

async function versionOf(binary: string, args: string[], pattern: RegExp): Promise<string> {
  const { stdout, errorText } = await attempt(binary, args, { timeoutMs: versionTimeoutMs });
  const found = pattern.exec(stdout)?.[1];
  if (found) return found;
  throw new TestbedError(
    'ASSETS_UNUSABLE',
    `${binary} does not print its version: ${errorText.slice(0, 200)}`,
  );
}
