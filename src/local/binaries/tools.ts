/**
 * The programs of others that manifests and GitOps are checked and tested with.
 * Each is built once a machine from a pinned Go module under tools/ and kept in
 * the cache, under a digest of that module: a changed pin is another folder.
 */
import { createHash } from 'node:crypto';
import { access, readdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { buildModules, type GoModule } from './build.ts';
import { currentPlatform, placeAtomically, toolCacheFolder, withLock } from './cache.ts';
import type { Progress } from './progress.ts';
import { goVersionOf, toolsFolder } from './versions.ts';

interface ToolSpec {
  readonly package: string;
  /** What is known of a cold build on two cores. */
  readonly takes: string;
  readonly source?: GoModule['source'];
}

const TOOLS = {
  argocd: {
    package: 'github.com/argoproj/argo-cd/v3/cmd',
    takes: 'some 3 to 10 minutes',
    source: { module: 'github.com/argoproj/argo-cd/v3', path: 'manifests/crds' },
  },
  helm: { package: 'helm.sh/helm/v4/cmd/helm', takes: 'some 2 to 5 minutes' },
  kstatus: { package: '.', takes: 'less than a minute' },
  'kube-score': { package: 'github.com/zegl/kube-score/cmd/kube-score', takes: 'less than a minute' },
  kubeconform: { package: 'github.com/yannh/kubeconform/cmd/kubeconform', takes: 'a few seconds' },
  'kustomize-controller': {
    package: 'github.com/fluxcd/kustomize-controller',
    takes: 'some 2 to 5 minutes',
    source: { module: 'github.com/fluxcd/kustomize-controller', path: 'config/crd/bases' },
  },
  'source-controller': {
    package: 'github.com/fluxcd/source-controller',
    takes: 'some 3 to 8 minutes',
    source: { module: 'github.com/fluxcd/source-controller', path: 'config/crd/bases' },
  },
} as const satisfies Record<string, ToolSpec>;

/** A program that can be built; each has a folder of its name under tools/. */
export type ToolName = keyof typeof TOOLS;

/** A program in the cache. */
export interface Tool {
  readonly binary: string;
  /** Holds the program and, for one that brings CRDs, their files. */
  readonly folder: string;
}

/** What ensureTool takes. */
export interface EnsureToolOptions {
  /** Default: that of this process. XDG_CACHE_HOME, HOME and PATH count. */
  readonly env?: NodeJS.ProcessEnv;
  readonly progress: Progress;
  readonly signal?: AbortSignal;
}

/**
 * The program, at once when cached, else after a build that is told through
 * `progress`. Throws GO_MISSING, GO_TOO_OLD, BUILD_FAILED or LOCK_TIMEOUT.
 */
export async function ensureTool(name: ToolName, options: EnsureToolOptions): Promise<Tool> {
  const env = options.env ?? process.env;
  const { progress, signal } = options;
  const module = join(toolsFolder, name);
  const { os, arch } = currentPlatform();
  const folder = join(toolCacheFolder(env), `${name}-${await digestOf(module)}-${os}-${arch}`);
  const tool = { binary: join(folder, name), folder };
  if (await exists(tool.binary)) return tool;

  const onWait = (): void => progress(`another run is building ${name}: waiting for it`);
  const build = async (): Promise<void> => {
    if (await exists(tool.binary)) return;
    await removeLeftovers(folder);
    const spec: ToolSpec = TOOLS[name];
    progress(`building ${name} into ${folder}: ${spec.takes}, once a machine`);
    const goVersion = await goVersionOf(module);
    await placeAtomically(folder, async (partial) => {
      await buildModules(partial, [goModule(name, spec)], goVersion, env, progress, signal);
    });
  };
  await withLock(`${folder}.lock`, onWait, build, undefined, signal);
  return tool;
}

/** What an earlier holder of the lock left when it was killed. */
async function removeLeftovers(folder: string): Promise<void> {
  const left = (await readdir(dirname(folder))).filter((name) =>
    name.startsWith(`${basename(folder)}.partial-`),
  );
  await Promise.all(left.map((name) => rm(join(dirname(folder), name), { recursive: true, force: true })));
}

function goModule(name: ToolName, spec: ToolSpec): GoModule {
  return {
    name,
    folder: join(toolsFolder, name),
    packages: [spec.package],
    output: name,
    linkerFlags: '-s -w',
    ...(spec.source ? { source: spec.source } : {}),
  };
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
