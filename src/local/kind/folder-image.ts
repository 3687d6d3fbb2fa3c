/** Folders that become images: programs with the libraries they are linked to, nothing else. */
import { cp, mkdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '../binaries/run.ts';
import { output } from './command.ts';

/** A program, and where it goes if not to the path that it has. */
export type Program = string | readonly [path: string, target: string];

/**
 * Copies programs from the tree `from` to the tree `to`, with every library that the dynamic
 * linker would load for them.
 */
export async function copyPrograms(from: string, programs: readonly Program[], to: string): Promise<void> {
  const pairs = programs.map((program) =>
    typeof program === 'string' ? ([program, program] as const) : program,
  );
  // Status 1: a static one among them, which needs nothing.
  const linked = await run('chroot', [from, 'ldd', ...pairs.map(([path]) => path)]);
  const libraries = new Set(Array.from(linked.stdout.matchAll(/(\/\S+) \(0x/g), ([, path]) => path ?? ''));
  for (const [path, target] of pairs) await copyFile(from, path, to, target);
  for (const library of libraries) await copyFile(from, library, to, library);
}

/** Copies a file that may be reached by links, in a tree that calls itself the root. */
async function copyFile(from: string, path: string, to: string, target: string): Promise<void> {
  const resolved = (await output('chroot', [from, 'readlink', '-f', path])).trim();
  await mkdir(join(to, dirname(target)), { recursive: true });
  await cp(join(from, resolved), join(to, target));
}

/** Copies a folder with all that is in it. Links inside it stay links. */
export async function copyFolder(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await output('cp', ['-a', await realpath(from), to]);
}
