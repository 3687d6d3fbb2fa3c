/** The container engine: Docker or podman, whichever answers. */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { attempt, cacheRoot, type StepOptions } from '@chaosdemo/testbed';
import { installPackages, whyNotInstallable } from '../binaries/debian-packages.ts';
import { ToolError } from '../errors.ts';
import { output } from '../run.ts';
import { effectiveCapabilities } from './requirements.ts';

/** An engine that answered, and the environment to run it and kind in. */
export interface Engine {
  readonly name: 'docker' | 'podman';
  readonly env: NodeJS.ProcessEnv;
}

/** What podman gives containers by default. */
const PODMAN_OPEN_FILES = 1_048_576;
const CAP_SYS_RESOURCE = 24n;

/**
 * Docker, or podman where Docker does not answer or KIND_EXPERIMENTAL_PROVIDER names podman.
 * Where there is neither, podman is installed if that is possible.
 * @throws ToolError ENGINE_MISSING with what each of the two answered
 */
export async function findEngine(options: StepOptions): Promise<Engine> {
  const answers: string[] = [];
  const podmanFirst = process.env['KIND_EXPERIMENTAL_PROVIDER'] === 'podman';
  const names = podmanFirst ? (['podman', 'docker'] as const) : (['docker', 'podman'] as const);
  for (const name of names) if (await answersInfo(name, name, answers)) return await engineOf(name);

  const obstacle = await whyNotInstallable(options);
  if (obstacle) answers.push(`  installing podman: ${obstacle}`);
  else {
    options.progress('no container engine answers. Next: installing the Debian packages podman and runc');
    await installPackages(['podman', 'runc'], options);
    if (await answersInfo('podman', 'podman, just installed', answers)) return await engineOf('podman');
  }
  throw new ToolError('ENGINE_MISSING', `No container engine:\n${answers.join('\n')}`);
}

async function answersInfo(name: Engine['name'], what: string, answers: string[]): Promise<boolean> {
  const { ok, errorText } = await attempt(name, ['info']);
  if (!ok) answers.push(`  ${what}: ${errorText.split('\n').at(-1)}`);
  return ok;
}

async function engineOf(name: Engine['name']): Promise<Engine> {
  const env = { ...process.env };
  if (name === 'podman') {
    env['KIND_EXPERIMENTAL_PROVIDER'] = 'podman';
    const limits = await podmanWithinLimits();
    if (limits) env['CONTAINERS_CONF'] ??= limits;
  }
  return { name, env };
}

/**
 * A containers.conf for machines on which podman may not raise limits: it would request more
 * open files than the hard limit, and no container would start. Undefined where all is well.
 */
async function podmanWithinLimits(): Promise<string | undefined> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const hard = Number(/^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  const mayRaise = ((effectiveCapabilities() >> CAP_SYS_RESOURCE) & 1n) === 1n;
  if (mayRaise || hard >= PODMAN_OPEN_FILES) return undefined;
  const folder = join(cacheRoot(), 'kind');
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'containers.conf');
  await writeFile(file, `[containers]\ndefault_ulimits = ["nofile=${hard}:${hard}", "nproc=30000:30000"]\n`);
  return file;
}

/** Whether the engine has this image. */
export async function hasImage({ name, env }: Engine, image: string): Promise<boolean> {
  return (await attempt(name, ['image', 'inspect', image], { env })).ok;
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
 * Builds the Dockerfile of a folder, shown on the terminal. The image that had the name before is removed,
 * unless a container uses it.
 */
export async function buildImage(
  { name, env: inherited }: Engine,
  image: string,
  buildArgs: Readonly<Record<string, string>>,
  { folder, signal }: StepOptions & { readonly folder: string },
): Promise<void> {
  const options = Object.entries(buildArgs).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]);
  // podman 4 takes a label with the argument of an earlier build from its cache.
  const cache = name === 'podman' ? ['--layers=false'] : [];
  // Docker's older builder does not know the platform that it builds on.
  const env = { ...inherited, DOCKER_BUILDKIT: '1' };
  const id = async (): Promise<string> =>
    (await attempt(name, ['image', 'inspect', '--format', '{{.Id}}', image], { env })).stdout.trim();
  const before = await id();
  await output(name, ['build', ...cache, '--tag', image, ...options, folder], {
    env,
    signal,
    shown: true,
  });
  if (before !== '' && before !== (await id())) await attempt(name, ['image', 'rm', before], { env });
}
