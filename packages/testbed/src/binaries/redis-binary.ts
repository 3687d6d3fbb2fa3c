/** Finds a Redis that can be started, or installs Debian's package if possible. */
import { TestbedError } from '../errors.ts';
import { attempt, findInPath } from '../run.ts';
import { installMissing, type PackageOptions } from './debian-packages.ts';
import { compareVersions } from './versions.ts';

/** A server that has been run once as a check. */
export interface RedisBinary {
  readonly path: string;
  /** `7.0.15`; Valkey's versions continue from Redis 7. */
  readonly version: string;
}

// Read-only key permissions (%R~) came with 7.0.
const oldest = '7.0.0';

/**
 * A Redis from PATH, else Debian's package when root (no service is started). Throws REDIS_MISSING with the attempts.
 */
export async function ensureRedis(options: PackageOptions): Promise<RedisBinary> {
  const present = await locateRedis(options.env);
  if (typeof present !== 'string') return present;

  const packages = ['redis-server'];
  await installMissing(
    { fix: 'REDIS_MISSING', found: present, packages, what: 'the Debian package redis-server' },
    options,
  );
  return await findRedis(options.env);
}

/** A Redis from PATH, without installing one. Throws REDIS_MISSING with what was found instead. */
export async function findRedis(env?: NodeJS.ProcessEnv): Promise<RedisBinary> {
  const found = await locateRedis(env);
  if (typeof found !== 'string') return found;
  throw new TestbedError('REDIS_MISSING', found);
}

/** The server, or why there is none. */
async function locateRedis(env?: NodeJS.ProcessEnv): Promise<RedisBinary | string> {
  const reasons: string[] = [];
  for (const name of ['redis-server', 'valkey-server']) {
    const path = await findInPath(name, env);
    if (!path) continue;
    const { stdout } = await attempt(path, ['--version'], { timeoutMs: 5 * 60_000 });
    const version = / v=(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
    if (version && compareVersions(version, oldest) >= 0) return { path, version };
    reasons.push(version ? `${path} is ${version}, older than ${oldest}` : `${path} does not run`);
  }
  return reasons.join('; ') || 'neither redis-server nor valkey-server is in PATH';
}
