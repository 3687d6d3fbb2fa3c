/**
 * A separate network for programs whose processes have to reach Redis from different addresses, as pods do: on one
 * machine, every process reaches a loopback address from 127.0.0.1. Only Linux has such networks.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const MARK = 'CHAOSDEMO_OWN_NETWORK';
/** More processes over one Redis are never started. */
const MOST_PROCESSES = 4;
const IPS = Array.from({ length: MOST_PROCESSES }, (_, index) => `127.0.0.${index + 2}`);

/** The address of Redis for the process at `ip`. In an own network, that process reaches it from `ip`. */
export const redisHostFor = (ip: string): string => ip.replace(/^127\.0\.0\./, '127.0.1.');

/** All addresses at which a server in an own network is reached. */
export const REDIS_HOSTS: readonly string[] = ['127.0.0.1', ...IPS.map(redisHostFor)];

/** Whether this process is in one. */
export const inOwnNetwork = process.env[MARK] !== undefined;

/**
 * Runs this program again, with the same arguments, in a separate network: it ends with that process and reaches
 * nothing else. Returns its exit status.
 * @throws if the kernel permits no network namespaces
 */
export async function runInOwnNetwork(signal: AbortSignal): Promise<number> {
  const routes = IPS.map((ip) => `ip route add local ${redisHostFor(ip)} dev lo src ${ip} table local`);
  const script = ['ip link set lo up', ...routes, 'exec "$0" "$@"'].join(' && ');
  const program = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn('unshare', ['--net', '--map-root-user', 'sh', '-c', script, ...program], {
    stdio: 'inherit',
    env: { ...process.env, [MARK]: '1' },
  });
  const end = (): void => void child.kill('SIGINT');
  signal.addEventListener('abort', end, { once: true });
  try {
    const [status] = (await once(child, 'exit')) as [number | null];
    return status ?? 1;
  } catch (error) {
    throw new Error(
      'This needs a network namespace: run it on Linux with unshare and ip, as root or with user namespaces',
      { cause: error },
    );
  } finally {
    signal.removeEventListener('abort', end);
  }
}
