/**
 * Finds out who may be touched for a ChaosDemo: whether its namespace takes part,
 * which pods are the nodes of the rate limiter, and which pod is its Redis. Reads
 * the API server only; nothing is connected to yet (see redis-admission.ts).
 */
import { type ChaosDemo, ENABLED_LABEL, type RateLimiterSpec } from '../api/index.ts';
import type { Admission } from '../demo/observed.ts';
import { isForbidden, isNotFound } from '../kube/api-error.ts';
import type { KubeClient, Query } from '../kube/client.ts';
import type { KubeObject } from '../kube/kube-types.ts';
import { resourcePath } from '../kube/resource-path.ts';
import type { Pod } from './container-port.ts';
import { formatLabelSelector } from './label-selector.ts';
import { addressesOf, selectNodes, settledTemplate, type TargetNode } from './pod-eligibility.ts';
import { type RedisAuth, readRedisAuth, type Secret } from './redis-auth.ts';
import { podSelectorOf, type RedisEndpoint, resolveRedis, type Service } from './redis-service.ts';
import { permitted, Refusal } from './refusal.ts';

/** The Redis behind the rate limiter. Holds secrets: not for logs or messages. */
export interface RedisTarget extends RedisEndpoint, RedisAuth {
  tls: boolean;
  /** With TLS: the name that the certificate must be valid for. */
  servername?: string;
}

/** What a run is about, as it stands now. */
export interface ResolvedTarget {
  /** In order of their names; at least one. */
  nodes: TargetNode[];
  /** Names of selected pods that are not Ready: they are not touched, and no run begins without them. */
  notReady: string[];
  /** IPs of all selected pods, Ready or not: who connects to Redis from there belongs to the rate limiter. */
  addresses: string[];
  redis: RedisTarget;
  /** Where the faults go, for messages: "redis-0 (10.0.0.7:6379)". */
  store: string;
}

/** Whether the subject may be touched, and if so, what it is. */
export interface Discovery {
  admission: Admission;
  /** There exactly when the admission is granted. */
  target?: ResolvedTarget;
}

/** A rate limiter of more pods than this is beyond what a demo can watch ten times a second. */
const MOST_PODS = 200;
/** Deadline of each read, in milliseconds. */
const READ_TIMEOUT_MS = 10_000;

/**
 * Looks at the namespace, the pods, the Service and the Secret, in this order; the
 * first that stands in the way is the refusal.
 *
 * @throws {ApiError | ApiUnreachableError} if it could not be found out (a 403 is an answer: PermissionDenied).
 */
export async function discover(kube: KubeClient, demo: ChaosDemo, signal: AbortSignal): Promise<Discovery> {
  try {
    return { admission: { state: 'granted' }, target: await resolveTarget(kube, demo, signal) };
  } catch (error) {
    if (error instanceof Refusal) return { admission: error.admission };
    throw error;
  }
}

/**
 * Where a fault that another process left on can be released, although nothing may be injected (any more):
 * the Redis, and what nodes there are. Undefined where not even that can be found.
 *
 * @throws {ApiError | ApiUnreachableError} if it could not be found out.
 */
