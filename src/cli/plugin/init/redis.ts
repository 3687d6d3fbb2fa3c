/** The Redis of an API: the Service that its environment variables name, or one in front of a pod that runs Redis. */
import { resourcePath } from '../../../kube/resource-path.ts';
import type { Service } from '../../../subjects/cluster.ts';
import {
  podSelectorOf,
  type RedisEndpoint,
  resolveRedis,
} from '../../../subjects/redis/admission/redis-service.ts';
import { resolveContainerPort } from '../../../subjects/targets/container-port.ts';
import { Refusal } from '../../../subjects/targets/refusal.ts';
import type { Finding } from '../../probe/limit-facts.ts';
import { chosen } from '../../probe/questions.ts';
import { read } from '../doctor/check-context.ts';
import { PluginError } from '../errors.ts';
import { type Cluster, type ContainerDetail, listPods, type PodDetail } from './pods.ts';
import { type RedisHint, redisHints, unread, variablesOf } from './variables.ts';

export interface FoundRedis {
  readonly service: string;
  readonly port: number;
  readonly endpoint: RedisEndpoint;
  readonly tls: boolean;
  /** Whether the variables of the pods have a login. */
  readonly login: boolean;
  readonly finding: Finding;
}

/** A port of a Service. */
interface Candidate {
  readonly service: Service;
  readonly port: number;
  readonly text: string;
  /** A Refusal: no fault can be injected there. */
  readonly endpoint: RedisEndpoint | Refusal;
}

const OF_REDIS = /redis|valkey/i;
const REDIS_PORT = 6379;
const SENTINEL_PORT = 26379;
const MOST_SERVICES = 500;

/**
 * @param given `SERVICE` or `SERVICE:PORT`
 * @throws UsageError or PluginError with what to write or to do
 */
export async function findRedis(
  context: Cluster,
  container: ContainerDetail,
  given: string | undefined,
): Promise<FoundRedis> {
  const { namespace, signal } = context;
  const type = { group: '', version: 'v1', plural: 'services' };
  const [list, pods, variables] = await Promise.all([
    read<{ items: Service[] }>(context, resourcePath(type, { namespace }), {
      query: { limit: MOST_SERVICES },
    }),
    listPods(context),
    variablesOf(context, container),
  ]);
  const services = list?.items ?? [];
  const hints = redisHints(variables);
  const all = services.flatMap((service) => candidatesOf(service, pods));
  if (given !== undefined) {
    const [name, port] = given.split(':');
    const found = all.find((one) => isNamed(one, name ?? '', port === undefined ? undefined : Number(port)));
    if (!found) throw new PluginError(`namespace ${namespace} has no Service ${given} with a TCP port`);
    return foundRedis(found, 'given', `Service ${given}`, hintFor(found, hints, context, services));
  }
  const named = all.filter((candidate) => hintFor(candidate, hints, context, services) !== undefined);
  if (named.length === 0) requireInNamespace(hints, services, context);
  const others = all.filter((candidate) => looksLikeRedis(candidate, pods));
  const candidates = onePerPod(named.length > 0 ? named : others);
  if (candidates.length === 0) {
    throw new PluginError(
      `no Service of namespace ${namespace} leads to a Redis`,
      'Write the Service in --redis. The operator tests a Redis in the namespace of the API, behind a Service with a selector',
    );
  }
  const candidate = await chosen('Redis', candidates, '--redis', signal);
  const hint = hintFor(candidate, hints, context, services);
  if (hint)
    return foundRedis(candidate, 'found', `${candidate.text}; ${hint.variable} of the pods names it`, hint);
  const hidden = unread(variables).map(({ from, name }) => `${name} in ${from}`);
  const why = hidden.length > 0 ? `, and ${hidden.join(', ')} was not read` : '';
  const of = candidates.length > 1 ? 'selected' : 'the only one of the namespace';
  return foundRedis(candidate, 'guess', `${candidate.text}; ${of}: no variable of the pods names it${why}`);
}

