/** Builds programs from the pinned Go modules under tools/. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalError } from '../errors.ts';
import { Supervisor } from '../supervisor.ts';
import type { GoModule } from './go-modules.ts';
import { formatElapsed, type Progress, withHeartbeat } from './progress.ts';
import { type RunResult, run } from './run.ts';
import { compareVersions, goVersionOf, toolsFolder } from './versions.ts';

/**
 * Builds into `folder`, with a line of progress every 5 s. Minutes on the first
 * run; Go's own caches make later ones fast.
 * Throws GO_MISSING, GO_TOO_OLD or BUILD_FAILED.
 */
export async function buildModules(
  folder: string,
  modules: readonly GoModule[],
  env: NodeJS.ProcessEnv,
  progress: Progress,
  signal?: AbortSignal,
): Promise<void> {
  const supervisor = new Supervisor();
  try {
    const go = new GoCommand(await findGo(env), goEnvironment(env), supervisor, signal);
    for (const module of modules) {
      await go.assertVersion(await goVersionOf(module.tool));
      await buildModule(go, module, folder, progress);
    }
  } finally {
    await supervisor.close();
  }
}

/** The folder in which Go keeps the sources of a module; downloads them where they are not there yet. */
export async function moduleSources(
  { tool, path }: { readonly tool: string; readonly path: string },
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const result = await run(await findGo(env), ['mod', 'download', '-json', path], {
    cwd: join(toolsFolder, tool),
    env: goEnvironment(env),
  });
  const { Dir } = JSON.parse(result.stdout || '{}') as { Dir?: string };
  if (result.status !== 0 || !Dir) {
    throw new LocalError('BUILD_FAILED', `go mod download ${path}: ${result.stderr || result.stdout}`);
  }
  return Dir;
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
        module,
        ['list', '-mod=readonly', '-deps', ...module.packages],
        onErrorLine,
      );
      total = listed.stdout.trimEnd().split('\n').length;
      compiled = 0;
      step = `0 of at most ${total} packages compiled`;
      await go.run(
        module,
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
  async assertVersion(wanted: string): Promise<void> {
    const answer = await this.#run(join(toolsFolder, 'kubernetes'), ['env', 'GOVERSION']);
    const found = answer.stdout.trim().split(' ')[0] ?? '';
    if (answer.status !== 0 || compareVersions(found, wanted) < 0) {
      const said = answer.status === 0 ? `is ${found}` : `says: ${answer.stderr.trim()}`;
      throw new LocalError('GO_TOO_OLD', `Building needs Go ${wanted} or later; ${this.#binary} ${said}`);
    }
  }

  async run(module: GoModule, args: string[], onErrorLine: (line: string) => void): Promise<RunResult> {
    const result = await this.#run(join(toolsFolder, module.tool), args, onErrorLine);
    if (result.status !== 0) {
      const tail = result.stderr.trimEnd().split('\n').slice(-15).join('\n');
      throw new LocalError('BUILD_FAILED', `go ${args[0]} of ${module.name} failed:\n${tail}`);
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
