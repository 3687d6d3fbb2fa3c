/**
 * The programs of others that manifests and GitOps are checked and tested with.
 * Each is built once a machine from a pinned Go module under tools/ and kept in
 * the cache, under a digest of that module: a changed pin is another folder.
 */
import { createHash } from 'node:crypto';
import { access, readdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { buildModules, copySource } from './build.ts';
import { currentPlatform, placeAtomically, toolCacheFolder, withLock } from './cache.ts';
import type { Progress } from './progress.ts';
import { goVersionOf, toolsFolder } from './versions.ts';

interface ToolSpec {
  readonly package: string;
  /** What is known of a cold build on two cores. */
  readonly takes: string;
  /** Where its source has the CRDs that it brings. */
  readonly crds?: { readonly module: string; readonly path: string };
}

const TOOLS = {
  argocd: {
    package: 'github.com/argoproj/argo-cd/v3/cmd',
    takes: 'some 3 to 10 minutes',
    crds: { module: 'github.com/argoproj/argo-cd/v3', path: 'manifests/crds' },
  },
  helm: { package: 'helm.sh/helm/v4/cmd/helm', takes: 'some 2 to 5 minutes' },
  kstatus: { package: '.', takes: 'less than a minute' },
  'kube-score': { package: 'github.com/zegl/kube-score/cmd/kube-score', takes: 'less than a minute' },
  kubeconform: { package: 'github.com/yannh/kubeconform/cmd/kubeconform', takes: 'a few seconds' },
  'kustomize-controller': {
    package: 'github.com/fluxcd/kustomize-controller',
    takes: 'some 2 to 5 minutes',
    crds: { module: 'github.com/fluxcd/kustomize-controller', path: 'config/crd/bases' },
  },
  'source-controller': {
    package: 'github.com/fluxcd/source-controller',
    takes: 'some 3 to 8 minutes',
    crds: { module: 'github.com/fluxcd/source-controller', path: 'config/crd/bases' },
  },
} as const satisfies Record<string, ToolSpec>;

/** A program that can be built; each has a folder of its name under tools/. */
export type ToolName = keyof typeof TOOLS;

/** One that brings CRDs. */
export type ToolWithCrds = 'argocd' | 'kustomize-controller' | 'source-controller';

/** What ensureTool and ensureCrds take. */
export interface EnsureToolOptions {
  /** Default: that of this process. XDG_CACHE_HOME, HOME and PATH count. */
  readonly env?: NodeJS.ProcessEnv;
  readonly progress: Progress;
  readonly signal?: AbortSignal;
}

/**
 * Path of the program, at once when cached, else after a build that is told
 * through `progress`. Throws GO_MISSING, GO_TOO_OLD, BUILD_FAILED or LOCK_TIMEOUT.
 */
export async function ensureTool(name: ToolName, options: EnsureToolOptions): Promise<string> {
  const { env = process.env, progress, signal } = options;
  const { os, arch } = currentPlatform();
  const spec: ToolSpec = TOOLS[name];
  const moduleFolder = join(toolsFolder, name);
  const module = { name, folder: moduleFolder, packages: [spec.package], output: name, linkerFlags: '-s -w' };
  const folder = await ensureFolder(name, `${os}-${arch}`, options, async (partial) => {
    progress(`building ${name}: ${spec.takes}, once a machine`);
    await buildModules(partial, [module], await goVersionOf(moduleFolder), env, progress, signal);
  });
  return join(folder, name);
}

/** A folder with the CRDs that a program brings, from its source; the program itself need not be built. Throws as {@link ensureTool}. */
export async function ensureCrds(name: ToolWithCrds, options: EnsureToolOptions): Promise<string> {
  const { env = process.env, progress, signal } = options;
  return await ensureFolder(name, 'crds', options, async (partial) => {
    progress(`fetching the CRDs of ${name}`);
    await copySource(partial, join(toolsFolder, name), TOOLS[name].crds, env, signal);
  });
}

/** A folder of the cache for what comes from a module under tools/; `fill` makes it where it is missing. */
async function ensureFolder(
  name: ToolName,
  kind: string,
  { env = process.env, progress, signal }: EnsureToolOptions,
  fill: (partial: string) => Promise<void>,
): Promise<string> {
  const folder = join(toolCacheFolder(env), `${name}-${await digestOf(join(toolsFolder, name))}-${kind}`);
  if (await exists(folder)) return folder;
  const onWait = (): void => progress(`another run is making ${folder}: waiting for it`);
  const make = async (): Promise<void> => {
    if (await exists(folder)) return;
    await removeLeftovers(folder);
    await placeAtomically(folder, fill);
  };
  await withLock(`${folder}.lock`, onWait, make, undefined, signal);
  return folder;
}

/** What an earlier holder of the lock left when it was killed. */
async function removeLeftovers(folder: string): Promise<void> {
  const left = (await readdir(dirname(folder))).filter((name) =>
    name.startsWith(`${basename(folder)}.partial-`),
  );
  await Promise.all(left.map((name) => rm(join(dirname(folder), name), { recursive: true, force: true })));
}

/** Twelve hexadecimal digits over everything that goes into the build but Go itself. */
async function digestOf(module: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of (await readdir(module)).sort()) {
    hash.update(`${file}\0`).update(await readFile(join(module, file)));
  }
  return hash.digest('hex').slice(0, 12);
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
