/**
 * The whole embedded run below the operator: a control plane, Redis and rate
 * limiters, registered as they would be in a cluster. Nothing outlives stop(),
 * nor the process that called startEnvironment.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ensureControlPlaneBinaries } from './binaries/control-plane-binaries.ts';
import { ensureRedis, type RedisBinary } from './binaries/redis-binary.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import type { LocalError } from './errors.ts';
import { type Limiter, type LimiterMode, limiterPods, startLimiters } from './limiters.ts';
import { type PodSpec, type RegisteredPod, registerPods, serviceObject } from './pods.ts';
import { type RedisServer, startRedis } from './redis-server.ts';
import { aclLines, makeRedisUsers, type RedisUsers } from './redis-users.ts';
import { Supervisor } from './supervisor.ts';

/** What a line of progress is about. */
export type EnvironmentStep = 'binaries' | 'control-plane' | 'redis' | 'limiters' | 'registration' | 'stop';

/** What startEnvironment takes. */
export interface EnvironmentOptions {
  readonly mode: LimiterMode;
  readonly onProgress: (step: EnvironmentStep, message: string) => void;
  /** Where the API server writes its audit log; default: none. */
  readonly auditLog?: string;
  /** Gives up starting, and stops what was started, when aborted. */
  readonly signal?: AbortSignal;
}

/** A running environment. */
export interface Environment {
  /** Starts further processes, and makes folders, that end with the environment: the operator's, for instance. */
  readonly supervisor: Supervisor;
  readonly controlPlane: ControlPlane;
  /** Holds the limiters, Redis and their Secret; labelled to take part in chaos demos. */
  readonly namespace: string;
  readonly redis: RedisServer;
  readonly redisUsers: RedisUsers;
  readonly limiters: readonly Limiter[];
  /** In the order of `limiters`, then that of Redis. */
  readonly pods: readonly RegisteredPod[];
  /** Resolves with the reason when a part ends that should run; never otherwise. Its pod is NotReady by then. */
  readonly broken: Promise<LocalError>;
  /** Stops everything in order, 10 s at most, and removes every folder. Idempotent. */
  stop(): Promise<void>;
}

const namespace = 'ratelimiter';
const limiterCount = 3;
const crdFolder = fileURLToPath(new URL('../../crds', import.meta.url));

/**
 * Brings up everything, independent parts at the same time. When a part fails,
 * what was started is stopped before the error is thrown.
 */
export async function startEnvironment(options: EnvironmentOptions): Promise<Environment> {
  const supervisor = new Supervisor();
  const failed = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal;
  let redis: RedisServer | undefined;
  try {
    const controlPlane = bringControlPlane(options, supervisor, signal);
    const limiting = bringRedis(options, supervisor, signal).then(async (started) => {
      redis = started.server;
      return { ...started, limiters: await bringLimiters(options, supervisor, started, signal) };
    });
    const parts = [controlPlane, limiting] as const;
    // The first failure makes the others give up; they must have ended before the clean-up.
    for (const part of parts) part.catch((error: unknown) => failed.abort(error));
    await Promise.allSettled(parts);
    return await register(options, supervisor, await controlPlane, await limiting);
  } catch (error) {
    await redis?.stop();
    await supervisor.close();
    // Parts that gave up, because they were called off or another failed, say only "aborted".
    options.signal?.throwIfAborted();
    throw failed.signal.aborted ? failed.signal.reason : error;
  }
}

interface StartedRedis {
  readonly binary: RedisBinary;
  readonly server: RedisServer;
  readonly users: RedisUsers;
}

async function bringControlPlane(
  { onProgress, auditLog }: EnvironmentOptions,
  supervisor: Supervisor,
  signal: AbortSignal,
): Promise<ControlPlane> {
  const binaries = await ensureControlPlaneBinaries({
    progress: (message) => onProgress('binaries', message),
    signal,
  });
  onProgress(
    'control-plane',
    `starting etcd and kube-apiserver ${binaries.kubernetesVersion} from ${binaries.folder}`,
  );
  const controlPlane = await startControlPlane({
    binaries,
    supervisor,
    signal,
    ...(auditLog ? { auditLog } : {}),
  });
  if (existsSync(crdFolder)) await controlPlane.kubectl.applyCustomResourceDefinitions(crdFolder, { signal });
  onProgress('control-plane', `kube-apiserver answers at ${controlPlane.url}`);
  return controlPlane;
}

