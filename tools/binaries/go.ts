/** Builds programs from pinned Go modules, each in a folder of its own. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  cacheRoot,
  findInPath,
  goModules,
  type PinnedVersions,
  type RunOptions,
  type StepOptions,
  Supervisor,
} from '@chaosdemo/testbed';
import { fixOf, ToolError } from '../errors.ts';
import { output } from '../run.ts';
import { formatElapsed, withHeartbeat } from './progress.ts';

/** Programs of one module. */
export interface GoModule {
  /** For people: `kind v0.33.0`. */
  readonly name: string;
  /** With its go.mod. */
  readonly folder: string;
  readonly packages: readonly string[];
  /** Name of the file; without it one file a package, named after it. */
  readonly output?: string;
  /** Variables set at link time, `-X PATH=VALUE`. */
  readonly stamp?: string;
  /** Build tags, separated by commas. */
  readonly tags?: string;
}

/**
 * Go with its own caches, which are deleted when `work` has ended: they grow to gigabytes, and builds are not repeated.
 * Caches that GOCACHE and GOMODCACHE name are used, and stay. Throws GO_MISSING.
 */
export async function withGo<T>(options: StepOptions, work: (go: Go) => Promise<T>): Promise<T> {
  const { env = process.env } = options;
  // The official archive is unpacked to /usr/local, often without an entry in PATH.
  const binary = await findInPath('go', { PATH: `${env['PATH'] ?? ''}:/usr/local/go/bin` });
  if (!binary) throw new ToolError('GO_MISSING', 'Go is needed for building and is not on this machine');
  // Next to the results, not under the system's temporary folder, which may be in memory.
  await mkdir(cacheRoot(env), { recursive: true });
  const supervisor = new Supervisor();
  try {
    const caches = supervisor.temporaryFolder('go', cacheRoot(env));
    return await work(new Go(binary, caches, options));
  } finally {
    await supervisor.close();
  }
}

/** The command `go`. */
export class Go {
  readonly #binary: string;
  readonly #options: StepOptions;
  readonly #env: NodeJS.ProcessEnv;

  constructor(binary: string, caches: string, options: StepOptions) {
    const { env = process.env } = options;
    this.#binary = binary;
    this.#options = options;
    this.#env = {
      GOCACHE: join(caches, 'build'),
      GOMODCACHE: join(caches, 'modules'),
      GOTMPDIR: caches,
      ...env,
      // No C compiler is needed, and no setting of the user's own projects may leak in.
      CGO_ENABLED: '0',
      GOWORK: 'off',
      // Go makes modules read-only by default, so they could not be removed.
      GOFLAGS: '-modcacherw',
      GOOS: '',
      GOARCH: '',
    };
  }

  /** Builds into `target`, with a line of progress every 5 s. Throws BUILD_FAILED, also with an older Go. */
  async build(
    { name, folder, packages, output: file = '', stamp = '', tags = '' }: GoModule,
    target: string,
  ): Promise<void> {
    const { progress } = this.#options;
    const start = performance.now();
    let downloaded = 0;
    let compiled = 0;
    const onErrorLine = (line: string): void => {
      if (line.startsWith('go: downloading ')) downloaded++;
      else if (!line.startsWith('#') && !line.includes(' ')) compiled++;
    };
    const args = ['build', '-mod=readonly', '-v', '-trimpath', '-ldflags', `-s -w ${stamp}`.trim()];
    if (tags) args.push('-tags', tags);
    progress(`building ${name}`);
    await withHeartbeat(
      progress,
      () => `building ${name}: ${downloaded} modules downloaded, ${compiled} packages compiled`,
      () => this.#run(folder, [...args, '-o', `${target}/${file}`, ...packages], { onErrorLine }),
    );
    progress(`built ${name} in ${formatElapsed(performance.now() - start)}`);
  }

  /** The folder with the sources of a module that the one in `folder` pins; it is deleted with the caches. */
  async sources(folder: string, path: string): Promise<string> {
    return (JSON.parse(await this.#run(folder, ['mod', 'download', '-json', path])) as { Dir: string }).Dir;
  }

  async #run(folder: string, args: readonly string[], more: RunOptions = {}): Promise<string> {
    const run = { cwd: folder, env: this.#env, signal: this.#options.signal, ...more };
    return await output(this.#binary, args, run, fixOf('BUILD_FAILED'));
  }
}

/** Builds modules one after the other into `folder`. Throws as {@link withGo} and {@link Go.build}. */
export async function buildModules(
  folder: string,
  modules: readonly GoModule[],
  options: StepOptions,
): Promise<void> {
  await withGo(options, async (go) => {
    for (const module of modules) await go.build(module, folder);
  });
}

/** Builds etcd, kube-apiserver and kubectl into `folder`. Throws as {@link buildModules}. */
export async function buildControlPlane(
  folder: string,
  versions: PinnedVersions,
  options: StepOptions,
): Promise<void> {
  const etcd = {
    name: `etcd ${versions.etcd}`,
    folder: goModules.etcd,
    packages: ['go.etcd.io/etcd/server/v3'],
  };
  const apiServer = kubernetesModule('kube-apiserver and kubectl', versions, ['kube-apiserver', 'kubectl']);
  await buildModules(folder, [{ ...etcd, output: 'etcd' }, apiServer], options);
}

/** Commands of Kubernetes, at the pinned version. */
export function kubernetesModule(
  what: string,
  { kubernetes: version }: PinnedVersions,
  commands: string[],
): GoModule {
  const [major, minor] = version.slice(1).split('.');
  const variable = '-X k8s.io/component-base/version';
  return {
    name: `${what} ${version}`,
    folder: goModules.kubernetes,
    packages: commands.map((command) => `k8s.io/kubernetes/cmd/${command}`),
    // Without the stamp they report v0.0.0.
    stamp: `${variable}.gitVersion=${version} ${variable}.gitMajor=${major} ${variable}.gitMinor=${minor}`,
  };
}
