/**
 * The complete embedded run below the operator: a control plane, Redis and rate limiters, registered as they would be
 * in a cluster. Nothing outlives stop(), nor the process that called startStage.
 */
import { join } from 'node:path';
import {
  findControlPlaneBinaries,
  findRedis,
  type OwnedProcess,
  type RedisServer,
  type RedisServerOptions,
  type RegisteredPod,
  Supervisor,
  startControlPlane,
  startRedis,
  TestbedError,
} from '@chaosdemo/testbed';
import { type Limiter, type LimiterMode, startLimiters } from './limiters.ts';
import { aclLines, makeRedisUsers } from './redis-users.ts';
import { root } from './root.ts';
import { bundledTarget, registerAt, type Target } from './target.ts';

/** The subject of a line of progress. */
export type EnvironmentStep = 'binaries' | 'control-plane' | 'redis' | 'limiters' | 'registration' | 'stop';

/** Options of every environment. */
export interface StageOptions {
  readonly onProgress: (step: EnvironmentStep, message: string) => void;
  /** Further flags of the API server. */
  readonly apiServerFlags?: readonly string[];
  /** Aborts the start, and stops started parts. */
  readonly signal?: AbortSignal;
}

/** A pod that represents a process. */
export type StagePod = Pick<RegisteredPod, 'setReady'>;

/** An API server, real or in memory. */
export interface StageApi {
  /** Processes without which there is no run. */
  readonly vital: readonly OwnedProcess[];
  /** Creates {@link NAMESPACE} and, in it, what represents limiters and Redis, in the sequence of the target. */
  register(target: Target): Promise<readonly StagePod[]>;
  stop(): Promise<void>;
}

/** An API server, and rate limiters over a Redis that are registered there. */
export interface Stage<A extends StageApi = StageApi> {
  /** Starts further processes, and creates folders, that end with the environment: the operator's, for example. */
  readonly supervisor: Supervisor;
  readonly api: A;
  /** Namespace of the limiters and Redis; labelled to take part in chaos demos. */
  readonly namespace: string;
  /** Those that the stage started and ends. */
  readonly limiters: readonly Limiter[];
  /** In the sequence of `limiters`, then that of Redis. */
  readonly pods: Awaited<ReturnType<A['register']>>;
  /** Resolves with the reason if a part ends unexpectedly; never otherwise. Its pod is NotReady by then. */
  readonly broken: Promise<TestbedError>;
  /** Stops everything in sequence, in at most 10 s, and removes every folder. Idempotent. */
  stop(): Promise<void>;
}

/** Running rate limiters over a Redis, not registered yet. What was running before is in neither of the first two. */
export interface StartedLimiters {
  readonly server?: RedisServer;
  readonly limiters: readonly Limiter[];
  /** What represents them in {@link NAMESPACE}. */
  readonly target: Target;
}

/** Inputs for starting rate limiters. */
export interface StageStart extends StageOptions {
  readonly supervisor: Supervisor;
  readonly signal: AbortSignal;
}

/** Starts rate limiters and their Redis. */
export type Launch = (start: StageStart) => Promise<StartedLimiters>;

/** Where limiters and Redis are registered. */
export const NAMESPACE = 'ratelimiter';
/** Labels of a namespace that takes part. */
export const ENABLED = { 'chaosdemo.dev/enabled': 'true' };
/** How many rate limiters a stage has. */
export const limiterCount = 3;

/**
 * Starts an API server and, concurrently, the limiters. If a part fails, the started parts are stopped before the error
 * is thrown.
 * @param supervisor the owner of everything; closed by stop() and after an error
 */
export async function startStage<A extends StageApi>(
  options: StageOptions,
  serve: (start: StageStart) => Promise<A>,
  launch: Launch,
  supervisor = new Supervisor(),
): Promise<Stage<A>> {
  const failed = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal;
  const start = { ...options, supervisor, signal };
  try {
    const parts = [serve(start), launch(start)] as const;
    // The first failure cancels the others; they must have ended before the clean-up.
    for (const part of parts) part.catch((error: unknown) => failed.abort(error));
    await Promise.allSettled(parts);
    return await register(start, await parts[0], await parts[1]);
  } catch (error) {
    await supervisor.close();
    // Parts that were cancelled, by the caller or because another failed, only report "aborted".
    options.signal?.throwIfAborted();
    throw failed.signal.aborted ? failed.signal.reason : error;
  }
}

