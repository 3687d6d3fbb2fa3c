/**
 * Whether pods behind HTTP use the very Redis that the spec names. Only Redis itself shows that, by its command
 * counts: they have to grow during a request that no pod can decide without Redis, and less while no request is
 * open. This needs no further rights and does not depend on addresses, which a proxy may rewrite.
 */
import { type CommandCounts, grown, type StoreConnections } from '@chaosdemo/redis-faults';
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { counted } from '../../api/index.ts';
import { sumOf } from '../history/counts.ts';
import type { CallerRequest } from '../history/events.ts';
import type { PodClient } from '../http/pod-client.ts';

/** How long Redis is observed without requests before the first one; milliseconds. */
const REST_MS = 1000;
/** How long pods that synchronise at intervals may take to reach Redis; milliseconds. */
const LATE_MS = 5000;
const POLL_MS = 100;
/** Requests that are watched, the first of a caller: each costs two reads of INFO. */
const MOST_WATCHED = 200;
/** Other clients may look like the pods by chance; at most this probability is accepted. */
const MOST_CHANCE = 1e-3;

/** One request, with all that Redis did from before it until after its answer. */
export interface WatchedRequest {
  readonly pod: string;
  readonly sentAt: number;
  readonly ms: number;
  /** Calls of commands on data, by name. */
  readonly grown: ReadonlyMap<string, number>;
}

/** All that Redis did while no request was open. */
type Idle = Pick<WatchedRequest, 'grown' | 'ms'>;

/** What was observed, in words. A doubt is a shortfall for every check that needs the pods to use this Redis. */
interface StoreSeen {
  readonly message: string;
  readonly doubt?: string;
}

/** Reads the command counts of Redis around the requests of one new caller. */
export class StoreControl {
  readonly #redis: Pick<StoreConnections, 'commandCounts' | 'name'>;
  readonly #part: string;
  readonly #watched: WatchedRequest[] = [];
  readonly #idle = new Map<string, number>();
  #idleMs = 0;
  #idleSum = 0;
  #reads = 0;
  #first: CommandCounts | undefined;
  #last: { readonly counts: CommandCounts; readonly at: number } | undefined;

  /** @param part of the spec, for messages */
  constructor(redis: Pick<StoreConnections, 'commandCounts' | 'name'>, part: string) {
    this.#redis = redis;
    this.#part = part;
  }

  /** Observes for a second what Redis does without requests. @throws RedisClientError */
  async rest(signal: AbortSignal): Promise<void> {
    await this.#readIdle();
    await pauseFor(REST_MS, signal);
    await this.#readIdle();
    this.#idleSum = sumOf(this.#idle.values());
  }

