/** The services of the survey: one for each language, with the locks of its libraries, made from pinned packages. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, type Supervisor, startRedis } from '@chaosdemo/testbed';
import { execa } from 'execa';
import { accepts } from '../../src/local/address.ts';
import type { Listener } from '../../src/local/target.ts';
import { REDIS_HOSTS, redisHostFor } from '../runner/own-network.ts';
import { ipsOf } from '../runner/start.ts';
import type { Library } from './libraries.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
/** As many as `chaosdemo test --start` starts. */
const PODS = 3;
const READY_MS = 60_000;

interface Service {
  /** What makes it in its folder. */
  readonly make: readonly [command: string, ...args: string[]];
  /** For a shell. */
  readonly start: string;
}

const SERVICES: Readonly<Record<Library['folder'], Service>> = {
  node: { make: ['npm', 'ci', '--silent'], start: `node ${here}node/server.mjs` },
  python: {
    make: ['sh', '-c', 'python3 -m venv venv && venv/bin/pip install --quiet -r requirements.txt'],
    start: `${here}python/venv/bin/python ${here}python/server.py`,
  },
  go: { make: ['go', 'build', '-o', 'service', '.'], start: `${here}go/service` },
  // A small service; by default each would take a quarter of the memory.
  java: {
    make: ['mvn', '--batch-mode', '--quiet', 'package'],
    start: `java -Xmx256m -XX:TieredStopAtLevel=1 -cp "${here}java/target/service.jar:${here}java/target/lib/*" survey.Service`,
  },
};

/** Makes the services that these libraries are in. */
export async function makeServices(libraries: readonly Library[]): Promise<void> {
  for (const folder of new Set(libraries.map((library) => library.folder))) {
    const [command, ...args] = SERVICES[folder].make;
    await execa(command, args, { cwd: join(here, folder), stdout: 'inherit', stderr: 'inherit' });
  }
}

/** The command that starts an instance. */
export const startOf = ({ folder }: Library): string => SERVICES[folder].start;

/** Starts instances, each at an address of its own. They end with the supervisor. */
export async function startInstances(
  library: Library,
  supervisor: Supervisor,
  envAt: (host: string) => Readonly<Record<string, string>>,
): Promise<readonly Listener[]> {
  const folder = supervisor.temporaryFolder('lock');
  return await Promise.all(
    ipsOf(PODS).map(async (host) => {
      const port = await freePort([host]);
      const instance = await supervisor.start({
        name: `${library.lib} at ${host}`,
        command: '/bin/sh',
        args: ['-c', `exec ${startOf(library)}`],
        env: { ...process.env, ...envAt(host), HOST: host, PORT: String(port) },
        logFile: join(folder, `${host}.log`),
      });
      await instance.untilReady(() => accepts({ host, port }), READY_MS);
      return { host, port, pid: instance.pid };
    }),
  );
}

/**
 * Starts Redis and instances that reach it from an address each, as pods do; only in an own network. Returns the options
 * of `chaosdemo test` that name them.
 */
export async function startApart(
  library: Library,
  env: Readonly<Record<string, string>>,
  supervisor: Supervisor,
): Promise<readonly string[]> {
  const redis = await startRedis({ supervisor, settings: [`bind ${REDIS_HOSTS.join(' ')}`] });
  const instances = await startInstances(library, supervisor, (host) => ({
    ...env,
    REDIS_URL: `redis://${redisHostFor(host)}:${redis.port}`,
  }));
  const urls = instances.map(({ host, port }) => `--url=http://${host}:${port}/`);
  return [...urls, `--redis=redis://127.0.0.1:${redis.port}`];
}
