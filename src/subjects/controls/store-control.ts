/**
 * Whether pods behind HTTP use the very Redis that the spec names. Only Redis itself shows that, by its command
 * counts: they have to grow during a request that no pod can decide without Redis, and less while no request is
 * open. This needs no further rights and does not depend on addresses, which a proxy may rewrite.
 */
import { type CommandCounts, grown, type StoreConnections } from '@chaosdemo/redis-faults';
import { pauseFor, TIMED_OUT, within } from '@chaosdemo/redis-faults/waiting';
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

/**
 * Reads the command counts of Redis around the requests of one new caller.
 * @param part of the spec, for messages
 */
export function storeControlOf(redis: Pick<StoreConnections, 'commandCounts' | 'name'>, part: string) {
  const watched: WatchedRequest[] = [];
  const idle = { ms: 0, grown: new Map<string, number>() };
  let [idleSum, reads] = [0, 0];
  let first: CommandCounts | undefined;
  let last: { readonly counts: CommandCounts; readonly at: number } | undefined;

  const read = async (): Promise<CommandCounts> => {
    const counts = await redis.commandCounts();
    first ??= counts;
    reads += 1;
    return counts;
  };

  /** Reads the counts when no request was open since the last read. */
  const readIdle = async (): Promise<CommandCounts> => {
    const at = performance.now();
    const counts = await read();
    if (last) {
      idle.ms += at - last.at;
      for (const [name, by] of grown(last.counts, counts)) {
        idle.grown.set(name, (idle.grown.get(name) ?? 0) + by);
      }
    }
    last = { counts, at: performance.now() };
    return counts;
  };

  /** Commands on data since the first request. */
  const commandsSince = (): number =>
    sumOf(watched.map((one) => sumOf(one.grown.values()))) + sumOf(idle.grown.values()) - idleSum;

  const doubtful = (what: string, other = 'give the pods their own Redis'): StoreSeen => ({
    message: what,
    doubt: `it is not shown that the pods use this Redis: ${what}; correct ${part}.redis.serviceName, or ${other}`,
  });

  return {
    /** Observes for a second what Redis does without requests. @throws RedisClientError */
    async rest(signal: AbortSignal): Promise<void> {
      await readIdle();
      await pauseFor(REST_MS, signal);
      await readIdle();
      idleSum = sumOf(idle.grown.values());
    },

    /**
     * Wraps these clients to read the counts around their first requests. Requests have to be sent one after the other.
     */
    around: (clients: readonly PodClient[]): Pick<PodClient, 'pod' | 'send'>[] =>
      clients.map((client) => ({
        pod: client.pod,
        send: async (...args: Parameters<PodClient['send']>) => {
          if (watched.length >= MOST_WATCHED) return await client.send(...args);
          const start = performance.now();
          const before = await readIdle();
          const result = await client.send(...args);
          const after = await read();
          last = { counts: after, at: performance.now() };
          const ms = last.at - start;
          watched.push({ pod: client.pod.name, sentAt: result.sentAt, ms, grown: grown(before, after) });
          return result;
        },
      })),

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
      const { name } = redis;
      const deadline = performance.now() + LATE_MS;
      while (commandsSince() === 0 && performance.now() < deadline) {
        await pauseFor(POLL_MS, signal);
        await readIdle();
      }
      // Reading the counts is a command itself: it proves that they are counted.
      const seen = (last?.counts.info ?? 0) - (first?.info ?? 0);
      if (seen < reads - 1) return doubtful(`${name} does not count its commands`, other);
      if (commandsSince() === 0) {
        throw new Error(
          `without any fault one caller made ${counted(requests.length, 'request')}, and ${name} received no data command during them or in the ${LATE_MS / 1000} s after: the pods do not use it. Correct ${part}.redis.serviceName`,
        );
      }
      const { missed, needed, shown } = inStep(requests, watched, idle);
      const each = `${name} received a data command with each of ${counted(needed, 'request')}`;
      if (shown) return { message: `${each} that need it` };
      const what =
        missed > 0
          ? `${name} received no data command with ${missed} of ${counted(needed, 'request')} that need it`
          : `${each}, and ${sumOf(idle.grown.values())} in ${(idle.ms / 1000).toFixed(1)} s without any request, so they may be from other clients`;
      return doubtful(what, other);
    },
  };
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

/** Writes that are measured, and how long one may take; milliseconds. */
const [WRITES, WRITE_TIMEOUT_MS] = [20, 5000];

/**
 * The median and the slowest of some real writes, to all masters of a Cluster at once, one after the other; milliseconds.
 * @throws Error if one takes longer than 5 s; RedisClientError; the reason of `signal`
 */
export async function measureWrites(redis: StoreConnections, signal: AbortSignal) {
  // Needed later: a missing right shows before any fault is announced.
  await redis.read();
  const writer = await redis.openProbeWriter();
  try {
    const latencies: number[] = [];
    for (let i = 0; i < WRITES; i += 1) {
      const start = performance.now();
      if ((await within(writer.write(), WRITE_TIMEOUT_MS, signal)) === TIMED_OUT) {
        throw new Error(
          `${redis.name} did not take a write within ${WRITE_TIMEOUT_MS} ms, although this demo has injected nothing: check whether another client has paused it (CLIENT UNPAUSE ends the pause) or it is overloaded`,
        );
      }
      latencies.push(performance.now() - start);
      await pauseFor(5, signal);
    }
    latencies.sort((a, b) => a - b);
    return { writeP50Ms: latencies[WRITES / 2] ?? 0, writeMaxMs: latencies.at(-1) ?? 0 };
  } finally {
    writer.close();
  }
}