export async function findReleasable(
  kube: KubeClient,
  demo: ChaosDemo,
  signal: AbortSignal,
): Promise<ResolvedTarget | undefined> {
  const limiter = demo.spec.subject.rateLimiter;
  if (limiter === undefined) return undefined;
  const reader = new Reader(kube, demo.metadata.namespace, signal);
  try {
    const redis = await resolveStore(reader, limiter.redis);
    const eligible = await findNodes(reader, limiter).catch((error: unknown) => {
      if (error instanceof Refusal) return { nodes: [], notReady: [], addresses: [] };
      throw error;
    });
    return { ...eligible, ...redis };
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** What a run shows when it is looked at again. */
export interface SecondLook {
  admission: Admission;
  /** Names of nodes whose pods were deleted, or are being deleted; undefined: not found out. */
  gone?: string[];
}

/**
 * Whether the namespace still takes part and still lets the operator in, which can be taken
 * back in the middle of a run, and which of the run's nodes are there no more.
 *
 * @throws {ApiError | ApiUnreachableError} if it could not be found out.
 */
export async function lookAgain(
  kube: KubeClient,
  namespace: string,
  nodes: readonly TargetNode[],
  signal: AbortSignal,
): Promise<SecondLook> {
  const reader = new Reader(kube, namespace, signal);
  try {
    await requireEnabled(reader);
    const pods = await reader.listPods('');
    const admission = { state: 'granted' } as const;
    if (pods === undefined) return { admission };
    const staying = new Set(
      pods.filter(({ metadata }) => !metadata.deletionTimestamp).map(({ metadata }) => metadata.uid),
    );
    return { admission, gone: nodes.filter(({ uid }) => !staying.has(uid)).map(({ name }) => name) };
  } catch (error) {
    if (error instanceof Refusal) return { admission: error.admission };
    throw error;
  }
}

/**
 * The template that the pods of a demo are of, once they are all of one and Ready;
 * undefined before, and where the operator may not look.
 *
 * @throws {ApiError | ApiUnreachableError} if it could not be found out.
 */
export async function findSettledTemplate(
  kube: KubeClient,
  demo: ChaosDemo,
  signal: AbortSignal,
): Promise<string | undefined> {
  return settledTemplate(await listSelected(kube, demo, signal));
}

/**
 * IPs of the pods that a demo selects now, Ready or not; none where the operator may not look.
 *
 * @throws {ApiError | ApiUnreachableError} if it could not be found out.
 */
export async function findAddresses(
  kube: KubeClient,
  demo: ChaosDemo,
  signal: AbortSignal,
): Promise<string[]> {
  return addressesOf(await listSelected(kube, demo, signal));
}

/** None where the operator may not look, or there are too many. */
async function listSelected(kube: KubeClient, demo: ChaosDemo, signal: AbortSignal): Promise<Pod[]> {
  const selector = demo.spec.subject.rateLimiter?.selector;
  if (selector === undefined) return [];
  const reader = new Reader(kube, demo.metadata.namespace, signal);
  try {
    return (await reader.listPods(formatLabelSelector(selector))) ?? [];
  } catch (error) {
    if (error instanceof Refusal) return [];
    throw error;
  }
}

async function resolveTarget(
  kube: KubeClient,
  demo: ChaosDemo,
  signal: AbortSignal,
): Promise<ResolvedTarget> {
  const limiter = demo.spec.subject.rateLimiter;
  // The schema sees to it; this is for objects written before a rule existed.
  if (limiter === undefined) throw new Refusal('NoSuchPods', 'write subject.rateLimiter with a selector');
  const reader = new Reader(kube, demo.metadata.namespace, signal);
  await requireEnabled(reader);
  const eligible = await findNodes(reader, limiter);
  return { ...eligible, ...(await resolveStore(reader, limiter.redis)) };
}

async function resolveStore(
  reader: Reader,
  redis: RateLimiterSpec['redis'],
): Promise<Pick<ResolvedTarget, 'redis' | 'store'>> {
  const endpoint = await findRedis(reader, redis);
  const auth = await findAuth(reader, redis);
  return redisTarget(reader.namespace, redis, endpoint, auth);
}

async function requireEnabled(reader: Reader): Promise<void> {
  const namespace = await reader.readNamespace();
  if (namespace?.metadata.labels?.[ENABLED_LABEL] === 'true') return;
  throw new Refusal(
    'NamespaceNotEnabled',
    `namespace ${reader.namespace} does not take part. Let it: kubectl label namespace ${reader.namespace} ${ENABLED_LABEL}=true`,
  );
}

async function findNodes(reader: Reader, limiter: RateLimiterSpec) {
  let selector: string;
  try {
    selector = formatLabelSelector(limiter.selector);
  } catch (error) {
    throw new Refusal('NoSuchPods', `subject.rateLimiter.selector: ${(error as Error).message}`);
  }
  const pods = await reader.listPods(selector);
  if (pods === undefined) {
    throw new Refusal(
      'PodsNotEligible',
      `"${selector}" matches more than ${MOST_PODS} pods: narrow subject.rateLimiter.selector`,
    );
  }
  return selectNodes(pods, limiter.port, selector);
}

async function findRedis(reader: Reader, redis: RateLimiterSpec['redis']): Promise<RedisEndpoint> {
  const { name, port } = redis.service;
  const service = await reader.read<Service>('services', name);
  if (service === undefined) {
    throw new Refusal(
      'RedisNotFound',
      `there is no Service ${name} in namespace ${reader.namespace}: write the name of the Service of Redis in subject.rateLimiter.redis.service`,
    );
  }
  const pods = await reader.listPods(podSelectorOf(service));
  if (pods === undefined) {
    throw new Refusal(
      'RedisNotEligible',
      `Service ${name} selects more than ${MOST_PODS} pods: name a Service that selects exactly the one Redis`,
    );
  }
  return resolveRedis(service, port, pods);
}

async function findAuth(reader: Reader, redis: RateLimiterSpec['redis']): Promise<RedisAuth> {
  const name = redis.authSecretRef?.name;
  if (name === undefined) return {};
  const secret = await reader.read<Secret>('secrets', name);
  if (secret === undefined) {
    throw new Refusal(
      'RedisAuthInvalid',
      `there is no Secret ${name} in namespace ${reader.namespace}: make it, or correct subject.rateLimiter.redis.authSecretRef`,
    );
  }
  return readRedisAuth(secret);
}

function redisTarget(
  namespace: string,
  redis: RateLimiterSpec['redis'],
  endpoint: RedisEndpoint,
  auth: RedisAuth,
): Pick<ResolvedTarget, 'redis' | 'store'> {
  const { podName, host, port } = endpoint;
  return {
    redis: {
      ...endpoint,
      ...auth,
      tls: redis.tls,
      ...(redis.tls ? { servername: `${redis.service.name}.${namespace}.svc` } : {}),
    },
    store: `${podName} (${host.includes(':') ? `[${host}]` : host}:${port})`,
  };
}

/** Reads of one namespace. A 403 is a refusal, a 404 undefined, all else is thrown. */
class Reader {
  readonly namespace: string;
  readonly #kube: KubeClient;
  readonly #signal: AbortSignal;

  constructor(kube: KubeClient, namespace: string, signal: AbortSignal) {
    this.#kube = kube;
    this.namespace = namespace;
    this.#signal = signal;
  }

  async readNamespace(): Promise<KubeObject | undefined> {
    try {
      return await this.#get<KubeObject>(core('namespaces', { name: this.namespace }));
    } catch (error) {
      // Granted for the whole cluster, so a RoleBinding would not help here.
      if (isForbidden(error)) {
        throw new Refusal(
          'PermissionDenied',
          `the operator may not read namespaces: apply its ClusterRole and ClusterRoleBinding again (${error.message})`,
        );
      }
      throw error;
    }
  }

  read<T extends KubeObject>(plural: string, name: string): Promise<T | undefined> {
    return permitted(this.namespace, this.#get<T>(core(plural, { namespace: this.namespace, name })));
  }

  /** Undefined: there are more than MOST_PODS. */
  async listPods(labelSelector: string): Promise<Pod[] | undefined> {
    const path = core('pods', { namespace: this.namespace });
    const list = await permitted(
      this.namespace,
      this.#get<{ metadata: { continue?: string }; items: Pod[] }>(path, { labelSelector, limit: MOST_PODS }),
    );
    return (list?.metadata.continue ?? '') === '' ? (list?.items ?? []) : undefined;
  }

  async #get<T>(path: string, query: Query = {}): Promise<T | undefined> {
    try {
      return await this.#kube.request<T>({
        method: 'GET',
        path,
        query,
        signal: this.#signal,
        timeoutMs: READ_TIMEOUT_MS,
      });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}

function core(plural: string, where: { namespace?: string; name?: string }): string {
  return resourcePath({ group: '', version: 'v1', plural }, where);
}
