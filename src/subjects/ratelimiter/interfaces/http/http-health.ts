/** Looks at pods behind an HTTP API: whether each answers, and whether Redis does. */
import { type HealthNode, type HealthSnapshot, UNREACHABLE } from '../../../../demo/health.ts';
import type { Toolkit } from '../../faults/fault.ts';
import type { Asked } from '../../http/node-client.ts';
import { messageOf, pauseFor } from '../../waiting.ts';
import type { HttpInterfaceSpec } from './schema.ts';

export interface PodHealthOptions extends Pick<Toolkit, 'askers' | 'now' | 'redis' | 'timeoutMs'> {
  readonly health: HttpInterfaceSpec['health'];
  readonly intervalMs: number;
}

/** What a look may be late by before the last one is called stale: the machine has other things to do. */
const LATE_MS = 1000;

/** Looks at once and then every `intervalMs`, until `signal` aborts. */
export async function pollPods(
  options: PodHealthOptions,
  tell: (snapshot: HealthSnapshot) => void,
  signal: AbortSignal,
): Promise<void> {
  const { intervalMs, now, timeoutMs } = options;
  try {
    for (;;) {
      const start = performance.now();
      const look = await lookAtPods(options, signal);
      const at = now();
      tell({ ...look, lastUpdated: at, validUntil: at + intervalMs + timeoutMs + LATE_MS });
      await pauseFor(intervalMs - (performance.now() - start), signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function lookAtPods(
  { askers, health, redis, timeoutMs }: PodHealthOptions,
  signal: AbortSignal,
): Promise<Omit<HealthSnapshot, 'lastUpdated' | 'validUntil'>> {
  const request = { method: 'GET', path: health.path };
  const [store, ...asked] = await Promise.all([
    redis.read().then(
      () => undefined,
      (error: unknown) => messageOf(error),
    ),
    ...askers.map(async (client) => await client.ask(request, timeoutMs, signal)),
  ]);
  signal.throwIfAborted();
  const problems = asked.map((answer) => problemOf(answer, health));
  const nodes = askers.map(({ node: { host, name, port } }, i): HealthNode => {
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    return { id: name, address, state: problems[i] === undefined ? 'ready' : UNREACHABLE };
  });
  const issues = askers.flatMap(({ node }, i) =>
    problems[i] === undefined ? [] : [`${node.name}: GET ${health.path}: ${problems[i]}`],
  );
  if (store !== undefined) issues.push(store);
  return {
    nodes,
    dependencies: [{ name: 'Redis', connected: store === undefined }],
    hasIssues: issues.length > 0,
    issues,
  };
}

function problemOf(
  { answer, failure }: Asked,
  { statuses }: HttpInterfaceSpec['health'],
): string | undefined {
  if (!answer) return failure?.message ?? 'it was not asked';
  if (statuses.includes(answer.status)) return undefined;
  return `answered ${answer.status}, and interface.http.health.statuses are ${statuses.join(', ')}`;
}
