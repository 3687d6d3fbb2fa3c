/** Installs packages of Debian that a machine lacks. */
import { chmod, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  cacheRoot,
  type Fix,
  findInPath,
  messageOf,
  type StepOptions,
  type TestbedCode,
  TestbedError,
} from '@chaosdemo/testbed';
import { output } from '../run.ts';
import { withLock } from './lock.ts';
import { withHeartbeat } from './progress.ts';

/** A missing program, and its packages. */
export interface Missing {
  /** What was found instead, as the beginning of a sentence. */
  readonly found: string;
  /** Of the error if it cannot be installed. */
  readonly fix: Fix | TestbedCode;
  readonly packages: readonly string[];
  /** What the packages are called in messages: `the Debian package chromium`. */
  readonly what: string;
}

/**
 * Installs the packages, without starting a service; the caller checks that they contain what it needs.
 * @throws TestbedError with the fix, if this machine has no packages of Debian, this process may not install them, or
 * apt-get fails; the reason of `signal` once it is aborted
 */
export async function installMissing(
  { fix, found, packages, what }: Missing,
  options: PackageOptions,
): Promise<void> {
  const obstacle = await whyNotInstallable(options);
  if (obstacle) throw new TestbedError(fix, `${found}, and ${obstacle}`);
  options.progress(`${found}. Next: installing ${what}`);
  await installPackages(packages, options).catch((error: unknown) => {
    options.signal?.throwIfAborted();
    throw new TestbedError(fix, messageOf(error), { cause: error });
  });
}

/** What {@link installPackages} takes besides the packages. */
export interface PackageOptions extends StepOptions {
  /** Default: whether this process is root. */
  readonly root?: boolean;
  /** The file by which Debian decides whether a package may start its service. */
  readonly policyFile?: string;
}

const aptGetMs = 10 * 60_000;
const install = ['install', '--yes', '--no-install-recommends', '-o', 'APT::Keep-Downloaded-Packages=false'];

/** Why packages cannot be installed here; undefined if they can. */
export async function whyNotInstallable({ env, root }: PackageOptions): Promise<string | undefined> {
  if (!(await findInPath('apt-get', env))) return 'this system has no apt-get';
  return (root ?? process.getuid?.() === 0) ? undefined : 'only root may install Debian packages';
}

/** `apt-get update` and `install`; starts no service, keeps no archive. Throws COMMAND_FAILED with apt-get's output. */
export async function installPackages(
  packages: readonly string[],
  { env = process.env, progress, signal, policyFile = '/usr/sbin/policy-rc.d' }: PackageOptions,
): Promise<void> {
  const aptGet = (await findInPath('apt-get', env)) ?? 'apt-get';
  const run = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: aptGetMs, signal };
  const work = async (): Promise<void> => {
    for (const args of [['update'], [...install, ...packages]]) {
      const what = `apt-get ${args[0]}`;
      progress(what);
      await withHeartbeat(
        progress,
        () => what,
        () => output(aptGet, args, run),
      );
    }
  };
  // apt-get does not wait for another one that updates its lists, and the policy is one file for all.
  await withLock(
    join(cacheRoot(env), 'apt-get.lock'),
    () => progress('another run is installing packages: waiting for it'),
    async () => await withoutServiceStart(policyFile, work),
    undefined,
    signal,
  );
}

/** Debian starts the service of a package it installs unless this file exits with 101. An existing file is restored. */
async function withoutServiceStart(policyFile: string, work: () => Promise<void>): Promise<void> {
  const aside = `${policyFile}.chaosdemo`;
  await rename(policyFile, aside).catch(() => {});
  try {
    await writeFile(policyFile, '#!/bin/sh\nexit 101\n');
    await chmod(policyFile, 0o755);
    await work();
  } finally {
    await rm(policyFile, { force: true });
    await rename(aside, policyFile).catch(() => {});
  }
}
