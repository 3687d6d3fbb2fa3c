/**
 * Sends the requests of the callers of one attempt, see `population.ts`. If the limiter identifies callers by the source
 * address only, one caller sends all of them: its limit is first exhausted without a fault, and replenished when the
 * fault begins.
 */
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { formatDuration } from '../../../../api/index.ts';
import { LEAST_REQUESTS } from '../../../checkers/share-interval.ts';
import type { CallerRequest } from '../../../history/events.ts';
import type { History } from '../../../history/history.ts';
import { isConnectionFailure, requestIn } from '../../../http/caller-request.ts';
import { controlProblem, WHO_IS_TAKEN } from '../../controls/control-problem.ts';
import type { Toolkit } from '../../controls/tools.ts';
import { isNewcomer, overKey } from '../../history/caller-keys.ts';
import { exhaustLimit, MOST_OVER } from '../../interfaces/exhaust-limit.ts';
import { askForReturns } from '../../workloads/asking.ts';
import { type Due, type RecordRequest, runTraffic, type TrafficOptions } from '../../workloads/traffic.ts';
import type { OutagePlan } from './plan.ts';
import { ASKING_PER_SECOND, type Phase, populationOf, RESIDENTS_PER_NEWCOMER } from './population.ts';

/** Turns a second: control requests, which need no limiter; callers that waited for their limits, at least. */
const [CONTROLS_PER_SECOND, RETURNING_PER_SECOND] = [2, 20] as const;
/** How long before the fault residents have used their parts; milliseconds. */
const USED_BEFORE_MS = 300;
/** Residents that use a part of their limits at once. */
const PREPARING_AT_ONCE = 10;

/** An attempt, as far as its callers need to know it. */
export interface OutageScene {
  readonly plan: OutagePlan;
  readonly toolkit: Pick<Toolkit, 'callers' | 'lifetime' | 'limiter' | 'ownLimit' | 'podClients' | 'room'>;
  readonly fixture: string;
  /** What is known of the fault. */
  readonly phase: () => Phase;
  /** Undefined before the history begins. */
  readonly history: () => Pick<History, 'append' | 'late' | 'request'> | undefined;
  /** Ends the listening to requests whose callers gave up. */
  readonly until: AbortSignal;
}

export type OutageCallers = ReturnType<typeof outageCallersOf>;

