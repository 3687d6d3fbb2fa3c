/** What stands for rate limiters and their Redis at an API server, as for pods of a cluster. */
import {
  type Kubectl,
  type PodSpec,
  type RegisteredPod,
  registerPods,
  serviceObject,
} from '@chaosdemo/testbed';
import type { Address } from './address.ts';
import { FAULT_PROXY, type OwnFaultProxy } from './fault-proxy.ts';
import type { Limiter } from './limiters.ts';

/** What stands for processes of this machine at an API server. */
export interface Target {
  readonly objects: readonly object[];
  /** Those of limiters, then that of Redis, then that of a fault proxy. */
  readonly pods: readonly PodSpec[];
}

type Texts = Readonly<Record<string, string>>;

/** Where a process listens; its id is known if it was started here. */
export interface Listener extends Address {
  readonly pid?: number | undefined;
}

/** The processes to register in one namespace. */
export interface Registration {
  readonly namespace: string;
  /** Of the pods of the limiters. */
  readonly labels: Texts;
  readonly limiters: readonly (Listener & { readonly name: string })[];
  readonly redis: Listener;
  /** The data of the Secret `redis-auth`, with which the operator logs in; left out: none is needed. */
  readonly login?: Texts | undefined;
  /** Left out: the limiters connect to Redis itself. */
  readonly proxy?: OwnFaultProxy | undefined;
  /** Keys that stand for callers; left out: none are needed. */
  readonly accounts?: readonly string[] | undefined;
}

/** The Secret with keys that stand for callers. */
export const CALLERS_SECRET = 'api-callers';

/** Their pods and Secrets, and the Service `redis`. */
export function limiterTarget(registration: Registration): Target {
  const { accounts, labels, limiters, login, namespace, proxy, redis } = registration;
  const pod = redisPod(namespace, redis);
  const service = { namespace, name: 'redis', selector: pod.labels, port: 6379, targetPort: 'redis' };
  const between = proxy ? proxyTarget(namespace, proxy) : { objects: [], pods: [] };
  const secrets = [
    ...(login ? [secretOf(namespace, 'redis-auth', 'redis-auth', login)] : []),
    ...(accounts ? [accountsSecret(namespace, labels, accounts)] : []),
  ];
  return {
    objects: [serviceObject(service), ...secrets, ...between.objects],
    pods: [
      ...limiters.map((limiter) => podOf(namespace, limiter.name, labels, 'http', limiter)),
      pod,
      ...between.pods,
    ],
  };
}

function accountsSecret(namespace: string, labels: Texts, accounts: readonly string[]): object {
  const selector = Object.entries(labels).map((pair) => pair.join('='));
  const data = { selector: selector.join(','), callers: accounts.join('\n') };
  return secretOf(namespace, CALLERS_SECRET, 'http-auth', data);
}

/** Of bundled limiters, of one template like those of a Deployment. */
const BUNDLED = { 'app.kubernetes.io/name': 'ratelimiter', 'pod-template-hash': 'first' };

/** The bundled limiters and their Redis. */
export function bundledTarget({
  limiters,
  secret,
  ...place
}: Pick<Registration, 'namespace' | 'redis'> & {
  readonly limiters: readonly Limiter[];
  readonly secret: Texts;
}): Target {
  return limiterTarget({ ...place, labels: BUNDLED, limiters: limiters.map(listenerOf), login: secret });
}

/** The pods that represent bundled limiters. */
export function limiterPods(namespace: string, limiters: readonly Limiter[]): PodSpec[] {
  return limiters.map((limiter) => podOf(namespace, limiter.name, BUNDLED, 'http', listenerOf(limiter)));
}

/** Where a limiter that was started here listens. */
export function listenerOf({ ip: host, name, port, process: { pid } }: Limiter) {
  return { name, host, port, pid };
}

/** Creates all of it at an API server: call it once the processes answer. Returns the pods in their sequence. */
export async function registerAt(kubectl: Kubectl, { objects, pods }: Target): Promise<RegisteredPod[]> {
  const [registered] = await Promise.all([registerPods(kubectl, pods), kubectl.apply(objects)]);
  return registered;
}

/** The pod of a fault proxy, the Service of its control API and the Secret with its token, for `FAULT_PROXY`. */
export function proxyTarget(namespace: string, { controlPort, host, pid, token }: OwnFaultProxy): Target {
  const { authSecretName, serviceName: name } = FAULT_PROXY;
  const pod = podOf(namespace, `${name}-0`, { app: name }, 'control', { host, port: controlPort, pid });
  const service = { namespace, name, selector: pod.labels, port: 8474, targetPort: 'control' };
  const secret = secretOf(namespace, authSecretName, 'redis-auth', { password: token });
  return { objects: [serviceObject(service), secret], pods: [pod] };
}

/** A Secret of a type that the operator reads. */
function secretOf(namespace: string, name: string, type: 'http-auth' | 'redis-auth', texts: Texts): object {
  const data = Object.fromEntries(
    Object.entries(texts).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  );
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: `chaosdemo.dev/${type}`,
    metadata: { namespace, name },
    data,
  };
}

/** The pod `redis-0` that represents a Redis. */
export function redisPod(namespace: string, redis: Listener): PodSpec {
  return podOf(namespace, 'redis-0', { 'app.kubernetes.io/name': 'redis' }, 'redis', redis);
}

/** A pod that represents a process. */
function podOf(
  namespace: string,
  name: string,
  labels: Texts,
  portName: string,
  { host, pid, port }: Listener,
): PodSpec {
  // The operator compares images only with each other: all instances count as one program.
  const image = `local/${Object.values(labels)[0] ?? 'api'}`;
  return {
    namespace,
    name,
    labels,
    container: portName,
    image,
    imageId: image,
    port: { name: portName, number: port },
    ip: host,
    ...(pid !== undefined && { pid }),
  };
}
