/** Installs packages of Debian, where this process may. */
import { access, chmod, constants, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { messageOf } from '../errors.ts';
import { type Progress, withHeartbeat } from './progress.ts';
import { run } from './run.ts';

/** What installDebianPackages takes. */
export interface InstallOptions {
  /** Default: that of this process; PATH counts. */
  readonly env?: NodeJS.ProcessEnv;
  readonly progress: Progress;
  readonly signal?: AbortSignal;
  /** Default: whether this process is root. */
  readonly root?: boolean;
  /** Where Debian asks whether a package may start its service. */
  readonly policyFile?: string;
}

const aptGetMs = 10 * 60_000;

/** Why packages cannot be installed here; undefined where they can. */
export async function whyNotInstallable(options: InstallOptions): Promise<string | undefined> {
  if (!(await findInPath('apt-get', options.env ?? process.env))) return 'this system has no apt-get';
  const root = options.root ?? process.getuid?.() === 0;
  return root ? undefined : 'only root may install Debian packages';
}

/** `apt-get update` and `install`; no service is started. @throws Error with what apt-get said */
export async function installDebianPackages(
  packages: readonly string[],
  { env = process.env, progress, signal, policyFile }: InstallOptions,
): Promise<void> {
  const aptGet = (await findInPath('apt-get', env)) ?? 'apt-get';
  await withoutServiceStart(policyFile ?? '/usr/sbin/policy-rc.d', async () => {
    for (const args of [['update'], ['install', '--yes', '--no-install-recommends', ...packages]]) {
      const what = `apt-get ${args[0]}`;
      progress(what);
      const result = await withHeartbeat(
        progress,
        () => what,
        () =>
          run(aptGet, args, {
            env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
            timeoutMs: aptGetMs,
            ...(signal ? { signal } : {}),
          }),
      ).catch((error: unknown) => {
        signal?.throwIfAborted();
        throw new Error(`${what} did not end well: ${messageOf(error)}`, { cause: error });
      });
      if (result.status !== 0) throw new Error(`${what} failed: ${result.stderr.trim().slice(-500)}`);
    }
  });
}

/** Debian starts the service of a package it installs unless this file says 101. What was there comes back. */
async function withoutServiceStart<T>(policyFile: string, work: () => Promise<T>): Promise<T> {
  const aside = `${policyFile}.chaosdemo`;
  const existed = await rename(policyFile, aside).then(
    () => true,
    () => false,
  );
  try {
    await writeFile(policyFile, '#!/bin/sh\nexit 101\n');
    await chmod(policyFile, 0o755);
    return await work();
  } finally {
    await rm(policyFile, { force: true });
    if (existed) await rename(aside, policyFile);
  }
}

/** The first executable of that name in PATH. */
export async function findInPath(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of (env['PATH'] ?? '').split(delimiter).filter(Boolean)) {
    const path = join(folder, name);
    const runs = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return path;
  }
  return undefined;
}
