/**
 * Gets etcd, kube-apiserver and kubectl if a machine has none: a ready-made download, or a build from pinned Go
 * modules. Each failed step reports the reason, and the next step.
 */
import {
  type CachedFolders,
  cachedFolders,
  checkBinaries,
  type FoundBinaries,
  findControlPlaneBinaries,
  messageOf,
  type PinnedVersions,
  platform,
  readPinnedVersions,
  type StepOptions,
  TestbedError,
} from '@chaosdemo/testbed';
import { ToolError } from '../errors.ts';
import { placeAtomically, removeLeftovers } from './cache.ts';
import { downloadArchive, envtestIndexUrl, findArchive } from './envtest.ts';
import { buildControlPlane } from './go.ts';
import { withLock } from './lock.ts';

/** What a step makes: programs of these versions, in a folder of the cache. */
interface Wanted extends CachedFolders {
  readonly versions: PinnedVersions;
}

/**
 * Those of `findControlPlaneBinaries`, or if there are none, a download, or minutes of building, reported through
 * `progress`. Respects CHAOSDEMO_ENVTEST_INDEX. Throws BINARIES_UNAVAILABLE with the reason of every step, or
 * LOCK_TIMEOUT.
 */
export async function ensureControlPlaneBinaries(options: StepOptions): Promise<FoundBinaries> {
  const { env = process.env, progress, signal } = options;
  const present = await findControlPlaneBinaries(options);
  if (present) return present;
  const wanted = { ...(await cachedFolders(env)), versions: await readPinnedVersions() };
  const { built, cache } = wanted;
  progress(`no control plane in ${cache} yet. Next: a ready-made download`);
  const onWait = (): void => progress(`another run is filling ${cache}: waiting for it`);
  const fill = async (): Promise<FoundBinaries> => {
    const builtByOther = await findControlPlaneBinaries(options);
    if (builtByOther) return builtByOther;
    await removeLeftovers(cache);
    return await fillCache(wanted, options);
  };
  return await withLock(`${built}.lock`, onWait, fill, undefined, signal);
}

async function fillCache(wanted: Wanted, options: StepOptions): Promise<FoundBinaries> {
  const { progress, signal } = options;
  const reasons: string[] = [];
  for (const [step, make] of Object.entries({ download, build })) {
    try {
      return await make(wanted, options);
    } catch (error) {
      signal?.throwIfAborted();
      reasons.push(`${step}: ${messageOf(error)}.${error instanceof TestbedError ? ` ${error.remedy}` : ''}`);
      if (make === download) progress(`no download can be used: ${messageOf(error)}. Next: a build with Go`);
    }
  }
  const why = reasons.join('\n- ');
  if (/ENOSPC|no space left on device/i.test(why))
    throw new ToolError('DISK_FULL', `No space is left at ${wanted.cache}`);
  throw new ToolError('BINARIES_UNAVAILABLE', `No etcd, kube-apiserver and kubectl:\n- ${why}`);
}

async function download(
  { downloaded, versions }: Wanted,
  { env = process.env, progress, signal }: StepOptions,
): Promise<FoundBinaries> {
  const index = envtestIndexUrl(env);
  if (!index) throw new ToolError('DOWNLOAD_FAILED', 'CHAOSDEMO_ENVTEST_INDEX is off');
  progress(`looking for a download at ${index}`);
  const archive = await findArchive(index, versions.kubernetes, platform, signal);
  progress(`downloading ${archive.url}`);
  return await place(downloaded, (folder) => downloadArchive(archive, folder, progress, signal));
}

async function build({ built, versions }: Wanted, options: StepOptions): Promise<FoundBinaries> {
  options.progress(
    `building the control plane into ${built}: this takes 4 to 15 minutes, once for this machine. To skip it, set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl`,
  );
  return await place(built, (folder) => buildControlPlane(folder, versions, options));
}

/** Only working programs are put in place. */
async function place(target: string, fill: (folder: string) => Promise<void>): Promise<FoundBinaries> {
  await placeAtomically(target, async (folder) => {
    await fill(folder);
    await checkBinaries(folder);
  });
  return await checkBinaries(target);
}
