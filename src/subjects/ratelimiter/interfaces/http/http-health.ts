/** Looks at pods behind an HTTP API: whether each answers, and whether Redis does. */
import { type HealthNode, type HealthSnapshot, UNREACHABLE } from '../../../../demo/health.ts';
import type { Asked, NodeClient } from '../../http/node-client.ts';
import { messageOf } from '../../waiting.ts';
import type { HttpInterfaceSpec } from './schema.ts';

export interface HttpHealthOptions {
  readonly clients: readonly NodeClient[];
  readonly health: HttpInterfaceSpec['health'];
  readonly timeoutMs: number;
  /** Rejects where Redis does not answer. */
  readonly pingRedis: () => Promise<unknown>;
}

/** One look; what fails is an issue of the snapshot. @throws only the reason of `signal` */
export async function lookAtPods(
  { clients, health, pingRedis, timeoutMs }: HttpHealthOptions,
  signal: AbortSignal,
): Promise<Omit<HealthSnapshot, 'lastUpdated' | 'validUntil'>> {
  const request = { method: 'GET', path: health.path };
  const [redis, ...asked] = await Promise.all([
    pingRedis().then(
      () => undefined,
      (error: unknown) => messageOf(error),
    ),
    ...clients.map(async (client) => await client.ask(request, timeoutMs, signal)),
  ]);
  signal.throwIfAborted();
  const problems = asked.map((answer) => problemOf(answer, health));
  const nodes = clients.map(({ node: { host, name, port } }, i): HealthNode => {
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    return { id: name, address, state: problems[i] === undefined ? 'ready' : UNREACHABLE };
  });
  const issues = clients.flatMap(({ node }, i) =>
    problems[i] === undefined ? [] : [`${node.name}: GET ${health.path}: ${problems[i]}`],
  );
  if (redis !== undefined) issues.push(redis);
  return {
    nodes,
    dependencies: [{ name: 'Redis', connected: redis === undefined }],
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
