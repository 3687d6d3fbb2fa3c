/** Checks that there is a target: the limiter's pods, Service and pod of Redis, Secrets. Same rules as the operator. */

import { resourcePath } from '@chaosdemo/kube-runtime';
import { counted } from '../../../api/index.ts';
import type { Pod, Service } from '../../../subjects/cluster.ts';
import { PART, type RateLimiterSpec, rateLimiterOf } from '../../../subjects/ratelimiter/schema.ts';
import {
  OF_REDIS,
  OF_SENTINELS,
  podSelectorOf,
  resolveRedis,
  resolveSentinels,
  type ServiceUse,
} from '../../../subjects/redis/admission/redis-service.ts';
import { isReady, selectPods } from '../../../subjects/targets/eligible-pods.ts';
import { formatLabelSelector } from '../../../subjects/targets/label-selector.ts';
import { MOST_PODS } from '../../../subjects/targets/namespace-reader.ts';
import { listed, Refusal } from '../../../subjects/targets/refusal.ts';
import { shell } from '../connection.ts';
import { checked, type DemoCheckContext, read } from './check-context.ts';
import type { Finding } from './finding.ts';
import { checkHttpSecret, checkRedisSecret, patchRateLimiter, type RedisLogin } from './secret-checks.ts';

const ofRedis = (redis: object): object => ({ redis });
const ofSentinels = (sentinel: object): object => ({ redis: { sentinel } });

const NAME_LABEL = 'app.kubernetes.io/name';

/** Checks everything that the namespace needs for a test of a rate limiter. */
export async function checkRateLimiter(context: DemoCheckContext): Promise<Finding[]> {
  const limiter = rateLimiterOf(context.demo.spec);
  const { sentinel, tls } = limiter.redis;
  // If the Service is wrong, the Secret cannot be judged.
  const withSecret = (service: Promise<Finding>, login: RedisLogin): Promise<Finding>[] => [
    service,
    service.then(({ state }) => checkRedisSecret(context, login, state !== 'wrong')),
  ];
  return await Promise.all([
    checkPods(context, limiter),
    ...withSecret(checkRedis(context, limiter), {
      check: 'Secret',
      server: 'Redis',
      field: ofRedis,
      ...limiter.redis,
    }),
    ...(sentinel
      ? withSecret(checkSentinels(context, sentinel), {
          check: 'Sentinel Secret',
          server: 'Sentinel',
          field: ofSentinels,
          tls,
          ...sentinel,
        })
      : []),
    ...checkHttpSecret(context, limiter),
  ]);
}

/** Checks that the selected pods are Ready, of one image, and have the port. */
async function checkPods(context: DemoCheckContext, limiter: RateLimiterSpec): Promise<Finding> {
  const { kubectl, namespace } = context;
  return await checked('Limiter pods', context, async () => {
    const selector = formatLabelSelector(limiter.selector.matchLabels);
    const pods = await listPods(context, selector);
    const look = `${kubectl} ${shell`-n ${namespace} describe pods -l ${selector}`}`;
    try {
      const { notReady, pods: eligible } = selectPods(pods, { selector, port: limiter.port, part: PART });
      if (notReady.length > 0) {
        const message = `selected and not Ready: ${notReady.join(', ')} (${eligible.length} are). See why:`;
        return { state: 'wrong', message, fixCommands: [look], reason: 'PodsNotEligible' };
      }
      return (
        undeclaredPort(context, limiter, pods) ?? {
          state: 'ok',
          message: `"${selector}" selects ${eligible.length}, all Ready and of one image`,
        }
      );
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const suggestion = pods.length === 0 ? await suggestedSelector(context, limiter) : undefined;
      const fixCommands = suggestion ? [suggestion] : [pods.length === 0 ? showLabels(context) : look];
      return { state: 'wrong', message: error.message, fixCommands, reason: error.reason };
    }
  });
}

/**
 * A finding if the pods declare TCP ports and `port` is none of them. Declaring a port is optional in Kubernetes, so
 * there is none if a run has reached the pods.
 */
function undeclaredPort(
  context: DemoCheckContext,
  { port }: RateLimiterSpec,
  pods: readonly Pod[],
): Omit<Finding, 'check'> | undefined {
  const declared = new Set(pods.flatMap(tcpPorts));
  if (typeof port !== 'number' || declared.size === 0 || declared.has(port)) return undefined;
  if (['Succeeded', 'Failed'].includes(context.demo.status?.run?.phase ?? '')) return undefined;
  const [only] = declared;
  return {
    state: 'wrong',
    message: `the pods declare no port ${port}, but ${[...declared].toSorted((a, b) => a - b).join(', ')}: correct ${PART}.port`,
    fixCommands: declared.size === 1 ? [patchRateLimiter(context, { port: only })] : [],
    reason: 'TargetUnhealthy',
  };
}

function tcpPorts({ spec }: Pod): number[] {
  const ports = spec?.containers.flatMap((container) => container.ports ?? []) ?? [];
  return ports.filter(({ protocol = 'TCP' }) => protocol === 'TCP').map(({ containerPort }) => containerPort);
}

/** Checks that the Service exists and selects a Ready pod, or those of a Cluster. */
async function checkRedis(context: DemoCheckContext, { redis }: RateLimiterSpec): Promise<Finding> {
  const { port, service: name } = redis;
  return await checkService(context, { check: 'Redis', name, port, use: OF_REDIS }, (service, pods) => {
    const found = resolveRedis(service, port, pods).map(({ podName }) => podName);
    return `Service ${name} leads to ${listed(found)}, which ${found.length === 1 ? 'is' : 'are'} Ready`;
  });
}

