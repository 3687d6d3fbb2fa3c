/**
 * Finds or makes etcd, kube-apiserver and kubectl: KUBEBUILDER_ASSETS, the
 * cache, a ready-made download, a build from pinned Go modules. Each step that
 * does not serve says why, and what comes next.
 */
import { join } from 'node:path';
import { LocalError, messageOf } from '../errors.ts';
import { buildModules } from './build.ts';
import {
  builtName,
  cachedFolders,
  cacheFolder,
  currentPlatform,
  downloadedName,
  placeAtomically,
  removeLeftovers,
  withLock,
} from './cache.ts';
import { downloadArchive, envtestIndexUrl, findArchive } from './envtest.ts';
import { controlPlaneModules } from './go-modules.ts';
import type { Progress } from './progress.ts';
import { type FoundBinaries, validateBinaries } from './validate.ts';
import { type PinnedVersions, readPinnedVersions } from './versions.ts';

/** What ensureControlPlaneBinaries takes. */
export interface EnsureOptions {
  /** Default: that of this process. KUBEBUILDER_ASSETS, XDG_CACHE_HOME, HOME, CHAOSDEMO_ENVTEST_INDEX and PATH count. */
  readonly env?: NodeJS.ProcessEnv;
  readonly progress: Progress;
  readonly signal?: AbortSignal;
}

/**
 * Binaries that were seen running. Instantly when cached; else a download, or
 * minutes of building, told through `progress`.
 * Throws BINARIES_UNAVAILABLE with the reason of every step, or LOCK_TIMEOUT.
 */
export async function ensureControlPlaneBinaries(options: EnsureOptions): Promise<FoundBinaries> {
  const env = options.env ?? process.env;
  const { progress, signal } = options;
  const versions = await readPinnedVersions();

  const assets = env['KUBEBUILDER_ASSETS'];
  if (assets) {
    try {
      return await validateBinaries(assets);
    } catch (error) {
      progress(`KUBEBUILDER_ASSETS does not serve: ${messageOf(error)}. Next: the cache`);
    }
  }

  const cache = cacheFolder(env);
  const cached = await findCached(cache, versions, progress);
  if (cached) return cached;
  progress(`no control plane in ${cache} yet. Next: a ready-made download`);

  const lock = join(cache, `${builtName(versions, currentPlatform())}.lock`);
  const onWait = (): void => progress(`another run is filling ${cache}: waiting for it`);
  return await withLock(
    lock,
    onWait,
    async () => {
      const meanwhile = await findCached(cache, versions, progress);
      if (meanwhile) return meanwhile;
      await removeLeftovers(cache);
      return await fillCache(cache, versions, env, progress, signal);
    },
    undefined,
    signal,
  );
}

async function findCached(
  cache: string,
  versions: PinnedVersions,
  progress: Progress,
): Promise<FoundBinaries | undefined> {
  for (const folder of await cachedFolders(cache, versions, currentPlatform())) {
    try {
      return await validateBinaries(folder);
    } catch (error) {
      progress(`${folder} does not serve: ${messageOf(error)}`);
    }
  }
  return undefined;
}

async function fillCache(
  cache: string,
  versions: PinnedVersions,
  env: NodeJS.ProcessEnv,
  progress: Progress,
  signal: AbortSignal | undefined,
): Promise<FoundBinaries> {
  const steps = [
    {
      name: 'download',
      run: () => downloadIntoCache(cache, versions, env, progress, signal),
      next: 'a build with Go',
    },
    { name: 'build', run: () => buildIntoCache(cache, versions, env, progress, signal), next: undefined },
  ];
  const reasons: string[] = [];
  for (const step of steps) {
    try {
      return await validateBinaries(await step.run());
    } catch (error) {
      signal?.throwIfAborted();
      const remedy = error instanceof LocalError ? ` ${error.remedy}` : '';
      reasons.push(`${step.name}: ${messageOf(error)}.${remedy}`);
      if (step.next) progress(`the ${step.name} does not serve: ${messageOf(error)}. Next: ${step.next}`);
    }
  }
  throw new LocalError(
    'BINARIES_UNAVAILABLE',
    `No etcd, kube-apiserver and kubectl:\n- ${reasons.join('\n- ')}`,
  );
}

async function downloadIntoCache(
  cache: string,
  versions: PinnedVersions,
  env: NodeJS.ProcessEnv,
  progress: Progress,
  signal: AbortSignal | undefined,
): Promise<string> {
  const index = envtestIndexUrl(env);
  if (!index) throw new LocalError('DOWNLOAD_FAILED', 'CHAOSDEMO_ENVTEST_INDEX is off');
  progress(`looking for a download at ${index}`);
  const archive = await findArchive(index, versions.kubernetes, currentPlatform(), signal);
  const target = join(cache, downloadedName(archive.version, currentPlatform()));
  progress(`downloading ${archive.url}`);
  await placeAtomically(target, async (folder) => {
    await downloadArchive(archive, folder, progress, signal);
    await validateBinaries(folder);
  });
  return target;
}

async function buildIntoCache(
  cache: string,
  versions: PinnedVersions,
  env: NodeJS.ProcessEnv,
  progress: Progress,
  signal: AbortSignal | undefined,
): Promise<string> {
  const target = join(cache, builtName(versions, currentPlatform()));
  progress(`building the control plane into ${target}: some 4 to 15 minutes, once a machine`);
  await placeAtomically(target, async (folder) => {
    await buildModules(folder, controlPlaneModules(versions), env, progress, signal);
    await validateBinaries(folder);
  });
  return target;
}