  /**
   * Wraps these clients to read the counts around their first requests. Requests have to be sent one after the other.
   */
  around(clients: readonly PodClient[]): Pick<PodClient, 'pod' | 'send'>[] {
    return clients.map((client) => ({
      pod: client.pod,
      send: async (...args: Parameters<PodClient['send']>) => {
        if (this.#watched.length >= MOST_WATCHED) return await client.send(...args);
        const start = performance.now();
        const before = await this.#readIdle();
        const result = await client.send(...args);
        const after = await this.#read();
        this.#last = { counts: after, at: performance.now() };
        const ms = this.#last.at - start;
        this.#watched.push({ pod: client.pod.name, sentAt: result.sentAt, ms, grown: grown(before, after) });
        return result;
      },
    }));
  }

  /**
   * What was observed once the caller has exhausted its limit. Waits up to 5 s if there was no command so far.
   * @param other what else would show it; left out: the fields of the spec that name Redis
   * @throws Error if no client used this Redis, with the field to correct; RedisClientError
   */
  async conclude(
    requests: readonly CallerRequest[],
    other: string | undefined,
    signal: AbortSignal,
  ): Promise<StoreSeen> {
    const { name } = this.#redis;
    const deadline = performance.now() + LATE_MS;
    while (this.#commandsSince === 0 && performance.now() < deadline) {
      await pauseFor(POLL_MS, signal);
      await this.#readIdle();
    }
    // Reading the counts is a command itself: it proves that they are counted.
    const seen = (this.#last?.counts.info ?? 0) - (this.#first?.info ?? 0);
    if (seen < this.#reads - 1) return this.#doubtful(`${name} does not count its commands`, other);
    if (this.#commandsSince === 0) {
      throw new Error(
        `without any fault one caller made ${counted(requests.length, 'request')}, and ${name} received no data command during them or in the ${LATE_MS / 1000} s after: the pods do not use it. Correct ${this.#part}.redis.serviceName`,
      );
    }
    const { missed, needed, shown } = inStep(requests, this.#watched, {
      ms: this.#idleMs,
      grown: this.#idle,
    });
    if (shown)
      return {
        message: `${name} received a data command with each of ${counted(needed, 'request')} that need it`,
      };
    const others = sumOf(this.#idle.values());
    const what =
      missed > 0
        ? `${name} received no data command with ${missed} of ${counted(needed, 'request')} that need it`
        : `${name} received a data command with each of ${counted(needed, 'request')}, and ${others} in ${(this.#idleMs / 1000).toFixed(1)} s without any request, so they may be from other clients`;
    return this.#doubtful(what, other);
  }

  #doubtful(what: string, other = 'give the pods their own Redis'): StoreSeen {
    return {
      message: what,
      doubt: `it is not shown that the pods use this Redis: ${what}; correct ${this.#part}.redis.serviceName, or ${other}`,
    };
  }

  /** Commands on data since the first request. */
  get #commandsSince(): number {
    const during = this.#watched.map((one) => sumOf(one.grown.values()));
    return sumOf(during) + sumOf(this.#idle.values()) - this.#idleSum;
  }

  async #read(): Promise<CommandCounts> {
    const counts = await this.#redis.commandCounts();
    this.#first ??= counts;
    this.#reads += 1;
    return counts;
  }

  /** Reads the counts when no request was open since the last read. */
  async #readIdle(): Promise<CommandCounts> {
    const at = performance.now();
    const counts = await this.#read();
    if (this.#last) {
      this.#idleMs += at - this.#last.at;
      for (const [name, by] of grown(this.#last.counts, counts)) {
        this.#idle.set(name, (this.#idle.get(name) ?? 0) + by);
      }
    }
    this.#last = { counts, at: performance.now() };
    return counts;
  }
}

/**
 * Whether Redis got a command with every request that needs it, and this is unlikely to come from other clients. Pure.
 * Other clients are assumed to send as often as while no request was open, and once more, independently of each other.
 * One command that grows with every request is enough, because others may send other commands all the time.
 */
export function inStep(
  requests: readonly CallerRequest[],
  watched: readonly WatchedRequest[],
  idle: Idle,
): { readonly needed: number; readonly missed: number; readonly shown: boolean } {
  const bySent = new Map(watched.map((one) => [idOf(one), one]));
  const needed = needing(requests).flatMap((request) => bySent.get(idOf(request)) ?? []);
  const each = [...(needed[0]?.grown.keys() ?? [])].map(
    (name) => (calls: Idle['grown']) => calls.get(name) ?? 0,
  );
  const shows = (callsIn: (calls: Idle['grown']) => number): boolean => {
    const perMs = (callsIn(idle.grown) + 1) / Math.max(1, idle.ms);
    const chance = needed.reduce((product, one) => product * (1 - Math.exp(-perMs * one.ms)), 1);
    // Any of the commands is enough, so each may only have its share of the accepted probability.
    return chance * (1 + each.length) <= MOST_CHANCE && needed.every((one) => callsIn(one.grown) > 0);
  };
  const all = (calls: Idle['grown']): number => sumOf(calls.values());
  return {
    needed: needed.length,
    missed: needed.filter((one) => all(one.grown) === 0).length,
    shown: [all, ...each].some(shows),
  };
}

/**
 * Requests that none of several pods decides without Redis: admissions, and a rejection by a pod that has
 * admitted none and so cannot know of the others. A pod may know a caller that was rejected before.
 */
function needing(requests: readonly CallerRequest[]): CallerRequest[] {
  const known = new Set<string>();
  return requests.filter(({ outcome, pod }) => {
    const first = !known.has(pod);
    known.add(pod);
    return outcome === 'Admitted' || (first && outcome === 'Rejected');
  });
}

function idOf({ pod, sentAt }: Pick<CallerRequest, 'pod' | 'sentAt'>): string {
  return `${sentAt} ${pod}`;
}
