/**
 * Finds which pods a subject runs in, and which pods may be its Redis. Reads the API server, and connects to
 * nothing but the nodes of a Cluster that is to be released (see redis-admission.ts). An obstacle is thrown as a Refusal.
 */
import { findMasters } from '@chaosdemo/redis-faults';
import { shell } from '../../api/index.ts';
import type { Cluster, Pod } from '../cluster.ts';
import { findFaultProxy, findRedis, findSentinels } from '../redis/admission/find-redis.ts';
import { HTTP_AUTH_SECRET_TYPE, type PodsSpec } from '../spec/pods-schema.ts';
import {
  type EligiblePods,
  isAlive,
  resolveContainerPort,
  selectPods,
  statusIn,
  type TargetPod,
} from '../targets/eligible-pods.ts';
import { formatLabelSelector } from '../targets/label-selector.ts';
import { NamespaceReader, TOO_MANY_PODS } from '../targets/namespace-reader.ts';
import { requirePodAddresses } from '../targets/pod-address.ts';
import type { PodsNow } from '../targets/pods-now.ts';
import { orRefusal, Refusal } from '../targets/refusal.ts';
import { findAuthority, findSecret } from '../targets/secret-keys.ts';
import type { Accounts, HttpAuth, PodsTarget } from '../targets/target.ts';
import { HTTP_AUTH, readAccounts, readHttpAuth } from './http-auth.ts';

/**
 * The target of a run, as discovered now; without pods if only a fault is left to be released. A Redis client with one
 * of its addresses belongs to the subject: they include that of the fault proxy.
 */
export type DiscoveredTarget = EligiblePods & Omit<PodsTarget, 'pods'>;

export interface Place {
  readonly cluster: Cluster;
  readonly namespace: string;
  /** The part of the spec, and its member. */
  readonly spec: PodsSpec;
  readonly part: string;
}

/**
 * Checks the namespace, the pods, the Service and the Secrets, in this order.
 * @throws {Refusal} the first obstacle.
 * @throws the cluster's error if an answer is missing.
 */
export async function discover(place: Place, signal: AbortSignal): Promise<DiscoveredTarget> {
  const reader = readerOf(place, signal);
  await reader.requireEnabled();
  const found = await findPods(reader, place);
  const redis = await findRedis(reader, place);
  const sentinels = await findSentinels(reader, place);
  const faultProxy = await findFaultProxy(reader, place);
  const http = await findHttpAuth(reader, place);
  const accounts = await findAccounts(reader, place);
  return {
    ...found,
    addresses: [...found.addresses, ...(faultProxy ? [faultProxy.host] : [])],
    redis,
    ...(sentinels && { sentinels }),
    ...(faultProxy && { faultProxy }),
    http,
    ...(accounts && { accounts }),
  };
}

/**
 * Finds what is needed to release a fault that another process left active, even if nothing may be injected now: the
 * Redis, and the pods that exist. Undefined if these cannot be found, or if the namespace has no label of ours: it
 * never took part, so nothing of ours can be active there, whatever a status shows.
 * @throws the cluster's error if an answer is missing.
 */
export async function findReleasable(
  place: Place,
  signal: AbortSignal,
): Promise<DiscoveredTarget | undefined> {
  const reader = readerOf(place, signal);
  const ifFound = async <T>(find: () => Promise<T>): Promise<T | undefined> =>
    await unlessRefused(place, find);
  if (!(await ifFound(() => reader.hasLabel()))) return undefined;
  const redis = await ifFound(async () => findMasters(await findRedis(reader, place), signal));
  if (!redis) return undefined;
  const found = await ifFound(() => findPods(reader, place));
  const faultProxy = await ifFound(() => findFaultProxy(reader, place));
  const none = { pods: [], notReady: [], addresses: [] };
  return { ...none, ...found, redis, ...(faultProxy && { faultProxy }) };
}

async function unlessRefused<T>({ namespace }: Place, find: () => Promise<T>): Promise<T | undefined> {
  const found = await orRefusal(namespace, find);
  return found instanceof Refusal ? undefined : found;
}

/**
 * The pods of Redis and the Sentinels as they are now: one may have joined since the run began.
 * @throws {Refusal} the first obstacle, or the cluster's error if an answer is missing.
 */