export function outageCallersOf({ fixture, history, phase, plan, toolkit, until }: OutageScene) {
  const { callers, lifetime, limiter, ownLimit, podClients, room } = toolkit;
  const { callerTimeoutMs, full, windowMs } = plan;
  const { requestsPerSecond } = plan.parameters;
  const over = overKey(fixture);
  const population = populationOf(plan.draw(podClients.length, fixture), phase);

  const record: RecordRequest = (request) => history()?.request(request);

  const run = async (
    options: Pick<TrafficOptions, 'late' | 'schedule' | 'turnsPerSecond'> & Partial<TrafficOptions>,
    onRequest: RecordRequest,
    stop: AbortSignal,
  ): Promise<void> => {
    const leftOut = (): void => history()?.append({ kind: 'left-out', requests: 1 });
    await runTraffic({ callers, room, leftOut, callerTimeoutMs, ...options }, onRequest, stop, lifetime);
  };

  const send = async (
    schedule: TrafficOptions['schedule'],
    turnsPerSecond: number,
    stop: AbortSignal,
    onRequest = record,
  ): Promise<void> => {
    const late: TrafficOptions['late'] = {
      // Late admissions to newcomers cannot exceed a limit.
      listensTo: ({ key }) => !isNewcomer(fixture, key),
      onAnswer: (request, answer) => history()?.late(request, answer),
      until,
    };
    const noted = (request: CallerRequest): void => {
      if (request.outcome === 'Rejected') population.rejected(request.key ?? '');
      onRequest(request);
    };
    await run({ schedule, turnsPerSecond, late }, noted, stop);
  };

  /** Control requests distinguish a slow pod from a slow limiter: any answer counts. None without a path for them. */
  const sendControls = async (stop: AbortSignal): Promise<void> => {
    const { path } = limiter.health;
    if (path === undefined) return;
    const control = { requestOf: () => ({ method: 'GET', path }), read: () => 'Admitted' as const };
    const turn = podClients.map((client): Due => ({ client, caller: 'Control', key: '' }));
    const options = { schedule: () => turn, turnsPerSecond: CONTROLS_PER_SECOND, callers: control };
    await run(options, record, stop);
  };

  /** The requests of one turn. @param keys of the callers that send to a pod */
  const toEachPod = (keys: (pod: number) => string | readonly string[]): Due[] =>
    podClients.flatMap((client, pod) =>
      [keys(pod)].flat().map((key): Due => ({ client, caller: 'Drawn', key })),
    );

  /**
   * Each turn begins with the next pod: if only one request of a caller was replenished since the last turn, it is not
   * always the same pod that admits it.
   */
  const endlessly =
    (keys: (pod: number) => string | readonly string[]): TrafficOptions['schedule'] =>
    (turn) => {
      const due = toEachPod(keys);
      const first = due.findIndex(({ client }) => client === podClients[turn % podClients.length]);
      return first > 0 ? [...due.slice(first), ...due.slice(0, first)] : due;
    };

  const exhaust = async (key: string, most: number, signal: AbortSignal, pod?: number) => {
    const sync = limiter.isBundled ? { syncAt: full } : {};
    const clients = pod === undefined ? podClients : podClients.slice(pod, pod + 1);
    const options = { callers, callerTimeoutMs, clients, key, most, windowMs, ...sync };
    return await exhaustLimit(options, signal).finally(() => ownLimit?.used());
  };

  const exhaustOne = async (signal: AbortSignal): Promise<readonly CallerRequest[]> => {
    const exhausted = await exhaust(over, 2 * full + MOST_OVER, signal);
    const problem = controlProblem(toolkit, full, exhausted, 'storeOutage.callerTimeout');
    if (problem) throw problem;
    return exhausted.requests;
  };

  /** Uses the part of its limit of each resident but the first; a few callers at a time. */
  const useParts = async (signal: AbortSignal): Promise<readonly CallerRequest[]> => {
    const sent: CallerRequest[] = [];
    const left = population.residents.slice(1).filter(({ used }) => used > 0);
    const some = async (): Promise<void> => {
      for (let one = left.shift(); one; one = left.shift()) {
        const { requests } = await exhaust(one.key, one.used, signal, one.pod);
        sent.push(...requests);
      }
    };
    await Promise.all(Array.from({ length: PREPARING_AT_ONCE }, some));
    return sent;
  };

  /**
   * Sends what residents use of their limits right before the fault, and so at the end of the countdown: a limiter may
   * remember it for seconds only. What is late for that, they send in the fault.
   */
  const useRest = async (stop: AbortSignal): Promise<void> => {
    const { residents } = population;
    const rounds = Math.max(0, ...residents.map(({ usedLate }) => usedLate));
    const turns = Array.from({ length: rounds }, (_, round) =>
      residents.flatMap(({ key, pod, usedLate }, i): Due[] => {
        const client = podClients[pod ?? (i + round) % podClients.length];
        return client && round < usedLate ? [{ client, caller: 'Drawn', key }] : [];
      }),
    );
    const takesMs = (1000 * rounds) / RETURNING_PER_SECOND + USED_BEFORE_MS;
    await pauseFor(plan.countdownMs - takesMs, stop).catch(() => undefined);
    await send((turn) => turns[turn], RETURNING_PER_SECOND, stop);
  };

  const controlAll = async (signal: AbortSignal): Promise<readonly CallerRequest[]> => {
    const [first, parts] = await Promise.all([exhaustOne(signal), useParts(signal)]);
    const fresh: CallerRequest[] = [];
    const isFailed = ({ outcome }: CallerRequest): boolean => outcome !== 'Admitted';
    if (!parts.some(isFailed)) {
      const next = (turn: number): Due[] | undefined =>
        turn < LEAST_REQUESTS ? toEachPod(() => population.nextNew()) : undefined;
      await send(next, requestsPerSecond, signal, (request) => fresh.push(request));
    }
    signal.throwIfAborted();
    const failed = [...parts, ...fresh].find(isFailed);
    if (failed) throw new Error(notAdmitted(failed, callerTimeoutMs));
    return [...first, ...parts, ...fresh];
  };

  return {
    /**
     * Without a fault: exhausts the limit of one caller, uses a part of those of others, and sends requests of
     * newcomers. If there is one caller by source address, waits for its limit before and after.
     * @throws Error with the problem
     */
    async control(signal: AbortSignal): Promise<readonly CallerRequest[]> {
      if (!ownLimit) return await controlAll(signal);
      await ownLimit.untilReplenished(signal);
      const requests = await exhaustOne(signal);
      await ownLimit.untilReplenished(signal);
      return requests;
    },

    /**
     * The one caller sends a request to every pod right before the fault: if other clients use its limit, that would
     * look like a failing limiter.
     * @throws Error if one is not admitted; the reason of `signal`
     */
    async arrive(signal: AbortSignal): Promise<void> {
      const sent = callers.requestOf(over);
      const requests = await Promise.all(
        podClients.map(async (client) => {
          const { name: pod } = client.pod;
          const result = await client.send(sent, callerTimeoutMs, signal);
          return { pod, ...requestIn(result, callers, { pod, caller: 'Drawn', key: over }) };
        }),
      ).finally(() => ownLimit?.used());
      signal.throwIfAborted();
      for (const { pod, request } of requests) {
        if (request?.outcome === 'Admitted') record(request);
        else throw new Error(notReplenished(pod, request));
      }
    },

    /** As {@link runTraffic}: newcomers, residents, and control requests. */
    async traffic(stop: AbortSignal): Promise<void> {
      if (ownLimit) {
        // One caller sends in place of two.
        const turns = endlessly(() => [over, over]);
        await send(turns, requestsPerSecond, stop).finally(() => ownLimit.used());
        return;
      }
      const turns = endlessly((pod) => population.turnTo(pod) ?? []);
      const perSecond = (1 + RESIDENTS_PER_NEWCOMER) * requestsPerSecond;
      await Promise.all([useRest(stop), send(turns, perSecond, stop), sendControls(stop)]);
    },

    /** As {@link runTraffic}: newcomers and a few residents, while the others wait for their limits. */
    async ask(stop: AbortSignal): Promise<void> {
      if (ownLimit) return;
      const turns = endlessly((pod) => population.askTo(pod) ?? []);
      await send(turns, ASKING_PER_SECOND, stop);
    },

    /** New callers show how the limiter counts. One caller for all requests cannot. */
    async askForReturns(signal: AbortSignal): Promise<void> {
      const { rules } = plan;
      if (ownLimit) return;
      await askForReturns({ callers, callerTimeoutMs, clients: podClients, fixture, record, rules }, signal);
    },

    /** As {@link runTraffic}: all residents, or the one caller, once their limits must have returned. */
    async whenReturned(signal: AbortSignal): Promise<void> {
      const perSecond = Math.max(RETURNING_PER_SECOND, requestsPerSecond * podClients.length);
      const turns = population.returned(perSecond, ownLimit !== undefined);
      const due = turns.map(({ key, pod }) => toEachPod((of) => (of === pod ? key : [])));
      await send((turn) => due[turn], perSecond, signal).finally(() => ownLimit?.used());
    },
  };
}

