/** The container engine: Docker or podman, whichever answers. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheRoot } from '../binaries/cache.ts';
import { installDebianPackages, whyNotInstallable } from '../binaries/debian-packages.ts';
import type { Progress } from '../binaries/progress.ts';
import { LocalError } from '../errors.ts';
import { attempt, output, show } from './command.ts';
import { effectiveCapabilities } from './requirements.ts';

/** An engine that answered, and the environment to run it and kind in. */
export interface Engine {
  readonly name: 'docker' | 'podman';
  readonly env: NodeJS.ProcessEnv;
}

/** How long steps are told, and stopped. */
export interface StepOptions {
  readonly progress: Progress;
  readonly signal?: AbortSignal;
}

/** What podman gives containers by default. */
const PODMAN_OPEN_FILES = 1_048_576;
const CAP_SYS_RESOURCE = 24n;

/**
 * Docker, or podman where Docker does not answer or KIND_EXPERIMENTAL_PROVIDER asks for podman.
 * Where there is neither, podman is installed if that is possible.
 * @throws LocalError ENGINE_MISSING with what each of the two answered
 */
export async function findEngine(options: StepOptions): Promise<Engine> {
  const answers: string[] = [];
  const found = (await firstThatAnswers(answers)) ?? (await installPodman(answers, options));
  if (!found) throw new LocalError('ENGINE_MISSING', `No container engine:\n${answers.join('\n')}`);
  const env = { ...process.env };
  if (found === 'podman') {
    env['KIND_EXPERIMENTAL_PROVIDER'] = 'podman';
    env['CONTAINERS_CONF'] ??= await podmanWithinLimits();
  }
  return { name: found, env };
}

async function firstThatAnswers(answers: string[]): Promise<Engine['name'] | undefined> {
  const podmanFirst = process.env['KIND_EXPERIMENTAL_PROVIDER'] === 'podman';
  for (const name of podmanFirst ? (['podman', 'docker'] as const) : (['docker', 'podman'] as const)) {
    const { ok, said } = await attempt(name, ['info']);
    if (ok) return name;
    answers.push(`  ${name}: ${said}`);
  }
  return undefined;
}

async function installPodman(answers: string[], options: StepOptions): Promise<'podman' | undefined> {
  const obstacle = await whyNotInstallable(options);
  if (obstacle) {
    answers.push(`  installing podman: ${obstacle}`);
    return undefined;
  }
  options.progress('no container engine answers. Next: installing the Debian packages podman and runc');
  await installDebianPackages(['podman', 'runc'], options);
  const { ok, said } = await attempt('podman', ['info']);
  if (!ok) answers.push(`  podman, just installed: ${said}`);
  return ok ? 'podman' : undefined;
}

/**
 * A containers.conf for machines on which podman may not raise limits: it would ask for more
 * open files than the hard limit, and no container would start. Undefined where all is well.
 */
async function podmanWithinLimits(): Promise<string | undefined> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const hard = Number(/^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  const mayRaise = ((effectiveCapabilities() >> CAP_SYS_RESOURCE) & 1n) === 1n;
  if (mayRaise || hard >= PODMAN_OPEN_FILES) return undefined;
  const folder = join(cacheRoot(process.env), 'kind');
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'containers.conf');
  await writeFile(file, `[containers]\ndefault_ulimits = ["nofile=${hard}:${hard}", "nproc=30000:30000"]\n`);
  return file;
}

/** Whether the engine has this image. */
export async function hasImage({ name, env }: Engine, image: string): Promise<boolean> {
  return (await attempt(name, ['image', 'inspect', image], { env })).ok;
}

/** Has the engine fetch an image unless it is there; undefined, or why it cannot be had. */
export async function fetchImage(
  engine: Engine,
  image: string,
  { progress, signal }: StepOptions,
): Promise<string | undefined> {
  if (await hasImage(engine, image)) return undefined;
  progress(`pulling ${image}`);
  const stop = signal ? { signal } : {};
  const { ok, said } = await attempt(engine.name, ['pull', image], { env: engine.env, ...stop });
  return ok ? undefined : said;
}

/** Makes an image of one layer from a folder. `changes` are lines of a Dockerfile: `USER 65532`. */
export async function importFolder(
  { name, env }: Engine,
  folder: string,
  image: string,
  changes: readonly string[] = [],
): Promise<void> {
  const archive = `${folder}.tar`;
  await output('tar', ['-C', folder, '--xattrs', '--numeric-owner', '-cf', archive, '.']);
  const options = changes.flatMap((change) => ['--change', change]);
  await output(name, ['import', ...options, archive, image], { env });
  await output('rm', ['-f', archive]);
}

/** Writes images into one archive. */
export async function saveImages(
  { name, env }: Engine,
  images: readonly string[],
  archive: string,
): Promise<void> {
  const several = name === 'podman' ? ['--multi-image-archive'] : [];
  await output(name, ['save', ...several, '-o', archive, ...images], { env });
}

/**
 * Builds the Dockerfile in the root of this repository, shown on the terminal. The image that had the name
 * before is removed, unless a container uses it.
 */
export async function buildImage(
  { name, env: inherited }: Engine,
  image: string,
  buildArgs: Readonly<Record<string, string>>,
  { signal }: StepOptions,
): Promise<void> {
  const options = Object.entries(buildArgs).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]);
  // podman 4 takes a label with the argument of an earlier build from its cache.
  const cache = name === 'podman' ? ['--layers=false'] : [];
  // Docker's older builder does not know the platform that it builds on.
  const env = { ...inherited, DOCKER_BUILDKIT: '1' };
  const id = async (): Promise<string> =>
    (await attempt(name, ['image', 'inspect', '--format', '{{.Id}}', image], { env })).stdout.trim();
  const before = await id();
  await show(name, ['build', ...cache, '--tag', image, ...options, '.'], {
    env,
    ...(signal ? { signal } : {}),
  });
  if (before !== '' && before !== (await id())) await attempt(name, ['image', 'rm', before], { env });
}
