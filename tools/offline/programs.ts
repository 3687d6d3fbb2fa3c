/**
 * Programs that are built from pinned Go modules once a machine, and kept outside the clone: those of a
 * control plane and of a node, and those that manifests, clusters and GitOps are checked and tested with.
 */

import { createHash } from 'node:crypto';
import { copyFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { platform, readPin, readPinnedVersions, type StepOptions } from '@chaosdemo/testbed';
import { ensureFolder } from '../binaries/cache.ts';
import { buildModules, type GoModule, kubernetesModule, withGo } from '../binaries/go.ts';
import { toolsFolder } from './tools-folder.ts';

/** What is built and cached together; `key` identifies one version of it. */
export interface ProgramSet {
  readonly name: string;
  readonly key: string;
  /** What is known of a cold build on two cores. */
  readonly takes: string;
  readonly modules: readonly GoModule[];
}

/** The folder with the programs of a set: at once when cached, else built. Throws GO_MISSING, BUILD_FAILED or LOCK_TIMEOUT. */
export async function ensurePrograms(set: ProgramSet, options: StepOptions): Promise<string> {
  return await ensureFolder(`programs/${set.key}-${platform}`, options, async (partial) => {
    options.progress(`building ${set.name}: ${set.takes}, once a machine`);
    await buildModules(partial, set.modules, options);
  });
}

/** What a node image needs besides the control plane's programs. */
export async function nodePrograms(): Promise<ProgramSet> {
  const versions = await readPinnedVersions();
  const containerd = await readPin(join(toolsFolder, 'containerd'), 'github.com/containerd/containerd/v2');
  const coredns = await readPin(join(toolsFolder, 'coredns'), 'github.com/coredns/coredns');
  return {
    name: 'the programs of a Kubernetes node',
    takes: 'some 4 to 10 minutes',
    key: `node-${versions.kubernetes}-containerd-${containerd}-coredns-${coredns}`,
    modules: [
      kubernetesModule('kubelet, kubeadm and the rest of Kubernetes', versions, [
        'kube-controller-manager',
        'kube-scheduler',
        'kube-proxy',
        'kubelet',
        'kubeadm',
      ]),
      {
        name: `containerd ${containerd}`,
        folder: join(toolsFolder, 'containerd'),
        packages: ['containerd', 'containerd-shim-runc-v2', 'ctr'].map(
          (command) => `github.com/containerd/containerd/v2/cmd/${command}`,
        ),
      },
      {
        name: `CoreDNS ${coredns}`,
        folder: join(toolsFolder, 'coredns'),
        packages: ['chaosdemo.dev/tools/coredns'],
      },
      {
        name: 'the pause program',
        folder: join(toolsFolder, 'pause'),
        packages: ['chaosdemo.dev/tools/pause'],
      },
    ],
  };
}

/** How a tool is built; `takes` as of {@link ProgramSet}, `tags` as of {@link GoModule}. */
interface ToolBuild {
  readonly package: string;
  readonly takes: string;
  readonly tags?: string;
}

const TOOLS = {
  actionlint: { package: 'github.com/rhysd/actionlint/cmd/actionlint', takes: 'less than a minute' },
  argocd: { package: 'github.com/argoproj/argo-cd/v3/cmd', takes: 'some 3 to 10 minutes' },
  cosign: { package: 'github.com/sigstore/cosign/v3/cmd/cosign', takes: 'some 3 to 8 minutes' },
  crane: { package: 'github.com/google/go-containerregistry/cmd/crane', takes: 'less than a minute' },
  'go-controller': { package: '.', takes: 'some 1 to 3 minutes' },
  helm: { package: 'helm.sh/helm/v4/cmd/helm', takes: 'some 2 to 5 minutes' },
  kind: { package: 'sigs.k8s.io/kind', takes: 'less than a minute' },
  krew: { package: 'sigs.k8s.io/krew/cmd/krew', takes: 'less than a minute' },
  kstatus: { package: '.', takes: 'less than a minute' },
  'kube-score': { package: 'github.com/zegl/kube-score/cmd/kube-score', takes: 'less than a minute' },
  kubeconform: { package: 'github.com/yannh/kubeconform/cmd/kubeconform', takes: 'less than a minute' },
  'kustomize-controller': {
    package: 'github.com/fluxcd/kustomize-controller',
    takes: 'some 2 to 5 minutes',
  },
  kustomize: { package: 'sigs.k8s.io/kustomize/kustomize/v5', takes: 'less than a minute' },
  promtool: {
    package: 'github.com/prometheus/prometheus/cmd/promtool',
    takes: 'some 2 to 6 minutes',
    // It comes with the clients of every cloud that Prometheus finds targets in, and rules need none.
    tags: 'remove_all_sd',
  },
  'source-controller': { package: 'github.com/fluxcd/source-controller', takes: 'some 3 to 8 minutes' },
  vale: { package: 'github.com/errata-ai/vale/v2/cmd/vale', takes: 'some 1 to 3 minutes' },
} as const satisfies Record<string, ToolBuild>;

/** A program that tests and releases run; each has a folder of its name under tools/. */
export type ToolName = keyof typeof TOOLS;

/** Where the sources of some have their CRDs. */
const CRDS = {
  argocd: ['github.com/argoproj/argo-cd/v3', 'manifests/crds'],
  'kustomize-controller': ['github.com/fluxcd/kustomize-controller', 'config/crd/bases'],
  'prometheus-operator': [
    'github.com/prometheus-operator/prometheus-operator',
    'example/prometheus-operator-crd',
  ],
  'source-controller': ['github.com/fluxcd/source-controller', 'config/crd/bases'],
} as const;

/** One that brings CRDs. */
export type ToolWithCrds = keyof typeof CRDS;

/** Path of the program, at once when cached, else after a build. Throws as {@link ensurePrograms}. */
export async function ensureTool(name: ToolName, options: StepOptions): Promise<string> {
  const { package: command, takes, tags = '' }: ToolBuild = TOOLS[name];
  const modules = [{ name, folder: join(toolsFolder, name), packages: [command], output: name, tags }];
  const key = `${name}-${await digestOf(name)}`;
  return join(await ensurePrograms({ name, key, takes, modules }, options), name);
}

/** A folder with the CRDs that a program brings, from its source; the program itself need not be built. Throws as {@link ensureTool}. */
export async function ensureCrds(name: ToolWithCrds, options: StepOptions): Promise<string> {
  const [module, path] = CRDS[name];
  const key = `programs/${name}-${await digestOf(name)}-crds`;
  return await ensureFolder(key, options, async (partial) => {
    options.progress(`fetching the CRDs of ${name}`);
    await withGo(options, async (go) => {
      const from = join(await go.sources(join(toolsFolder, name), module), path);
      // Instructions for kustomize are no manifest.
      const files = (await readdir(from)).filter((file) => file !== 'kustomization.yaml');
      for (const file of files) await copyFile(join(from, file), join(partial, file));
    });
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