function notAdmitted(request: CallerRequest, callerTimeoutMs: number): string {
  const { outcome, pod } = request;
  if (isConnectionFailure(request)) {
    return `baseline check failed: without a fault, the connection of a caller under its limit to ${pod} broke or was not made. Check in its logs whether it failed, or closes connections within 4 s without Keep-Alive announcing it`;
  }
  const what = {
    Admitted: `admitted by ${pod}`,
    Rejected: `rejected by ${pod}`,
    Error: `given an error by ${pod}`,
    Timeout: `given no response by ${pod} within storeOutage.callerTimeout, ${formatDuration(callerTimeoutMs)}`,
  }[outcome];
  const logs = 'see in the logs of the rate limiter why';
  const advice =
    outcome === 'Timeout'
      ? `${logs}, give the pods more CPU, or raise storeOutage.callerTimeout`
      : outcome === 'Error'
        ? logs
        : `check that rateLimiter.limit is the limit of your rate limiter, and ${WHO_IS_TAKEN.Key}`;
  return `baseline check failed: without a fault, a caller under its limit was ${what}: ${advice}`;
}

function notReplenished(pod: string, request: CallerRequest | undefined): string {
  const why =
    request?.outcome === 'Rejected'
      ? 'was rejected, though the limit had time to be replenished: see who else sends requests to these pods under the address of the operator'
      : 'failed, or had no response in time';
  return `the first request to ${pod} right before the fault ${why}`;
}
