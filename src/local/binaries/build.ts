/** Builds programs from the pinned Go modules under tools/. */
import { access, copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalError } from '../errors.ts';
import { Supervisor } from '../supervisor.ts';
import { formatElapsed, type Progress, withHeartbeat } from './progress.ts';
import { type RunResult, run } from './run.ts';
import { compareVersions, type PinnedVersions, toolsFolder } from './versions.ts';

/** Programs of one pinned Go module. */
export interface GoModule {
  /** What progress calls it. */
  readonly name: string;
  /** Folder of its go.mod. */
  readonly folder: string;
  readonly packages: readonly string[];
  /** Below the target folder: a file, or empty for one file a package, named after it. */
  readonly output: string;
  readonly linkerFlags: string;
}

/**
 * Builds them into `folder` with Go `goVersion` or later, with a line of
 * progress every 5 s. Minutes on the first run; Go's own caches make later ones
 * fast. Throws GO_MISSING, GO_TOO_OLD or BUILD_FAILED.
 */
export async function buildModules(
  folder: string,
  modules: readonly GoModule[],
  goVersion: string,
  env: NodeJS.ProcessEnv,
  progress: Progress,
  signal?: AbortSignal,
): Promise<void> {
  await withGo(env, signal, async (go) => {
    for (const module of modules) {
      await go.assertVersion(module.folder, goVersion);
      await buildModule(go, module, folder, progress);
    }
  });
}

/**
 * Copies the files of a folder in the source of a Go module, which the go.mod in
 * `moduleFolder` pins, into `folder`. Throws as {@link buildModules}.
 */
export async function copySource(
  folder: string,
  moduleFolder: string,
  source: { readonly module: string; readonly path: string },
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<void> {
  const { stdout } = await withGo(
    env,
    signal,
    async (go) => await go.run(source.module, moduleFolder, ['mod', 'download', '-json', source.module]),
  );
  const from = join((JSON.parse(stdout) as { Dir: string }).Dir, source.path);
  for (const name of await readdir(from)) await copyFile(join(from, name), join(folder, name));
}

async function withGo<T>(
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
  work: (go: GoCommand) => Promise<T>,
): Promise<T> {
  const supervisor = new Supervisor();
  try {
    return await work(new GoCommand(await findGo(env), goEnvironment(env), supervisor, signal));
  } finally {
    await supervisor.close();
  }
}

/** etcd, kube-apiserver and kubectl. */
export function controlPlaneModules(versions: PinnedVersions): GoModule[] {
  const [major, minor] = versions.kubernetes.slice(1).split('.');
  const variable = 'k8s.io/component-base/version';
  return [
    {
      name: `etcd ${versions.etcd}`,
      folder: join(toolsFolder, 'etcd'),
      packages: ['go.etcd.io/etcd/server/v3'],
      output: 'etcd',
      linkerFlags: '-s -w',
    },
    {
      name: `kube-apiserver and kubectl ${versions.kubernetes}`,
      folder: join(toolsFolder, 'kubernetes'),
      packages: ['k8s.io/kubernetes/cmd/kube-apiserver', 'k8s.io/kubernetes/cmd/kubectl'],
      output: '',
      // Without the stamp they call themselves v0.0.0.
      linkerFlags: `-s -w -X ${variable}.gitVersion=${versions.kubernetes} -X ${variable}.gitMajor=${major} -X ${variable}.gitMinor=${minor}`,
    },
  ];
}

async function buildModule(
  go: GoCommand,
  module: GoModule,
  folder: string,
  progress: Progress,
): Promise<void> {
  const start = performance.now();
  let downloaded = 0;
  let compiled = 0;
  let step = 'looking at its modules';
  const onErrorLine = (line: string): void => {
    if (line.startsWith('go: downloading ')) {
      downloaded++;
      step = `${downloaded} modules downloaded`;
    } else if (!line.startsWith('#') && !line.includes(' ')) {
      compiled++;
      step = `${compiled} of at most ${total} packages compiled`;
    }
  };
  let total = 0;
  progress(`building ${module.name}: first its modules, then its packages`);
  await withHeartbeat(
    progress,
    () => `building ${module.name}: ${step}`,
    async () => {
      const listed = await go.run(
        module.name,
        module.folder,
        ['list', '-mod=readonly', '-deps', ...module.packages],
        onErrorLine,
      );
      total = listed.stdout.trimEnd().split('\n').length;
      compiled = 0;
      step = `0 of at most ${total} packages compiled`;
      await go.run(
        module.name,
        module.folder,
        [
          'build',
          '-mod=readonly',
          '-v',
          '-trimpath',
          '-ldflags',
          module.linkerFlags,
          '-o',
          `${folder}/${module.output}`,
          ...module.packages,
        ],
        onErrorLine,
      );
    },
  );
  progress(`built ${module.name} in ${formatElapsed(performance.now() - start)}`);
}

class GoCommand {
  readonly #binary: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #supervisor: Supervisor;
  readonly #signal: AbortSignal | undefined;

  constructor(
    binary: string,
    env: NodeJS.ProcessEnv,
    supervisor: Supervisor,
    signal: AbortSignal | undefined,
  ) {
    this.#binary = binary;
    this.#env = env;
    this.#supervisor = supervisor;
    this.#signal = signal;
  }

  /** Asked inside a module, Go answers with the toolchain it would build that module with. */
  async assertVersion(moduleFolder: string, wanted: string): Promise<void> {
    const answer = await this.#run(moduleFolder, ['env', 'GOVERSION']);
    const found = answer.stdout.trim().split(' ')[0] ?? '';
    if (answer.status !== 0 || compareVersions(found, wanted) < 0) {
      const said = answer.status === 0 ? `is ${found}` : `says: ${answer.stderr.trim()}`;
      throw new LocalError('GO_TOO_OLD', `Building needs Go ${wanted} or later; ${this.#binary} ${said}`);
    }
  }

  async run(
    name: string,
    moduleFolder: string,
    args: string[],
    onErrorLine?: (line: string) => void,
  ): Promise<RunResult> {
    const result = await this.#run(moduleFolder, args, onErrorLine);
    if (result.status !== 0) {
      const tail = result.stderr.trimEnd().split('\n').slice(-15).join('\n');
      throw new LocalError('BUILD_FAILED', `go ${args[0]} of ${name} failed:\n${tail}`);
    }
    return result;
  }

  async #run(cwd: string, args: string[], onErrorLine?: (line: string) => void): Promise<RunResult> {
    return await run(this.#binary, args, {
      cwd,
      env: this.#env,
      supervisor: this.#supervisor,
      ...(onErrorLine ? { onErrorLine } : {}),
      ...(this.#signal ? { signal: this.#signal } : {}),
    });
  }
}

function goEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  // No C compiler is needed, and no setting of the user's own projects may leak in.
  return { ...env, CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '', GOOS: '', GOARCH: '' };
}

async function findGo(env: NodeJS.ProcessEnv): Promise<string> {
  // The official archive is unpacked here, often without a word in PATH.
  const candidates = [...(env['PATH'] ?? '').split(':').filter(Boolean), '/usr/local/go/bin'];
  for (const folder of candidates) {
    const binary = join(folder, 'go');
    if (
      await access(binary).then(
        () => true,
        () => false,
      )
    )
      return binary;
  }
  throw new LocalError('GO_MISSING', 'Go is needed for building and is not on this machine');
}
