/** The Redis of an API: the Service that its environment variables name, or one in front of a pod that runs Redis. */

import { corePath } from '@chaosdemo/kube-runtime';
import { counted } from '../../../api/index.ts';
import type { Service } from '../../../subjects/cluster.ts';
import {
  podSelectorOf,
  type RedisEndpoint,
  resolvePods,
  usesIn,
} from '../../../subjects/redis/admission/redis-service.ts';
import { resolveContainerPort } from '../../../subjects/targets/eligible-pods.ts';
import { Refusal } from '../../../subjects/targets/refusal.ts';
import type { Finding } from '../../probe/limit-facts.ts';
import { read } from '../doctor/check-context.ts';
import { PluginError } from '../errors.ts';
import { onlyOne } from './only-one.ts';
import { type Cluster, type ContainerDetail, listPods, type PodDetail } from './pods.ts';
import { redisHints, unread, variablesOf } from './variables.ts';

/** A TCP port of a Service. */
type Candidate = ReturnType<typeof candidatesOf>[number];

const NAME = /redis|valkey/i;
const REDIS_PORT = 6379;
const SENTINEL_PORT = 26379;
const MOST_SERVICES = 500;
const ADVICE =
  'The operator tests a Redis in the namespace of the API, behind a Service with a selector. If there is one, write it in --redis';

/**
 * @param given `SERVICE` or `SERVICE:PORT`
 * @throws UsageError, PluginError or Refusal with what to write or to do
 */
export async function findRedis(context: Cluster, container: ContainerDetail, given: string | undefined) {
  const { namespace } = context;
  const [list, pods, variables] = await Promise.all([
    read<{ items: Service[] }>(context, corePath('services', { namespace }), {
      query: { limit: MOST_SERVICES },
    }),
    listPods(context),
    variablesOf(context, container),
  ]);
  const services = list?.items ?? [];
  const all = services.flatMap((service) => candidatesOf(service, pods));
  const names = new Set(services.map(({ metadata }) => metadata.name));
  const hints = redisHints(variables).map((hint) => ({
    ...hint,
    service: serviceOf(hint.host, namespace, names),
  }));
  const hintFor = (candidate: Candidate) =>
    hints.find(({ port, service }) => isNamed(candidate, service, port));
  const found = (candidate: Candidate, source: Finding['source'], because: string) => {
    const { endpoint, port, service } = candidate;
    if (endpoint instanceof Refusal) throw endpoint;
    const { login = false, tls = false } = hintFor(candidate) ?? {};
    const finding: Finding = { what: 'redis', source, because };
    // `login`: whether the variables of the pods have one.
    return { service, port, endpoint, tls, login, finding };
  };

  if (given !== undefined) {
    const [name, port] = given.split(':');
    const candidate = all.find((one) => isNamed(one, name, port === undefined ? undefined : Number(port)));
    if (candidate) return found(candidate, 'given', candidate.text);
    throw new PluginError(`namespace ${namespace} has no Service ${given} with a TCP port`);
  }
  const named = all.filter((candidate) => hintFor(candidate) !== undefined);
  const elsewhere = hints.find(({ service }) => service === undefined);
  if (named.length === 0 && elsewhere) {
    const { host, variable } = elsewhere;
    throw new PluginError(
      `${variable} of the pods names ${host}, which is no Service of namespace ${namespace}`,
      ADVICE,
    );
  }
  const candidates = onePerPod(named.length > 0 ? named : all.filter(({ looksRight }) => looksRight));
  if (candidates.length === 0) {
    throw new PluginError(`no Service of namespace ${namespace} leads to a Redis`, ADVICE);
  }
  const candidate = onlyOne('Redis', candidates, '--redis');
  const hint = hintFor(candidate);
  if (hint) return found(candidate, 'found', `${candidate.text}; ${hint.variable} of the pods names it`);
  const hidden = unread(variables).map(({ from, name }) => `; ${name} in ${from} was not read`);
  return found(candidate, 'guess', `${candidate.text}; no variable of the pods names it${hidden.join('')}`);
}

function candidatesOf(service: Service, pods: readonly PodDetail[]) {
  const { name } = service.metadata;
  const ports = (service.spec?.ports ?? []).filter(({ protocol = 'TCP' }) => protocol === 'TCP');
  return ports.map(({ name: portName = '', port }) => {
    const found = endpointsOf(service, port, pods);
    const isRefused = found instanceof Refusal;
    const endpoint = isRefused ? found : found[0];
    const others = isRefused ? 0 : found.length - 1;
    const besides = others > 0 ? ` and ${counted(others, 'other pod')}` : '';
    const to = isRefused ? `: ${found.message}` : ` leads to ${found[0].podName}${besides}`;
    return {
      service: name,
      port,
      isOnly: ports.length === 1,
      /** A Refusal: no fault can be injected there. Of a Cluster, any node shows what is needed here. */
      endpoint,
      /** Ready pods that it selects. */
      pods: others + 1,
      /** By its port, its name, or the image of the container behind it. */
      looksRight: !isRefused && looksRight([port, found[0].port], [portName, imageOf(found[0], pods)]),
      text: `Service ${name}:${port}${to}`,
    };
  });
}

function looksRight(ports: readonly number[], names: readonly string[]): boolean {
  if (ports.includes(SENTINEL_PORT) || names.some((name) => /exporter|metrics/i.test(name))) return false;
  return ports.includes(REDIS_PORT) || names.some((name) => NAME.test(name));
}

function imageOf({ podName, port }: RedisEndpoint, pods: readonly PodDetail[]): string {
  const pod = pods.find(({ metadata }) => metadata.name === podName);
  return (pod && resolveContainerPort(pod, port)?.image.split('/').at(-1)) ?? '';
}

function endpointsOf(
  service: Service,
  port: number,
  pods: readonly PodDetail[],
): ReturnType<typeof resolvePods> | Refusal {
  try {
    const { redis } = usesIn('rateLimiter');
    podSelectorOf(service, redis);
    const labels = Object.entries(service.spec?.selector ?? {});
    const isBehind = ({ metadata }: PodDetail): boolean =>
      labels.every(([key, value]) => metadata.labels?.[key] === value);
    return resolvePods(service, port, pods.filter(isBehind), redis);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

function isNamed({ isOnly, port, service }: Candidate, name: string | undefined, wanted?: number): boolean {
  return service === name && (wanted === undefined ? isOnly || port === REDIS_PORT : port === wanted);
}

/** `redis`, `redis.shop`, `redis-0.redis.shop.svc.cluster.local`: the Service of this namespace. */
function serviceOf(host: string, namespace: string, names: ReadonlySet<string>): string | undefined {
  const [first = '', second = '', third = namespace] = host.toLowerCase().split('.');
  if (names.has(first) && ['', namespace].includes(second)) return first;
  return names.has(second) && third === namespace ? second : undefined;
}

/**
 * Several Services may lead to one Redis. The one with the fewest pods counts, since one of all pods, such as the headless
 * one of a StatefulSet, does not lead to the primary only; then the first by name.
 */
function onePerPod(candidates: readonly Candidate[]): Candidate[] {
  const seen = new Set<string>();
  return candidates
    .toSorted((a, b) => a.pods - b.pods || (a.service < b.service ? -1 : 1))
    .filter(({ endpoint, text }) => {
      const pod = endpoint instanceof Refusal ? text : `${endpoint.podName}:${endpoint.port}`;
      return seen.size < seen.add(pod).size;
    });
}
