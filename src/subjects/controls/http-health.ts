import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { messageOf } from '../../api/index.ts';
import { type HealthSnapshot, READY, UNREACHABLE } from '../../engine/health.ts';
import type { Failure, FailureCode } from '../http/failure.ts';
import type { PodClient } from '../http/pod-client.ts';
import type { Toolkit } from '../scenarios/tools.ts';

/** The result of a plain HTTP request to a server that does not speak HTTP, or speaks HTTPS. */
const NO_HTTP: ReadonlySet<FailureCode> = new Set(['RESET', 'BAD_ANSWER']);

/** How late a check may be before the last one is stale; milliseconds. */
const LATE_MS = 1000;

type Parts = Pick<Toolkit, 'health' | 'podClients' | 'now' | 'redis'>;

/** Checks at once and then every `intervalMs`. @throws only the reason of `signal` */
export async function pollHealth(
  parts: Parts,
  intervalMs: number,
  onSnapshot: (snapshot: HealthSnapshot) => void,
  signal: AbortSignal,
): Promise<never> {
  for (;;) {
    const start = performance.now();
    const seen = await checkHealth(parts, signal);
    const at = parts.now();
    const validUntil = at + intervalMs + parts.health.timeoutMs + LATE_MS;
    onSnapshot({ ...seen, lastUpdated: at, validUntil });
    await pauseFor(intervalMs - (performance.now() - start), signal);
  }
}

/** One check; a failure is an issue of the snapshot. @throws only the reason of `signal` */
export async function checkHealth(
  { health, podClients, redis }: Omit<Parts, 'now'>,
  signal: AbortSignal,
): Promise<Omit<HealthSnapshot, 'lastUpdated' | 'validUntil'>> {
  const [store, ...found] = await Promise.all([
    // A command on data would count as one of the pods: see `storeControlOf`.
    redis.ping().then(
      () => undefined,
      (error: unknown) => messageOf(error),
    ),
    ...podClients.map(async (client) => ({
      name: client.pod.name,
      problem: await problemOf(client, health, signal),
    })),
  ]);
  signal.throwIfAborted();
  const issues = found.flatMap(({ name, problem }) => (problem === undefined ? [] : [`${name}: ${problem}`]));
  if (store !== undefined) issues.push(store);
  return {
    pods: found.map(({ name, problem }) => ({ name, state: problem === undefined ? READY : UNREACHABLE })),
    dependencies: [{ name: 'Redis', connected: store === undefined }],
    hasIssues: issues.length > 0,
    issues,
  };
}

/** Without a path, a pod is healthy if it accepts connections. */
async function problemOf(
  client: PodClient,
  { path, timeoutMs }: Toolkit['health'],
  signal: AbortSignal,
): Promise<string | undefined> {
  if (path === undefined) return (await client.reach(timeoutMs, signal))?.message;
  const { answer, failure } = await client.send({ method: 'GET', path }, timeoutMs, signal);
  // As for kubelet probes.
  if (answer && answer.status >= 200 && answer.status < 400) return undefined;
  const problem = answer
    ? `responded with ${answer.status}, and a healthy pod responds with 200 to 399: correct health.path`
    : noAnswer(failure, client.pod.serverName !== undefined);
  return `GET ${path}: ${problem}`;
}

function noAnswer({ code, message }: Failure, tls: boolean): string {
  if (!NO_HTTP.has(code) || tls) return message;
  return `${message}; correct port, or set http.tls if the pods speak TLS`;
}
