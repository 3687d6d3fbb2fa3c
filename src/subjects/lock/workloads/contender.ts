/**
 * A client of a lock: it acquires a slot through one pod, and releases it. It gives up after some time, and listens on: a
 * late grant is a grant, which it releases at once. A release without an answer is sent again, as a worker would.
 */
import { randomUUID } from 'node:crypto';
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import type { CallerRequest } from '../../history/events.ts';
import type { History } from '../../history/history.ts';
import { outcomeOf, requestIn } from '../../http/caller-request.ts';
import type { TrafficRoom } from '../../http/connection-budget.ts';
import type { PodClient, RequestResult } from '../../http/pod-client.ts';
import { type LockRequests, RELEASES } from '../interfaces/lock-requests.ts';

/** Between two attempts to release, and to acquire what has to be free; milliseconds. */
const [RELEASE_AGAIN_MS, ACQUIRE_AGAIN_MS] = [500, 100];

/** A slot that is held. */
export interface Held {
  readonly token: string;
  /** Its ttl has not passed before. */
  readonly until: number;
  /** Gives it back; resolves once that was answered, its ttl has passed, or the lifetime of the contender has ended. */
  release(): Promise<void>;
}

/** The outcome of a request to acquire; without a `request` it was not sent. */
export interface Acquired {
  readonly held?: Held;
  readonly request?: CallerRequest;
  /** Why there is no slot. */
  readonly why: string;
}

export interface ContenderOptions {
  readonly client: Pick<PodClient, 'pod' | 'send'>;
  readonly key: string;
  readonly requests: LockRequests;
  readonly callerTimeoutMs: number;
  /** Infinite: a slot is held until it is released. */
  readonly ttlMs: number;
  /** For its requests, and for those that it listens to. */
  readonly room: TrafficRoom;
  /** Records its requests. */
  readonly history: Pick<History, 'append' | 'late' | 'request'>;
  readonly now: () => number;
  readonly lifetime: AbortSignal;
}

export type Contender = ReturnType<typeof contenderOf>;

export function contenderOf(options: ContenderOptions) {
  const { callerTimeoutMs, client, history, key, lifetime, now, requests, room, ttlMs } = options;
  const pod = client.pod.name;
  /** Releases of late grants. */
  const late = new Set<Promise<void>>();

  const release = async (grant: number, token: string, until: number): Promise<void> => {
    const sent = requests.requestTo('release', key, token);
    while (!lifetime.aborted) {
      const result = await client.send(sent, callerTimeoutMs, lifetime);
      const of = { pod, caller: 'Release', key } as const;
      // From then on, it is not certain to be held, whatever became of the request.
      const unknown = { ...of, sentAt: result.sentAt, endedAt: result.endedAt, outcome: 'Error' } as const;
      const { request = unknown } = requestIn(result, RELEASES, of) ?? {};
      history.request({ ...request, grant });
      if (request.outcome === 'Admitted' || request.outcome === 'Rejected' || now() >= until) return;
      await pauseFor(RELEASE_AGAIN_MS, lifetime).catch(() => undefined);
    }
  };

  const heldBy = (id: number, { sentAt }: CallerRequest, { answer }: RequestResult, own: string): Held => {
    const token = answer ? requests.tokenIn(answer, own) : own;
    const until = sentAt + ttlMs;
    return { token, until, release: async () => await release(id, token, until) };
  };

  const acquire = async (): Promise<Acquired> => {
    const leftOut = (): void => history.append({ kind: 'left-out', requests: 1 });
    const place = room();
    if (!place) {
      leftOut();
      return { why: 'it was not sent' };
    }
    const own = randomUUID();
    let [asked, id]: [CallerRequest | undefined, number] = [undefined, 0];
    const onEnd = (result: RequestResult): void => {
      place.release();
      const outcome = outcomeOf(result, requests)?.outcome;
      if (!asked || !outcome || outcome === 'Timeout') return;
      history.late(asked, { outcome, at: result.endedAt });
      if (outcome !== 'Admitted') return;
      const released = heldBy(id, asked, result, own).release();
      late.add(released);
      void released.finally(() => late.delete(released));
    };
    const sent = requests.requestTo('acquire', key, own);
    const result = await client.send(sent, callerTimeoutMs, lifetime, { until: lifetime, onEnd });
    if (result.failure?.code === 'NO_ROOM') leftOut();
    const { problem, request } = requestIn(result, requests, { pod, caller: 'Acquire', key }) ?? {};
    if (request?.outcome !== 'Timeout') place.release();
    if (!request || lifetime.aborted) return { why: 'it was not sent' };
    const isGranted = request.outcome === 'Admitted';
    const fence = isGranted && result.answer ? requests.fenceIn(result.answer) : undefined;
    asked = { ...request, ...(fence !== undefined && { fence }) };
    id = history.request(asked);
    const why = problem ?? `responded with ${request.status}`;
    return { request, why, ...(isGranted && { held: heldBy(id, request, result, own) }) };
  };

  return {
    pod,
    acquire,
    /** Tries until this moment of the clock of the process. */
    async acquireBy(deadline: number, signal: AbortSignal): Promise<Acquired> {
      for (;;) {
        const acquired = await acquire();
        if (acquired.held || performance.now() >= deadline) return acquired;
        await pauseFor(ACQUIRE_AGAIN_MS, signal);
      }
    },
    /** Resolves once what it was granted late is released. */
    async idle(): Promise<void> {
      await Promise.all(late);
    },
  };
}
