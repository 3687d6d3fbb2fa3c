/** A fault proxy on this machine, between instances that are started here and their Redis. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, type Supervisor } from '@chaosdemo/testbed';
import { type Address, accepts } from './address.ts';
import { programFile } from './root.ts';

/** `redis.faultProxy` of one that is registered. */
export const FAULT_PROXY = { serviceName: 'fault-proxy', authSecretName: 'fault-proxy-auth' } as const;

/** Where instances find Redis, and where the operator controls the faults. */
export interface OwnFaultProxy extends Address {
  readonly controlPort: number;
  readonly token: string;
  /** Left out: it is not known. */
  readonly pid?: number;
}

const LOOPBACK = '127.0.0.1';
const READY_MS = 30_000;

/** Starts it, and resolves once it accepts connections. @throws TestbedError with the end of its output */
export async function startFaultProxy(
  upstream: Address,
  { signal, supervisor }: { readonly signal: AbortSignal; readonly supervisor: Supervisor },
): Promise<OwnFaultProxy> {
  const [port, controlPort] = [await freePort([LOOPBACK]), await freePort([LOOPBACK])];
  const token = randomBytes(16).toString('hex');
  const folder = supervisor.temporaryFolder('fault-proxy');
  await writeFile(join(folder, 'token'), token, { mode: 0o600 });
  const started = await supervisor.start({
    name: 'fault-proxy',
    command: process.execPath,
    args: [
      programFile('src/fault-proxy/main.ts', './fault-proxy.mjs'),
      `--host=${LOOPBACK}`,
      `--port=${port}`,
      `--control-port=${controlPort}`,
      `--upstream=${upstream.host}:${upstream.port}`,
      `--token-file=${join(folder, 'token')}`,
    ],
    env: { PATH: process.env['PATH'] },
    logFile: join(folder, 'log'),
    secrets: [token],
  });
  await started.untilReady(() => accepts({ host: LOOPBACK, port: controlPort }), READY_MS, signal);
  return { host: LOOPBACK, port, controlPort, token, pid: started.pid };
}
