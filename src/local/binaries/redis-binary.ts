/** Finds redis-server or valkey-server, or installs Debian's package where that is possible. */
import { access, chmod, constants, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { LocalError, messageOf } from '../errors.ts';
import { type Progress, withHeartbeat } from './progress.ts';
import { run } from './run.ts';
import { compareVersions } from './versions.ts';

/** A server that was seen running. */
export interface RedisBinary {
  readonly path: string;
  /** `7.0.15`; Valkey counts on from Redis 7. */
  readonly version: string;
}

/** What ensureRedis takes. */
export interface EnsureRedisOptions {
  /** Default: that of this process; PATH counts. */
  readonly env?: NodeJS.ProcessEnv;
  readonly progress: Progress;
  readonly signal?: AbortSignal;
  /** Default: whether this process is root. */
  readonly root?: boolean;
  /** Where Debian asks whether a package may start its service. */
  readonly policyFile?: string;
}

// Read-only key permissions (%R~) came with 7.0.
const oldest = '7.0.0';

/**
 * A Redis from PATH, else Debian's package when root (no service is started).
 * Throws REDIS_MISSING with what was tried.
 */
export async function ensureRedis(options: EnsureRedisOptions): Promise<RedisBinary> {
  const env = options.env ?? process.env;
  const { progress } = options;
  const present = await findRedis(env);
  if (typeof present !== 'string') return present;

  const isRoot = options.root ?? process.getuid?.() === 0;
  const aptGet = await findInPath('apt-get', env);
  if (!isRoot || !aptGet) {
    const why = aptGet ? 'only root may install the Debian package' : 'this system has no apt-get';
    throw new LocalError('REDIS_MISSING', `${present}, and ${why}`);
  }
  progress(`${present}. Next: installing the Debian package redis-server`);
  await installDebianPackage(aptGet, env, options);
  const installed = await findRedis(env);
  if (typeof installed !== 'string') return installed;
  throw new LocalError('REDIS_MISSING', `After installing the Debian package still: ${installed}`);
}

/** The server, or why there is none. */
async function findRedis(env: NodeJS.ProcessEnv): Promise<RedisBinary | string> {
  const reasons: string[] = [];
  for (const name of ['redis-server', 'valkey-server']) {
    const path = await findInPath(name, env);
    if (!path) continue;
    const said = await run(path, ['--version'], { timeoutMs: 5 * 60_000 }).catch(messageOf);
    const version = typeof said === 'string' ? undefined : / v=(\d+\.\d+\.\d+)/.exec(said.stdout)?.[1];
    if (version && compareVersions(version, oldest) >= 0) return { path, version };
    reasons.push(version ? `${path} is ${version}, older than ${oldest}` : `${path} does not run`);
  }
  return reasons.join('; ') || 'neither redis-server nor valkey-server is in PATH';
}

async function installDebianPackage(
  aptGet: string,
  env: NodeJS.ProcessEnv,
  { progress, signal, policyFile }: EnsureRedisOptions,
): Promise<void> {
  await withoutServiceStart(policyFile ?? '/usr/sbin/policy-rc.d', async () => {
    for (const args of [['update'], ['install', '--yes', '--no-install-recommends', 'redis-server']]) {
      const what = `apt-get ${args[0]}`;
      progress(what);
      const result = await withHeartbeat(
        progress,
        () => what,
        () =>
          run(aptGet, args, {
            env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
            timeoutMs: 10 * 60_000,
            ...(signal ? { signal } : {}),
          }),
      ).catch((error: unknown) => {
        signal?.throwIfAborted();
        throw new LocalError('REDIS_MISSING', `${what} did not end well: ${messageOf(error)}`, {
          cause: error,
        });
      });
      if (result.status !== 0) {
        throw new LocalError('REDIS_MISSING', `${what} failed: ${result.stderr.trim().slice(-500)}`);
      }
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

async function findInPath(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
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
