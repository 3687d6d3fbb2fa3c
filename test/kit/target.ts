/** The target of a demo: a namespace with a Redis and three rate limiters that use it. */
import {
  type Kubectl,
  type RedisServer,
  type RegisteredPod,
  type Supervisor,
  startRedis,
} from '@chaosdemo/testbed';
import { Redis } from 'ioredis';
import { type Limiter, type LimiterMode, startLimiters } from '../../src/local/limiters.ts';
import { aclLines, makeRedisUsers, type RedisUser, type RedisUsers } from '../../src/local/redis-users.ts';
import { bundledTarget, registerAt } from '../../src/local/target.ts';
import { asLimiter, hostLimiters, LIMITER_HOSTS, threeNodes } from './hosted-limiters.ts';

/** A namespace with everything in it that a demo needs. */
export interface Target {
  readonly namespace: string;
  readonly redis: RedisServer;
  /** Who may log in at its Redis, unless that was given; then of no use. */
  readonly redisUsers: RedisUsers;
  readonly limiters: readonly Limiter[];
  /** In the order of `limiters`, then that of Redis. */
  readonly pods: readonly RegisteredPod[];
}

/** A Redis that was started otherwise than usual, and who logs in there. */
export interface OwnRedis {
  readonly redis: RedisServer;
  /** As whom the limiters log in. */
  readonly limiterUser: RedisUser;
  /** PEM file of the authority, where Redis speaks TLS. */
  readonly caFile?: string;
  /** The data of the Secret `redis-auth`, for the operator. */
  readonly secret: Readonly<Record<string, string>>;
}

export interface TargetOptions {
  readonly kubectl: Kubectl;
  /** Ends the limiters and their folders; Redis is stopped by `stopTarget`. */
  readonly supervisor: Supervisor;
  /** Is there already, and enabled. */
  readonly namespace: string;
  readonly mode: LimiterMode;
  /** Whether the three limiters share a process; those of a test that kills one of them must not. Default: false. */
  readonly hosted?: boolean;
  /** Default: one with the users that ship. */
  readonly own?: OwnRedis;
}

/** Starts it and registers its pods, Service and Secret. Nothing runs when it throws, once the supervisor is closed. */
export async function startTarget(options: TargetOptions): Promise<Target> {
  const { kubectl, namespace, supervisor } = options;
  const redisUsers = makeRedisUsers();
  const own = options.own ?? (await shippedRedis(supervisor, redisUsers));
  const { redis } = own;
  try {
    const limiters = await (options.hosted ? bringHosted : bringProcesses)(options, own);
    const pods = await registerAt(kubectl, bundledTarget({ namespace, limiters, redis, secret: own.secret }));
    return { namespace, redis, redisUsers, limiters, pods };
  } catch (error) {
    await redis.stop();
    throw error;
  }
}

/** Ends its processes, the limiters first: they deliver their last counts while Redis is still there. */
export async function stopTarget({ limiters, redis }: Target): Promise<void> {
  await Promise.all(limiters.map(({ process }) => process.stop(3_000)));
  await redis.stop();
}

/** A connection to its Redis as one of its users; the caller disconnects it. */
export async function redisAs(
  { redis: { host, port }, redisUsers }: Pick<Target, 'redis' | 'redisUsers'>,
  role: keyof RedisUsers,
): Promise<Redis> {
  const redis = new Redis({ host, port, ...redisUsers[role], lazyConnect: true });
  // A test may restart the server; its pending commands then fail with their own errors.
  redis.on('error', () => undefined);
  await redis.connect();
  return redis;
}

/** A process for each. */
async function bringProcesses({ supervisor, mode }: TargetOptions, own: OwnRedis): Promise<Limiter[]> {
  const { redis, limiterUser: user, caFile } = own;
  return await startLimiters({
    supervisor,
    mode,
    count: LIMITER_HOSTS.length,
    redis: { host: redis.host, port: redis.port, user, ...(caFile ? { caFile } : {}) },
    folder: supervisor.temporaryFolder('limiters'),
  });
}

/** All in one process. */
async function bringHosted({ supervisor, mode }: TargetOptions, own: OwnRedis): Promise<Limiter[]> {
  const nodes = await threeNodes('ratelimiter', { mode, redisPort: own.redis.port });
  const process = await hostLimiters(supervisor, nodes, own.limiterUser);
  return nodes.map((node) => asLimiter(node, process));
}

async function shippedRedis(supervisor: Supervisor, users: RedisUsers): Promise<OwnRedis> {
  const redis = await startRedis({ supervisor, aclUsers: aclLines(users) });
  return { redis, limiterUser: users.limiter, secret: { ...users.operator } };
}