function foundRedis(
  { endpoint, port, service }: Candidate,
  source: Finding['source'],
  because: string,
  hint?: RedisHint,
): FoundRedis {
  if (endpoint instanceof Refusal) throw new PluginError(endpoint.message);
  return {
    service: service.metadata.name,
    port,
    endpoint,
    tls: hint?.tls ?? false,
    login: hint?.login ?? false,
    finding: { what: 'redis', source, because },
  };
}

function candidatesOf(service: Service, pods: readonly PodDetail[]): Candidate[] {
  const ports = (service.spec?.ports ?? []).filter(({ protocol = 'TCP' }) => protocol === 'TCP');
  return ports.map(({ port }) => {
    const endpoint = endpointOf(service, port, pods);
    const to = endpoint instanceof Refusal ? endpoint.message : `leads to ${endpoint.podName}`;
    return { service, port, endpoint, text: `Service ${service.metadata.name}:${port} ${to}` };
  });
}

function endpointOf(service: Service, port: number, pods: readonly PodDetail[]): RedisEndpoint | Refusal {
  try {
    podSelectorOf(service);
    return resolveRedis(service, port, pods.filter(isBehind(service)));
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

function isBehind({ spec }: Service): (pod: PodDetail) => boolean {
  const labels = Object.entries(spec?.selector ?? {});
  return ({ metadata }) => labels.every(([key, value]) => metadata.labels?.[key] === value);
}

/** By its port, its name, or the image of the container behind it. */
function looksLikeRedis({ endpoint, port, service }: Candidate, pods: readonly PodDetail[]): boolean {
  if (endpoint instanceof Refusal || port === SENTINEL_PORT || endpoint.port === SENTINEL_PORT) return false;
  if (port === REDIS_PORT || endpoint.port === REDIS_PORT) return true;
  const name = service.spec?.ports?.find((one) => one.port === port)?.name;
  const pod = pods.find(({ metadata }) => metadata.name === endpoint.podName);
  const image = pod && resolveContainerPort(pod, endpoint.port)?.image.split('/').at(-1);
  return OF_REDIS.test(name ?? '') || (OF_REDIS.test(image ?? '') && !/exporter/i.test(image ?? ''));
}

function isNamed({ port, service }: Candidate, name: string, wanted: number | undefined): boolean {
  const only = service.spec?.ports?.length === 1;
  const isPort = wanted === undefined ? only || port === REDIS_PORT : port === wanted;
  return service.metadata.name === name && isPort;
}

function hintFor(
  candidate: Candidate,
  hints: readonly RedisHint[],
  { namespace }: Cluster,
  services: readonly Service[],
): RedisHint | undefined {
  return hints.find(({ host, port }) => isNamed(candidate, serviceOf(host, namespace, services) ?? '', port));
}

/** `redis`, `redis.shop`, `redis-0.redis.shop.svc.cluster.local`: the Service of this namespace. */
function serviceOf(host: string, namespace: string, services: readonly Service[]): string | undefined {
  const [first, second, third] = host.toLowerCase().split('.');
  const has = (name: string | undefined): boolean => services.some(({ metadata }) => metadata.name === name);
  if (has(first) && (second === undefined || second === namespace)) return first;
  return has(second) && (third === undefined || third === namespace) ? second : undefined;
}

function requireInNamespace(
  hints: readonly RedisHint[],
  services: readonly Service[],
  { namespace }: Cluster,
): void {
  const elsewhere = hints.find(({ host }) => serviceOf(host, namespace, services) === undefined);
  if (!elsewhere) return;
  throw new PluginError(
    `${elsewhere.variable} of the pods names ${elsewhere.host}, which is no Service of namespace ${namespace}`,
    'The operator tests a Redis in the namespace of the API, behind a Service with a selector. If there is one, write it in --redis',
  );
}

/** Several Services may lead to one Redis; the first by name counts. */
function onePerPod(candidates: readonly Candidate[]): Candidate[] {
  const seen = new Set<string>();
  return candidates
    .toSorted((a, b) => (a.service.metadata.name < b.service.metadata.name ? -1 : 1))
    .filter(({ endpoint }) => {
      if (endpoint instanceof Refusal) return true;
      const key = `${endpoint.podName}:${endpoint.port}`;
      return seen.size < seen.add(key).size;
    });
}