export async function findRedisNow(place: Place, signal: AbortSignal) {
  const reader = readerOf(place, signal);
  const sentinels = await findSentinels(reader, place);
  return { redis: await findRedis(reader, place), sentinels };
}

/**
 * What became of these pods. @param timed a fault waits for it
 * @throws the cluster's error if an answer is missing or forbidden
 */
export async function lookAtPods(
  place: Place,
  pods: readonly TargetPod[],
  signal: AbortSignal,
  timed = false,
): Promise<PodsNow> {
  const { port, selector } = place.spec;
  const listed = await readerOf(place, signal).pods(formatLabelSelector(selector.matchLabels), timed);
  if (listed === undefined) throw new Error(`the selector matches ${TOO_MANY_PODS} by now`);
  const alive = new Map(listed.filter(isAlive).map((pod) => [pod.metadata.uid, pod]));
  const isAtItsAddress = ({ host, uid }: TargetPod): boolean => alive.get(uid)?.status?.podIP === host;
  const containers = pods.filter(isAtItsAddress).flatMap(({ name, uid }) => {
    const pod = alive.get(uid);
    const { container } = (pod && resolveContainerPort(pod, port)) ?? {};
    const id = pod && container !== undefined ? statusIn(pod, container)?.containerID : undefined;
    return id === undefined ? [] : [[name, id] as const];
  });
  return {
    replaced: pods.filter((pod) => !isAtItsAddress(pod)).map(({ name }) => name),
    containers: new Map(containers),
  };
}

function readerOf({ cluster, namespace }: Place, signal: AbortSignal): NamespaceReader {
  return new NamespaceReader(cluster, namespace, signal);
}

/**
 * The pods that a demo selects now, Ready or not; none if the operator lacks permission, or if there are too many.
 * @throws the cluster's error if an answer is missing.
 */
export async function listSelected(place: Place, signal: AbortSignal): Promise<readonly Pod[]> {
  const selector = formatLabelSelector(place.spec.selector.matchLabels);
  return (await unlessRefused(place, () => readerOf(place, signal).pods(selector))) ?? [];
}

async function findPods(reader: NamespaceReader, { part, spec }: Place): Promise<EligiblePods> {
  let selector: string;
  try {
    selector = formatLabelSelector(spec.selector.matchLabels);
  } catch (error) {
    throw new Refusal('NoSuchPods', `${part}.selector: ${(error as Error).message}`);
  }
  const pods = await reader.pods(selector);
  if (pods === undefined) {
    throw new Refusal('PodsNotEligible', `"${selector}" matches ${TOO_MANY_PODS}: narrow ${part}.selector`);
  }
  const eligible = selectPods(pods, { selector, port: spec.port, part });
  requirePodAddresses(eligible.pods, { localPods: reader.localPods, reason: 'PodsNotEligible' });
  return eligible;
}

async function findHttpAuth(reader: NamespaceReader, { part, spec }: Place): Promise<HttpAuth> {
  const { authSecretName: name, tls } = spec.http ?? {};
  const trust = await findAuthority(reader, HTTP_AUTH, tls);
  if (name === undefined) return trust;
  const create = `${createOf(name, spec)} --from-literal=headers="$HEADERS"`;
  const secret = await findSecret(reader, HTTP_AUTH, name, `${part}.http.authSecretName`, create);
  return { ...trust, ...readHttpAuth(secret, part, spec) };
}

async function findAccounts(reader: NamespaceReader, { part, spec }: Place): Promise<Accounts | undefined> {
  const { secretName: name } = spec.http?.callers ?? {};
  if (name === undefined) return undefined;
  const field = `${part}.http.callers.secretName`;
  const create = `${createOf(name, spec)} --from-file=callers=keys.txt`;
  return readAccounts(await findSecret(reader, HTTP_AUTH, name, field, create), part, spec);
}

/** Arguments of kubectl that begin to create a Secret for these pods. */
function createOf(name: string, { selector }: PodsSpec): string {
  return shell`create secret generic ${name} --type=${HTTP_AUTH_SECRET_TYPE} --from-literal=selector=${formatLabelSelector(selector.matchLabels)}`;
}