/** Checks that their Service exists and selects only Ready pods. */
async function checkSentinels(
  context: DemoCheckContext,
  { port, service: name }: NonNullable<RateLimiterSpec['redis']['sentinel']>,
): Promise<Finding> {
  return await checkService(
    context,
    { check: 'Sentinels', name, port, use: OF_SENTINELS },
    (service, pods) => {
      const { length } = resolveSentinels(service, port, pods);
      return `Service ${name} leads to ${counted(length, 'pod')}, all Ready`;
    },
  );
}

/** A Service as the spec names it. */
interface Named {
  readonly name: string;
  readonly port: number;
  readonly use: ServiceUse;
}

/** @param judge returns what is right; throws a Refusal */
async function checkService(
  context: DemoCheckContext,
  { check, name, port, use }: Pick<Finding, 'check'> & Named,
  judge: (service: Service, pods: readonly Pod[]) => string,
): Promise<Finding> {
  const { kubectl, namespace } = context;
  return await checked(check, context, async () => {
    const type = { group: '', version: 'v1', plural: 'services' };
    const service = await read<Service>(context, resourcePath(type, { namespace, name }));
    if (service === undefined) {
      const message = `there is no Service ${name} in namespace ${namespace}`;
      const fixCommands =
        use === OF_REDIS
          ? await serviceCommands(context, rateLimiterOf(context.demo.spec).redis)
          : [showServices(context)];
      return { state: 'wrong', message, fixCommands, reason: 'RedisNotFound' };
    }
    try {
      const pods = await listPods(context, podSelectorOf(service, use));
      return { state: 'ok', message: judge(service, pods) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const right = otherPort(service, port);
      const field = use === OF_REDIS ? ofRedis : ofSentinels;
      const look = `${kubectl} ${shell`-n ${namespace} get service ${name} -o yaml`}`;
      const fixCommands =
        right === undefined
          ? [look, showLabels(context)]
          : [patchRateLimiter(context, field({ port: right }))];
      return { state: 'wrong', message: error.message, fixCommands, reason: error.reason };
    }
  });
}

/** The one TCP port of a Service, if it is not that of the spec. */
function otherPort({ spec }: Service, port: number): number | undefined {
  const [only, ...others] = (spec?.ports ?? []).filter(({ protocol = 'TCP' }) => protocol === 'TCP');
  return others.length > 0 || only?.port === port ? undefined : only?.port;
}

/** A patch of the selector, if the pods of exactly one name would match. */
async function suggestedSelector(
  context: DemoCheckContext,
  limiter: RateLimiterSpec,
): Promise<string | undefined> {
  const pods = await listPods(context, '');
  const names = [...new Set(pods.map(({ metadata }) => metadata.labels?.[NAME_LABEL]))].filter(
    (name) => name !== undefined,
  );
  const eligible = names.filter((name) => {
    const selector = `${NAME_LABEL}=${name}`;
    const named = pods.filter(({ metadata }) => metadata.labels?.[NAME_LABEL] === name);
    try {
      return selectPods(named, { selector, port: limiter.port, part: PART }).notReady.length === 0;
    } catch {
      return false;
    }
  });
  const [only] = eligible;
  if (only === undefined || eligible.length > 1) return undefined;
  // A merge patch keeps members that it does not name, so the old ones have to be named.
  const old = Object.fromEntries(Object.keys(limiter.selector.matchLabels).map((key) => [key, null]));
  const selector = { matchLabels: { ...old, [NAME_LABEL]: only } };
  return patchRateLimiter(context, { selector });
}

/** Commands that set the right Service, or create one, for the one pod that seems to be Redis. */
async function serviceCommands(
  context: DemoCheckContext,
  redis: RateLimiterSpec['redis'],
): Promise<string[]> {
  const { kubectl, namespace } = context;
  const { port, service: name } = redis;
  const pods = (await listPods(context, '')).filter((pod) => isReady(pod) && redisPort(pod) !== undefined);
  const [pod] = pods;
  if (pod === undefined || pods.length > 1) return [showServices(context)];
  const type = { group: '', version: 'v1', plural: 'services' };
  const services = await read<{ items: Service[] }>(context, resourcePath(type, { namespace }), {
    query: { limit: 200 },
  });
  const matching = (services?.items ?? []).filter(
    ({ spec }) =>
      spec?.selector !== undefined &&
      Object.entries(spec.selector).every(([key, value]) => pod.metadata.labels?.[key] === value) &&
      spec.ports?.some((each) => each.port === port),
  );
  const [only] = matching;
  if (only !== undefined && matching.length === 1) {
    return [patchRateLimiter(context, { redis: { service: only.metadata.name } })];
  }
  return [
    `${kubectl} ${shell`-n ${namespace} expose pod ${pod.metadata.name} --name=${name} --port=${port} --target-port=${redisPort(pod) ?? port}`}`,
  ];
}

function redisPort({ spec }: Pod): string | number | undefined {
  const ports = spec?.containers.flatMap((container) => container.ports ?? []) ?? [];
  const found = ports.find(({ containerPort, name }) => name === 'redis' || containerPort === 6379);
  return found?.name ?? found?.containerPort;
}

function showServices({ kubectl, namespace }: DemoCheckContext): string {
  return `${kubectl} ${shell`-n ${namespace} get services,pods`}`;
}

function showLabels({ kubectl, namespace }: DemoCheckContext): string {
  return `${kubectl} ${shell`-n ${namespace} get pods --show-labels`}`;
}

/** Pods with all their labels; one more than the operator accepts. */
async function listPods(context: DemoCheckContext, labelSelector: string): Promise<readonly Pod[]> {
  const path = resourcePath({ group: '', version: 'v1', plural: 'pods' }, { namespace: context.namespace });
  const list = await read<{ items: Pod[] }>(context, path, {
    query: { labelSelector, limit: MOST_PODS + 1 },
  });
  return list?.items ?? [];
}
