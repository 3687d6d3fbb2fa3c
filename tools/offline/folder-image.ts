/** Images of one layer, made from a folder: programs with the libraries they are linked to, nothing else. */

import { cp, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { attempt } from '@chaosdemo/testbed';
import type { Engine } from '../cluster/engine.ts';
import { output } from '../run.ts';

/** Of an image for this machine. */
export const hostArchitecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** A program, and where it goes if not to the path that it has. */
export type Program = string | readonly [path: string, target: string];

/** Copies programs from the tree `from` to the tree `to`, with every library that the dynamic linker would load for them. */
export async function copyPrograms(from: string, programs: readonly Program[], to: string): Promise<void> {
  const pairs = programs.map((each) => (typeof each === 'string' ? ([each, each] as const) : each));
  // It fails where a static one is among them, which needs nothing.
  const { stdout } = await attempt('chroot', [from, 'ldd', ...pairs.map(([path]) => path)]);
  const libraries = new Set(Array.from(stdout.matchAll(/(\/\S+) \(0x/g), ([, path = '']) => path));
  for (const [path, target] of [...pairs, ...[...libraries].map((path) => [path, path] as const)]) {
    // It may be reached by links, in a tree that calls itself the root.
    const resolved = (await output('chroot', [from, 'readlink', '-f', path])).trim();
    await mkdir(join(to, dirname(target)), { recursive: true });
    await cp(join(from, resolved), join(to, target));
  }
}

/** Makes an image. `changes` are lines of a Dockerfile: `USER 65532`. */
export async function importFolder(
  { name, env }: Engine,
  folder: string,
  image: string,
  changes: readonly string[],
  architecture = hostArchitecture,
): Promise<void> {
  const archive = `${folder}.tar`;
  await output('tar', ['-C', folder, '--xattrs', '--numeric-owner', '-cf', archive, '.']);
  const options = changes.flatMap((change) => ['--change', change]);
  options.push(...(name === 'podman' ? ['--arch', architecture] : ['--platform', `linux/${architecture}`]));
  await output(name, ['import', ...options, archive, image], { env });
  await rm(archive);
}
