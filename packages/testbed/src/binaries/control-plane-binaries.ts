/**
 * Finds or builds etcd, kube-apiserver and kubectl: KUBEBUILDER_ASSETS, the cache, a ready-made download, a build from
 * pinned Go modules. Each failed step reports the reason, and the next step.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlPlaneBinaries } from '../control-plane.ts';
import { messageOf, TestbedError } from '../errors.ts';
import { attempt } from '../run.ts';
import { cacheRoot, placeAtomically, platform, removeLeftovers, type StepOptions } from './cache.ts';
import { downloadArchive, envtestIndexUrl, findArchive } from './envtest.ts';
import { buildControlPlane } from './go.ts';
import { withLock } from './lock.ts';
import { compareVersions, type PinnedVersions, readPinnedVersions } from './versions.ts';

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

/** Binaries of KUBEBUILDER_ASSETS or the cache that have been run once as a check; undefined: there are none. */
export async function findControlPlaneBinaries({
  env = process.env,
  progress,
}: StepOptions): Promise<FoundBinaries | undefined> {
  const assets = env['KUBEBUILDER_ASSETS'];
  const cached = await cachedFolders(cacheOf(env), await readPinnedVersions());
  for (const folder of assets ? [assets, ...cached] : cached) {
    try {
      return await validate(folder);
    } catch (error) {
      const name = folder === assets ? 'KUBEBUILDER_ASSETS' : folder;
      progress(`${name} cannot be used: ${messageOf(error)}`);
    }
  }
  return undefined;
}

/**
 * The same, or if there are none, a download, or minutes of building, reported through `progress`. Respects
 * CHAOSDEMO_ENVTEST_INDEX. Throws BINARIES_UNAVAILABLE with the reason of every step, or LOCK_TIMEOUT.
 */
export async function ensureControlPlaneBinaries(options: StepOptions): Promise<FoundBinaries> {
  const { env = process.env, progress, signal } = options;
  const present = await findControlPlaneBinaries(options);
  if (present) return present;
  const versions = await readPinnedVersions();
  const cache = cacheOf(env);
  progress(`no control plane in ${cache} yet. Next: a ready-made download`);
  const onWait = (): void => progress(`another run is filling ${cache}: waiting for it`);
  const fill = async (): Promise<FoundBinaries> => {
    const builtByOther = await findControlPlaneBinaries(options);
    if (builtByOther) return builtByOther;
    await removeLeftovers(cache);
    return await fillCache(cache, versions, options);
  };
  return await withLock(join(cache, `${builtName(versions)}.lock`), onWait, fill, undefined, signal);
}

function cacheOf(env: NodeJS.ProcessEnv): string {
  return join(cacheRoot(env), 'control-plane');
}

/** Name of the folder for binaries built from the pins. */
export function builtName({ kubernetes, etcd }: PinnedVersions): string {
  return `${kubernetes}-etcd-${etcd}-${platform}`;
}

/** Name of the folder for a downloaded archive of that minor: its patch and its etcd are the choice of its index. */
export function downloadedName({ kubernetes }: PinnedVersions): string {
  return `${kubernetes}-envtest-${platform}`;
}

/** Folders of the cache that may be usable, best first: the exact pins, then a download for them. */
export async function cachedFolders(cache: string, versions: PinnedVersions): Promise<string[]> {
  const names = await readdir(cache).catch((): string[] => []);
  const usable = [builtName(versions), downloadedName(versions)];
  return usable.filter((name) => names.includes(name)).map((name) => join(cache, name));
}

async function fillCache(
  cache: string,
  versions: PinnedVersions,
  options: StepOptions,
): Promise<FoundBinaries> {
  const { progress, signal } = options;
  const reasons: string[] = [];
  for (const [step, make] of Object.entries({ download, build })) {
    try {
      return await make(cache, versions, options);
    } catch (error) {
      signal?.throwIfAborted();
      reasons.push(`${step}: ${messageOf(error)}.${error instanceof TestbedError ? ` ${error.remedy}` : ''}`);
      if (make === download) progress(`no download can be used: ${messageOf(error)}. Next: a build with Go`);
    }
  }
  const why = reasons.join('\n- ');
  if (/ENOSPC|no space left on device/i.test(why))
    throw new TestbedError('DISK_FULL', `No space is left at ${cache}`);
  throw new TestbedError('BINARIES_UNAVAILABLE', `No etcd, kube-apiserver and kubectl:\n- ${why}`);
}

async function download(
  cache: string,
  versions: PinnedVersions,
  { env = process.env, progress, signal }: StepOptions,
): Promise<FoundBinaries> {
  const index = envtestIndexUrl(env);
  if (!index) throw new TestbedError('DOWNLOAD_FAILED', 'CHAOSDEMO_ENVTEST_INDEX is off');
  progress(`looking for a download at ${index}`);
  const archive = await findArchive(index, versions.kubernetes, platform, signal);
  progress(`downloading ${archive.url}`);
  return await place(join(cache, downloadedName(versions)), (folder) =>
    downloadArchive(archive, folder, progress, signal),
  );
}

async function build(cache: string, versions: PinnedVersions, options: StepOptions): Promise<FoundBinaries> {
  const target = join(cache, builtName(versions));
  options.progress(
    `building the control plane into ${target}: this takes 4 to 15 minutes, once for this machine. To skip it, set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl`,
  );
  return await place(target, (folder) => buildControlPlane(folder, versions, options));
}

/** Only working programs are put in place. */
async function place(target: string, fill: (folder: string) => Promise<void>): Promise<FoundBinaries> {
  await placeAtomically(target, async (folder) => {
    await fill(folder);
    await validate(folder);
  });
  return await validate(target);
}

/** Runs each program's version command. Throws ASSETS_UNUSABLE with the problem. */
async function validate(folder: string): Promise<FoundBinaries> {
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