/** Finds Redis, and starts one. */
export async function launchRedis(
  { onProgress, supervisor, signal }: StageStart,
  options: Pick<RedisServerOptions, 'aclUsers'> = {},
): Promise<RedisServer> {
  const { path, version } = await findRedis();
  onProgress('redis', `starting ${path} ${version}`);
  signal.throwIfAborted();
  const server = await startRedis({ supervisor, ...options });
  onProgress('redis', `Redis replies at ${server.host}:${server.port}`);
  return server;
}

/** Starts a real control plane with the CRD, by the programs that this machine has. */
export async function serveCluster({ onProgress, apiServerFlags = [], supervisor, signal }: StageStart) {
  const progress = (message: string): void => onProgress('binaries', message);
  const binaries = await findControlPlaneBinaries({ progress, signal });
  if (!binaries) throw new TestbedError('BINARIES_MISSING', 'This machine has no kube-apiserver');
  const { kubernetesVersion, folder } = binaries;
  onProgress('control-plane', `starting etcd and kube-apiserver ${kubernetesVersion} from ${folder}`);
  const controlPlane = await startControlPlane({ binaries, supervisor, signal, apiServerFlags });
  await controlPlane.kubectl.applyCustomResourceDefinitions(join(root, 'crds'), { signal });
  onProgress('control-plane', `kube-apiserver responds at ${controlPlane.url}`);
  const { apiServer, etcd, kubectl } = controlPlane;
  return {
    controlPlane,
    vital: [etcd, apiServer],
    async register(target: Target) {
      await kubectl.createNamespace(NAMESPACE, ENABLED);
      return await registerAt(kubectl, target);
    },
    stop: async () => await controlPlane.stop(),
  };
}

/** Starts the bundled rate limiter. */
export async function launchBundled(
  start: StageStart,
  mode: LimiterMode,
  users = makeRedisUsers(),
): Promise<StartedLimiters & { readonly server: RedisServer }> {
  const { onProgress, supervisor, signal } = start;
  const server = await launchRedis(start, { aclUsers: aclLines(users) });
  onProgress('limiters', `starting ${limiterCount} rate limiters, mode ${mode}`);
  const limiters = await startLimiters({
    supervisor,
    mode,
    count: limiterCount,
    redis: { host: server.host, port: server.port, user: users.limiter },
    folder: supervisor.temporaryFolder('limiters'),
    signal,
  });
  onProgress('limiters', `rate limiters respond at ${limiters.map(({ url }) => url).join(', ')}`);
  const secret = { ...users.operator };
  return {
    server,
    limiters,
    target: bundledTarget({ namespace: NAMESPACE, limiters, redis: server, secret }),
  };
}

async function register<A extends StageApi>(
  { onProgress, supervisor }: StageStart,
  api: A,
  { limiters, server, target }: StartedLimiters,
): Promise<Stage<A>> {
  const pods = (await api.register(target)) as Stage<A>['pods'];
  onProgress('registration', `pods in ${NAMESPACE}: ${target.pods.map(({ name }) => name).join(', ')}`);

  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    onProgress('stop', 'stopping everything that was started');
    // The limiters deliver their last counts while Redis is still there.
    await Promise.all(limiters.map((limiter) => limiter.process.stop(3_000)));
    await server?.stop();
    await api.stop();
    await supervisor.close();
  };
  const broken = new Promise<TestbedError>((resolve) => {
    void server?.broken.then(resolve);
    const processes = [...limiters.map(({ process }) => process), ...api.vital];
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
    api,
    namespace: NAMESPACE,
    limiters,
    pods,
    broken,
    stop: () => (stopped ??= stop()),
  };
}
