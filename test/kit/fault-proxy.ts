/** A fault proxy as its image runs it: a separate process, on ports that stay the same when it is started again. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FaultProxyTarget } from '@chaosdemo/redis-faults';
import { freePort, type Kubectl } from '@chaosdemo/testbed';
import { proxyTarget, registerAt } from '../../src/local/target.ts';
import { until } from './until.ts';

const PROGRAM = fileURLToPath(new URL('../../src/fault-proxy/main.ts', import.meta.url));
export const TOKEN = 'a-token-of-the-tests';

export interface RunningProxy {
  readonly host: string;
  /** For clients of Redis. */
  readonly port: number;
  readonly controlPort: number;
  /** To the same Redis, without faults. */
  readonly directPort: number;
  readonly target: FaultProxyTarget;
  /** SIGKILL; resolves once it is gone. */
  kill(): Promise<void>;
  /** Starts it again. */
  start(): Promise<void>;
  /** The answer of its control API. */
  get(path: '/connections' | '/fault'): Promise<Record<string, unknown>>;
}

/** Starts one before a Redis, and resolves once it listens: at 127.0.0.1, or at all addresses. */
export async function startFaultProxy(
  upstream: { readonly host: string; readonly port: number },
  listen = '127.0.0.1',
): Promise<RunningProxy> {
  const host = '127.0.0.1';
  const [port, controlPort, directPort] = [await freePort(), await freePort(), await freePort()];
  const get: RunningProxy['get'] = async (path) => {
    const url = `http://${host}:${controlPort}${path}`;
    const response = await fetch(url, { headers: { authorization: `Bearer ${TOKEN}` } });
    return (await response.json()) as Record<string, unknown>;
  };
  const launch = async () => {
    const tokenFile = join(tmpdir(), `chaosdemo-token-${randomUUID()}`);
    await writeFile(tokenFile, TOKEN);
    const args = [
      PROGRAM,
      `--host=${listen}`,
      `--port=${port}`,
      `--control-port=${controlPort}`,
      `--direct-port=${directPort}`,
      `--upstream=${upstream.host}:${upstream.port}`,
      `--token-file=${tokenFile}`,
    ];
    const env = { PATH: process.env['PATH'] };
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
    const isReady = async () => child.exitCode !== null || (await get('/fault'))['port'] === port;
    await until(isReady, { what: 'the fault proxy to listen', deadlineMs: 30_000 });
    await rm(tokenFile);
    if (child.exitCode !== null) throw new Error(`the fault proxy ended with ${child.exitCode}`);
    return child;
  };
  let child = await launch();
  return {
    host,
    port,
    controlPort,
    directPort,
    target: { podName: 'fault-proxy-0', host, port: controlPort, token: TOKEN },
    get,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
    async start() {
      child = await launch();
    },
  };
}

/** Registers its pod, the Service of its control API, and the Secret with its token, for `FAULT_PROXY`. */
export async function registerFaultProxy(
  kubectl: Kubectl,
  namespace: string,
  { controlPort, host, port }: RunningProxy,
): Promise<void> {
  await registerAt(kubectl, proxyTarget(namespace, { controlPort, host, port, token: TOKEN }));
}
