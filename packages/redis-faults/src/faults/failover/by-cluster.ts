/**
 * A failover of each primary of a Cluster, one after the other, to a replica. The primary hands over: it takes no more
 * writes until the replica has them all, so that nothing is lost, and clients are redirected.
 * Source: https://redis.io/docs/latest/commands/cluster-failover/
 */
import { allOf, each, type PerServer } from '../../client/per-server.ts';
import type { RedisConnections } from '../../client/redis-client.ts';
import { RedisClientError } from '../../client/redis-error.ts';
import { roleIn } from '../../client/redis-info.ts';
import { type RedisTarget, redisName } from '../../client/redis-target.ts';
import { listed, messageOf } from '../../text.ts';
import { pauseFor } from '../../waiting.ts';
import { type Begun, FencedFailover } from './fenced-failover.ts';

/** Interval between two looks at the role of a replica; milliseconds. */
const EVERY_MS = 50;

/** A primary and the replica that takes its place. */
interface Shard {
  readonly former: RedisTarget;
  readonly target: RedisTarget;
  readonly replica: RedisConnections;
}

export class ByCluster extends FencedFailover {
  protected readonly endsEarly = false;
  #connected: PerServer<Shard> | undefined;

  /** @throws Error if no replica of a primary is known */
  get #shards(): PerServer<Shard> {
    const { redis, target: store } = this.tools;
    this.#connected ??= each(store.redis, (former) => {
      const { replica: target } = former;
      if (!target) throw new Error(`no replica of ${redisName(former)} is in sync: start one, and run again`);
      return { former, target, replica: redis.connect(target) };
    });
    return this.#connected;
  }

  protected async primaries(): Promise<string | undefined> {
    const { redis } = this.tools;
    const infos = await allOf(each(redis.servers, (server) => server.info('replication')));
    return infos.every((info) => roleIn(info) === 'master') ? `${(await redis.facts()).runId}/0` : undefined;
  }

  protected async swapRoles(until: number, onSend: () => void, signal: AbortSignal): Promise<Begun> {
    const begun: string[] = [];
    for (const { replica } of this.#shards) {
      const problem = await this.#failOver(replica, until, onSend, signal);
      if (problem === undefined) {
        begun.push(replica.name);
        continue;
      }
      if (begun.length === 0 && problem instanceof Error) throw problem;
      const others = begun.length > 0 ? `. ${listed(begun)} became primary before` : '';
      return { answer: `${messageOf(problem)}${others}` };
    }
    const names = listed(begun);
    return {
      answer: `CLUSTER FAILOVER was sent to ${names}`,
      seen: `${names} reported the role of a primary`,
    };
  }

  /** @returns why it did not become a primary; an Error: the command was not carried out */
  async #failOver(
    replica: RedisConnections,
    until: number,
    onSend: () => void,
    signal: AbortSignal,
  ): Promise<Error | string | undefined> {
    const { now } = this.tools;
    let isSent = false;
    let outcome = `${replica.name} accepted CLUSTER FAILOVER`;
    try {
      await replica.failOver(() => {
        onSend();
        isSent = true;
      });
    } catch (error) {
      const rejected = error instanceof RedisClientError && error.reply !== undefined;
      if (!isSent || rejected) return error instanceof Error ? error : new Error(messageOf(error));
      outcome = messageOf(error);
    }
    while (now() < until) {
      if (await isPrimary(replica)) return undefined;
      await pauseFor(EVERY_MS, signal);
    }
    return `${outcome}. It was no primary by the end of the duration of the fault`;
  }

  /** Of each primary and its replica, which one is the primary now. */
  async findPrimaries(): Promise<PerServer<RedisTarget>> {
    return await allOf(
      each(this.#shards, async ({ former, replica, target }) =>
        (await isPrimary(replica)) ? target : former,
      ),
    );
  }
}

async function isPrimary(server: RedisConnections): Promise<boolean> {
  return roleIn(await server.info('replication').catch(() => '')) === 'master';
}
