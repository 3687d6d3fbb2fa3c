/** Looks at the rate limiter: the nodes as it lists them, and whether each of them reaches Redis. */

import { messageOf } from '../../../../api/index.ts';
import { type HealthNode, type HealthSnapshot, UNREACHABLE } from '../../../../demo/health.ts';
import type { NodeTarget } from '../../target.ts';
import type { Look } from '../poll-health.ts';
import { type LimiterClient, LimiterClientError, type NodesAnswer } from './limiter-client.ts';

export interface HealthOptions {
  /** One for each node, in the same order. */
  readonly clients: readonly LimiterClient[];
  readonly nodes: readonly NodeTarget[];
}

/** One look; what fails is an issue of the snapshot. @throws only the reason of `signal` */
export async function lookAtLimiter(
  { clients, nodes }: HealthOptions,
  signal: AbortSignal,
): ReturnType<Look> {
  let strangers = 0;
  const asking = Promise.all(
    clients.map(async (client): Promise<boolean | string> => {
      try {
        return await client.health(signal);
      } catch (error) {
        if (error instanceof LimiterClientError && saysSomethingElse(error)) strangers += 1;
        return messageOf(error);
      }
    }),
  );
  const [listing, healths] = await Promise.all([listNodes(clients, asking, signal), asking]);
  signal.throwIfAborted();
  const snapshot = snapshotOf(nodes, listing, healths);
  // None lists the others either, and each has answered: they are something else.
  if (typeof listing !== 'string' || clients.length === 0 || strangers < clients.length) return snapshot;
  return { ...snapshot, issues: [NOT_OF_THE_INTERFACE, ...snapshot.issues] };
}

/** An answer came, and be it one that is no HTTP. */
function saysSomethingElse({ failure, status }: LimiterClientError): boolean {
  return status !== undefined || failure === 'INVALID';
}

const NOT_OF_THE_INTERFACE =
  'the pods answer, but not as docs/interface.md has it: for an API of your own set subject.rateLimiter.interface.type to HTTP (docs/your-limiter.md), or correct subject.rateLimiter.port';

/**
 * The list of the first node, or of another one that answers. One at a time: a list may be 64 KiB long, and from 200
 * nodes at once it would hold up everything else. Takes as long as two answers may, at most.
 */
async function listNodes(
  clients: readonly LimiterClient[],
  healths: Promise<readonly (boolean | string)[]>,
  signal: AbortSignal,
): Promise<NodesAnswer | string> {
  const [first] = clients;
  if (!first) return 'there is no node';
  try {
    return await first.nodes(signal);
  } catch (error) {
    const answers = await healths;
    signal.throwIfAborted();
    const other = clients.find((client, i) => client !== first && typeof answers[i] === 'boolean');
    return (await other?.nodes(signal).catch(() => undefined)) ?? messageOf(error);
  }
}

/**
 * What a look comes to. `listing` is what a node lists, or why none does;
 * `healths` says for each node whether it reaches Redis, or why it is not known. Pure.
 */
export function snapshotOf(
  targets: readonly NodeTarget[],
  listing: NodesAnswer | string,
  healths: readonly (boolean | string)[],
): Omit<HealthSnapshot, 'lastUpdated' | 'validUntil'> {
  const listed = typeof listing === 'string' ? [] : listing;
  const issues: string[] = typeof listing === 'string' ? [`no node lists the others: ${listing}`] : [];
  const nodes = targets.map(({ name, host, port }, i): HealthNode => {
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const entry = listed.find((node) => node.id === name) ?? listed.find((node) => node.address === address);
    const health = healths[i];
    if (typeof health !== 'boolean') {
      issues.push(health ?? `${name} was not asked`);
      return { id: name, address, state: UNREACHABLE };
    }
    if (!health) issues.push(`${name} does not reach Redis`);
    const state = entry?.state ?? 'unknown';
    if (state !== 'ready') {
      issues.push(
        entry ? `${name} is ${state}` : `${name} is not among the nodes that the rate limiter knows`,
      );
    }
    return { id: name, address, state };
  });
  const connected = healths.length > 0 && healths.every((health) => health === true);
  return {
    nodes,
    dependencies: [{ name: 'Redis', connected }],
    hasIssues: issues.length > 0 || !connected,
    issues,
  };
}
