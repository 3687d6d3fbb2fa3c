/** Finds a Redis that can be started. */
import { TestbedError } from '../errors.ts';
import { attempt, findInPath } from '../run.ts';
import { compareVersions } from './versions.ts';

/** A server that has been run once as a check. */
export interface RedisBinary {
  readonly path: string;
  /** `7.0.15`; Valkey's versions continue from Redis 7. */
  readonly version: string;
}

// Read-only key permissions (%R~) came with 7.0.
const oldest = '7.0.0';

/** A Redis from PATH. Throws REDIS_MISSING with what was found instead. */
export async function findRedis(env?: NodeJS.ProcessEnv): Promise<RedisBinary> {
  const reasons: string[] = [];
  for (const name of ['redis-server', 'valkey-server']) {
    const path = await findInPath(name, env);
    if (!path) continue;
    const { stdout } = await attempt(path, ['--version'], { timeoutMs: 5 * 60_000 });
    const version = / v=(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
    if (version && compareVersions(version, oldest) >= 0) return { path, version };
    reasons.push(version ? `${path} is ${version}, older than ${oldest}` : `${path} does not run`);
  }
  const found = reasons.join('; ') || 'neither redis-server nor valkey-server is in PATH';
  throw new TestbedError('REDIS_MISSING', found);
}