async function bringRedis(
  { onProgress }: EnvironmentOptions,
  supervisor: Supervisor,
  signal: AbortSignal,
): Promise<StartedRedis> {
  const binary = await ensureRedis({ progress: (message) => onProgress('binaries', message), signal });
  onProgress('redis', `starting ${binary.path} ${binary.version}`);
  const users = makeRedisUsers();
  signal.throwIfAborted();
  const server = await startRedis({ supervisor, aclUsers: aclLines(users) });
  onProgress('redis', `Redis answers at ${server.host}:${server.port}`);
  return { binary, server, users };
}

async function bringLimiters(
  { onProgress, mode }: EnvironmentOptions,
  supervisor: Supervisor,
  { server, users }: StartedRedis,
  signal: AbortSignal,
): Promise<Limiter[]> {
  onProgress('limiters', `starting ${limiterCount} rate limiters, mode ${mode}`);
  const limiters = await startLimiters({
    supervisor,
    mode,
    count: limiterCount,
    redis: { host: server.host, port: server.port, user: users.limiter },
    folder: supervisor.temporaryFolder('limiters'),
    signal,
  });
  onProgress('limiters', `rate limiters answer at ${limiters.map(({ url }) => url).join(', ')}`);
  return limiters;
}

async function register(
  { onProgress }: EnvironmentOptions,
  supervisor: Supervisor,
  controlPlane: ControlPlane,
  { binary, server, users, limiters }: StartedRedis & { readonly limiters: readonly Limiter[] },
): Promise<Environment> {
  const { kubectl } = controlPlane;
  await kubectl.createNamespace(namespace, { 'chaosdemo.dev/enabled': 'true' });
  const redisLabels = { 'app.kubernetes.io/name': 'redis' };
  const [pods] = await Promise.all([
    registerPods(kubectl, [
      ...(await limiterPods(namespace, limiters)),
      await redisPod(binary, server, redisLabels),
    ]),
    kubectl.apply([
      serviceObject({ namespace, name: 'redis', selector: redisLabels, port: 6379, targetPort: 'redis' }),
      {
        apiVersion: 'v1',
        kind: 'Secret',
        type: 'chaosdemo.dev/redis-auth',
        metadata: { namespace, name: 'redis-auth' },
        stringData: users.operator,
      },
    ]),
  ]);
  onProgress('registration', `${pods.length} pods of namespace ${namespace} are Ready`);

  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    onProgress('stop', 'stopping rate limiters, Redis and the control plane');
    // The limiters deliver their last counts while Redis is still there.
    await Promise.all(limiters.map((limiter) => limiter.process.stop(3_000)));
    await server.stop();
    await controlPlane.stop();
    await supervisor.close();
  };
  const broken = new Promise<LocalError>((resolve) => {
    void server.broken.then(resolve);
    const processes = [...limiters.map(({ process }) => process), controlPlane.etcd, controlPlane.apiServer];
    for (const [index, process] of processes.entries()) {
      void process.exited.then(async () => {
        if (stopped) return;
        if (index < limiters.length) await pods[index]?.setReady(false).catch(() => {});
        resolve(process.exitError());
      });
    }
  });
  return {
    supervisor,
    controlPlane,
    namespace,
    redis: server,
    redisUsers: users,
    limiters,
    pods,
    broken,
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}

async function redisPod(
  { path, version }: RedisBinary,
  server: RedisServer,
  labels: Readonly<Record<string, string>>,
): Promise<PodSpec> {
  const digest = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  return {
    namespace,
    name: 'redis-0',
    labels,
    container: 'redis',
    image: `local/redis:${version}`,
    imageId: `local/redis@sha256:${digest}`,
    port: { name: 'redis', number: server.port },
    ip: server.host,
    pid: server.pid,
  };
}
