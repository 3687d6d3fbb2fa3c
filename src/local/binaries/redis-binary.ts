/** Finds redis-server or valkey-server, or installs Debian's package where that is possible. */
import { LocalError, messageOf } from '../errors.ts';
import {
  findInPath,
  type InstallOptions,
  installDebianPackages,
  whyNotInstallable,
} from './debian-packages.ts';
import { run } from './run.ts';
import { compareVersions } from './versions.ts';

/** A server that was seen running. */
export interface RedisBinary {
  readonly path: string;
  /** `7.0.15`; Valkey counts on from Redis 7. */
  readonly version: string;
}

// Read-only key permissions (%R~) came with 7.0.
const oldest = '7.0.0';

/**
 * A Redis from PATH, else Debian's package when root (no service is started).
 * Throws REDIS_MISSING with what was tried.
 */
export async function ensureRedis(options: InstallOptions): Promise<RedisBinary> {
  const env = options.env ?? process.env;
  const present = await lookForRedis(env);
  if (typeof present !== 'string') return present;

  const obstacle = await whyNotInstallable(options);
  if (obstacle) throw new LocalError('REDIS_MISSING', `${present}, and ${obstacle}`);
  options.progress(`${present}. Next: installing the Debian package redis-server`);
  await installDebianPackages(['redis-server'], options).catch((error: unknown) => {
    options.signal?.throwIfAborted();
    throw new LocalError('REDIS_MISSING', messageOf(error), { cause: error });
  });
  const installed = await lookForRedis(env);
  if (typeof installed !== 'string') return installed;
  throw new LocalError('REDIS_MISSING', `After installing the Debian package still: ${installed}`);
}

/**
 * A Redis from PATH, and nothing is installed.
 * Throws REDIS_MISSING with what was found instead.
 */
export async function findRedis(env: NodeJS.ProcessEnv = process.env): Promise<RedisBinary> {
  const found = await lookForRedis(env);
  if (typeof found !== 'string') return found;
  throw new LocalError('REDIS_MISSING', found);
}

/** The server, or why there is none. */
async function lookForRedis(env: NodeJS.ProcessEnv): Promise<RedisBinary | string> {
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
