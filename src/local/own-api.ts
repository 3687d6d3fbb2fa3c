/**
 * An API of the user as the target of a run: instances that are running already, or that are started by a command of the
 * user, over a Redis of this machine. All of them listen on loopback, each on its own port.
 */
import { delimiter, join, sep } from 'node:path';
import {
  freePort,
  type OwnedProcess,
  type Supervisor,
  serviceObject,
  TestbedError,
} from '@chaosdemo/testbed';
import { type Address, accepts } from './address.ts';
import { API_NOT_STARTED } from './errors.ts';
import { FAULT_PROXY, type OwnFaultProxy } from './fault-proxy.ts';
import type { Limiter } from './limiters.ts';
import { root } from './root.ts';
import { podOf, redisPod, redisSecret, secretObject, type Target, withRedis } from './target.ts';

/** A Redis, with the login that a URL has. */
export interface OwnRedis extends Address {
  readonly username?: string;
  readonly password?: string;
  /** Of a Redis that was started here. */
  readonly pid?: number;
}

/** A command that starts one instance, which listens on the port in the variable PORT. */
export interface InstancesStart {
  readonly supervisor: Supervisor;
  readonly name: string;
  /** Passed to a shell. */
  readonly command: string;
  readonly count: number;
  /** The value of REDIS_URL. */
  readonly redisUrl: string;
  readonly secrets: readonly string[];
  readonly signal: AbortSignal;
}

const LOOPBACK = '127.0.0.1';
/** Compiling servers, such as those of TypeScript or a JVM, take tens of seconds. */
const READY_MS = 60_000;

/**
 * Starts the instances and resolves when each accepts connections. They end with the supervisor.
 * @throws TestbedError API_NOT_STARTED, with the end of the output
 */
export async function startInstances(options: InstancesStart): Promise<Limiter[]> {
  const { count, signal, supervisor } = options;
  const folder = supervisor.temporaryFolder('api');
  const started: Limiter[] = [];
  for (let index = 0; index < count; index += 1) started.push(await startInstance(options, index, folder));
  await Promise.all(started.map(async (instance) => await untilListening(instance, signal)));
  return started;
}

async function startInstance(
  { command, name: prefix, redisUrl, secrets, supervisor }: InstancesStart,
  index: number,
  folder: string,
): Promise<Limiter> {
  const port = await freePort([LOOPBACK]);
  const name = `${prefix}-${index}`;
  const process = await supervisor.start({
    name,
    command: '/bin/sh',
    // A shell with a trap waits for the command that it runs, which gets the signal as well, and may end in its own time.
    args: ['-c', `trap : TERM\n${command}`],
    env: { ...environmentOfUser(), PORT: String(port), REDIS_URL: redisUrl },
    logFile: join(folder, `${name}.log`),
    secrets,
  });
  return { name, ip: LOOPBACK, port, url: `http://${LOOPBACK}:${port}`, process };
}

/** The environment of this process without what bootstrap.mjs adds: the user's command runs on the user's Node. */
export function environmentOfUser(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const { NODE_COMPILE_CACHE: cache, ...rest } = env;
  const ofThisProject = join(root, 'node_modules');
  const isOurs = (path: string): boolean => path === ofThisProject || path.startsWith(ofThisProject + sep);
  const path = (env['PATH'] ?? '').split(delimiter).filter((folder) => !isOurs(folder));
  return {
    ...rest,
    PATH: path.join(delimiter),
    ...(cache !== undefined && !isOurs(cache) && { NODE_COMPILE_CACHE: cache }),
  };
}

async function untilListening({ ip, name, port, process }: Limiter, signal: AbortSignal): Promise<void> {
  try {
    await process.untilReady(() => accepts({ host: ip, port }), READY_MS, signal);
  } catch (error) {
    if (!(error instanceof TestbedError)) throw error;
    throw new TestbedError(API_NOT_STARTED, `${error.message}\n(${name} had PORT=${port})`, { cause: error });
  }
}

/** An API and its Redis, to be registered in one namespace. */
export interface OwnTarget {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The processes are known if they were started here. */
  readonly instances: readonly (Address & { readonly name: string; readonly process?: OwnedProcess })[];
  readonly redis: OwnRedis;
  /** Left out: the instances connect to Redis itself. */
  readonly proxy?: OwnFaultProxy | undefined;
  /** Keys that stand for callers; left out: none are needed. */
  readonly accounts?: readonly string[] | undefined;
}

/** The Secret with those keys. */
export const CALLERS_SECRET = 'api-callers';

/**
 * Their pods, that of Redis, the Service `redis` and, for a Redis with a password, the Secret `redis-auth`; the same of
 * the fault proxy.
 */
export function ownTarget({ accounts, instances, labels, namespace, proxy, redis }: OwnTarget): Target {
  const { password, username } = redis;
  const login =
    password === undefined ? undefined : { ...(username !== undefined && { username }), password };
  const pods = instances.map(({ host, name, port, process }) =>
    podOf(namespace, name, labels, 'http', { host, port, pid: process?.pid }),
  );
  const own = withRedis(pods, redisPod(namespace, redis), login);
  const between = proxy ? proxyTarget(namespace, proxy) : { objects: [], pods: [] };
  const secrets = accounts ? [accountsSecret(namespace, labels, accounts)] : [];
  return {
    objects: [...own.objects, ...secrets, ...between.objects],
    pods: [...own.pods, ...between.pods],
  };
}

function accountsSecret(namespace: string, labels: OwnTarget['labels'], accounts: readonly string[]): object {
  const selector = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  const data = { selector: selector.join(','), callers: accounts.join('\n') };
  return secretObject(namespace, CALLERS_SECRET, 'chaosdemo.dev/http-auth', data);
}

/** The pod of a fault proxy, the Service of its control API and the Secret with its token, for `FAULT_PROXY`. */
export function proxyTarget(namespace: string, { controlPort, host, pid, token }: OwnFaultProxy): Target {
  const { authSecretName, serviceName: name } = FAULT_PROXY;
  const pod = podOf(namespace, `${name}-0`, { app: name }, 'control', { host, port: controlPort, pid });
  const service = { namespace, name, selector: pod.labels, port: 8474, targetPort: 'control' };
  const secret = redisSecret(namespace, authSecretName, { password: token });
  return { objects: [serviceObject(service), secret], pods: [pod] };
}
