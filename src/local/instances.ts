/** Starts instances of an API by a command of the user. All of them listen on loopback, each on its own port. */
import { delimiter, join, sep } from 'node:path';
import { freePort, type Supervisor, TestbedError } from '@chaosdemo/testbed';
import { accepts } from './address.ts';
import { API_NOT_STARTED } from './errors.ts';
import type { Limiter } from './limiters.ts';
import { root } from './root.ts';

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
