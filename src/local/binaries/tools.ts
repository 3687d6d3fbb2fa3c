/**
 * The programs of others that manifests, clusters and GitOps are checked and tested with.
 * Each is built once a machine from a pinned Go module under tools/ and kept in
 * the cache, under a digest of that module: a changed pin is another folder.
 */
import { createHash } from 'node:crypto';
import { copyFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { moduleSources } from './build.ts';
import { type EnsureProgramsOptions, ensureFolder, ensurePrograms } from './program-set.ts';
import { toolsFolder } from './versions.ts';

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
  kind: { package: 'sigs.k8s.io/kind', takes: 'less than a minute' },
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

/**
 * Path of the program, at once when cached, else after a build that is told
 * through `progress`. Throws GO_MISSING, GO_TOO_OLD, BUILD_FAILED or LOCK_TIMEOUT.
 */
export async function ensureTool(name: ToolName, options: EnsureProgramsOptions): Promise<string> {
  const { package: command, takes } = TOOLS[name];
  const modules = [{ name, tool: name, packages: [command], output: name, linkerFlags: '-s -w' }];
  const key = `${name}-${await digestOf(name)}`;
  return join(await ensurePrograms({ name, key, takes, modules }, options), name);
}

/** A folder with the CRDs that a program brings, from its source; the program itself need not be built. Throws as {@link ensureTool}. */
export async function ensureCrds(name: ToolWithCrds, options: EnsureProgramsOptions): Promise<string> {
  const { env = process.env, progress } = options;
  const { module, path } = TOOLS[name].crds;
  return await ensureFolder(`${name}-${await digestOf(name)}-crds`, options, async (partial) => {
    progress(`fetching the CRDs of ${name}`);
    const from = join(await moduleSources({ tool: name, path: module }, env), path);
    // Instructions for kustomize are no manifest.
    const files = (await readdir(from)).filter((file) => file !== 'kustomization.yaml');
    for (const file of files) await copyFile(join(from, file), join(partial, file));
  });
}

/** Twelve hexadecimal digits over everything that goes into the build but Go itself. */
async function digestOf(tool: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of (await readdir(join(toolsFolder, tool))).sort()) {
    hash.update(`${file}\0`).update(await readFile(join(toolsFolder, tool, file)));
  }
  return hash.digest('hex').slice(0, 12);
}
