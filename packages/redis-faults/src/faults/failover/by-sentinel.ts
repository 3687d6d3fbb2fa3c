/**
 * A failover by Sentinel, which makes the former primary a replica only some ten seconds later. Until then both take
 * writes, and those to the former one are lost.
 */
import type { PerServer } from '../../client/per-server.ts';
import { type RedisTarget, redisName, type SentinelsTarget, settingOf } from '../../client/redis-target.ts';
import { beginFailover, isInPod, newestWatch, otherPrimary, readWatches } from '../../client/sentinel.ts';
import { listed, messageOf } from '../../text.ts';
import type { FaultTools } from '../fault.ts';
import { type Begun, FencedFailover } from './fenced-failover.ts';

/** How long Sentinels and the API server may take; milliseconds. */
const FIND_MS = 3000;

export class BySentinel extends FencedFailover {
  protected readonly endsEarly = true;
  readonly #sentinels: SentinelsTarget;

  constructor(tools: FaultTools, sentinels: SentinelsTarget, fixture: () => string) {
    super(tools, fixture);
    this.#sentinels = sentinels;
  }

  protected async primaries(signal: AbortSignal): Promise<string | undefined> {
    const watches = await readWatches(this.#sentinels, signal);
    const reported = new Set(watches.map(({ epoch, runId }) => `${runId}/${epoch.toString(36)}`));
    const [primary] = reported;
    return reported.size === 1 && watches.every(({ flags }) => flags === 'master') ? primary : undefined;
  }

  protected async swapRoles(until: number, onSend: () => void, signal: AbortSignal): Promise<Begun> {
    const { masterName, servers } = this.#sentinels;
    const [sentinel] = servers;
    if (!sentinel) throw new Error('there is no Sentinel');
    const name = redisName(sentinel);
    let isSent = false;
    let answer = `${name} accepted SENTINEL FAILOVER ${masterName}`;
    try {
      await beginFailover(sentinel, masterName, signal, () => {
        onSend();
        isSent = true;
      });
    } catch (error) {
      if (!isSent) throw error;
      if (error instanceof Error && error.name === 'ReplyError') {
        throw new Error(`${name} rejected SENTINEL FAILOVER: ${error.message}`, { cause: error });
      }
      answer = `SENTINEL FAILOVER ${masterName} was sent to ${name}, and got no reply: ${messageOf(error)}`;
    }
    const { now, target } = this.tools;
    const seen = await otherPrimary(this.#sentinels, target.redis[0], until - now(), signal);
    return seen
      ? { answer, seen: `${redisName(seen.sentinel)} reported ${seen.address} as the primary` }
      : {
          answer: `${answer}. No Sentinel reported another primary by the end of the duration of the fault`,
        };
  }

  /**
   * Always a pod behind the Service: a Sentinel must not choose where a password is sent. It has the address that the
   * Sentinels report and, once they have read it, the run_id.
   */
  async findPrimaries(): Promise<PerServer<RedisTarget>> {
    const { findStore, lifetime, target } = this.tools;
    const [former] = target.redis;
    const signal = AbortSignal.any([lifetime, AbortSignal.timeout(FIND_MS)]);
    const watch = newestWatch(await readWatches(this.#sentinels, signal), former);
    if (!watch) throw new Error('no Sentinel reports a new primary');
    const pods = await findStore(signal);
    const others = pods.filter(({ host, port }) => host !== former.host || port !== former.port);
    const [only] = others;
    if (only && others.length === 1 && isInPod(watch, only)) {
      return [watch.runId === '' ? only : { ...only, runId: watch.runId }];
    }
    throw new Error(
      `${settingOf(former, 'serviceName')} leads to ${listed(pods.map(redisName))}, and the Sentinels report ${watch.address} as the primary: let its selector follow a failover, by a label of the primary`,
    );
  }
}
