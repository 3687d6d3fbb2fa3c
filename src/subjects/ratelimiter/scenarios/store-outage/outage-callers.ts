/**
 * The callers of one attempt: one over its limit, some that cross theirs in the fault, others well under theirs, and
 * those whose counts are reconciled afterwards. If the limiter identifies callers by the source address only, one
 * caller sends all requests: its limit is first exhausted without a fault, and replenished when the fault begins.
 */

import { formatDuration } from '../../../../api/index.ts';
import { NotInjectedError } from '../../../redis/faults/fault.ts';
import { MOST_ACCOUNTED } from '../../checkers/accounts.ts';
import { LEAST_REQUESTS } from '../../checkers/behaviour.ts';
import type { CallerKind, CallerRequest, RequestOutcome } from '../../history/events.ts';
import { isConnectionFailure, requestIn } from '../../interfaces/caller-request.ts';
import {
  type Exhausted,
  type ExhaustOptions,
  exhaustLimit,
  MOST_OVER,
} from '../../interfaces/exhaust-limit.ts';
import { controlProblem } from '../../interfaces/http/control-problem.ts';
import { WHO_IS_TAKEN } from '../../interfaces/http/over-limit.ts';
import { admittedAtOnce, type RateLimit } from '../../limits/rate-limit.ts';
import { limitOf } from '../../spec/limit-of-spec.ts';
import type { Toolkit } from '../../tools.ts';
import {
  always,
  inTurn,
  type KindOfTraffic,
  type LateTraffic,
  type RecordRequest,
  runTraffic,
  toEachPod,
  usedTimes,
} from '../../workloads/traffic.ts';
import { accountKey, crossingKey, newKey, overKey, underKeys } from '../caller-keys.ts';
import { sendWhenReturned } from './returning-callers.ts';

/** Pods for which a caller's counts are reconciled: each account has to be used up after the fault. */
export const MOST_ACCOUNTS = 3;
/** Requests of such a caller during the fault. */
const ACCOUNT_REQUESTS = 3;
/** About how long it takes to use one up, and how long it may take; milliseconds. */
const ACCOUNT_WITHIN_MS = 2000;
const ACCOUNT_MOST_MS = 10_000;
/** Control requests a second to each pod, which need no limiter. */
const CONTROLS_PER_SECOND = 2;
/** Callers that are prepared at once to have one request left. */
const CROSSING_AT_ONCE = 10;
/** Callers that have a limit to exceed: late admissions to them count. */
const LIMITED: ReadonlySet<CallerKind> = new Set(['Over', 'New', 'Crossing']);

export interface OutageCallersOptions {
  readonly toolkit: Pick<Toolkit, 'callers' | 'lifetime' | 'limiter' | 'ownLimit' | 'podClients' | 'room'>;
  readonly fixture: string;
  /** Of each kind, to each pod. */
  readonly requestsPerSecond: number;
  readonly callerTimeoutMs: number;
  /**
   * How many callers have one request left when the fault begins, see `crossingCallers`; 0 if windows end before it.
   */
  readonly crossing: number;
  /** Traffic is sent for at most this long; milliseconds. */
  readonly trafficMs: number;
  readonly record: RecordRequest;
  /** A request was not sent, because too many were open. */
  readonly leftOut: () => void;
  /** Gets the outcome of requests whose callers gave up. */
  readonly late: Pick<LateTraffic, 'onAnswer' | 'until'>;
}

/** Keys of callers under their limit, and the number of requests that each is used for. */
interface KeyPlan {
  readonly count: number;
  readonly uses: number;
  readonly keys: () => Generator<string>;
}

export class OutageCallers {
  readonly #options: OutageCallersOptions;
  readonly #limit: RateLimit;
  readonly #full: number;
  /** Keys of callers whose counts are reconciled, with the number of their admissions during the fault. */
  readonly #accounts: Map<string, number>;
  readonly #crossing: readonly string[];
  readonly #under: { readonly control: KeyPlan; readonly traffic: KeyPlan };

  constructor(options: OutageCallersOptions) {
    this.#options = options;
    const { crossing, fixture, requestsPerSecond, toolkit, trafficMs } = options;
    const { limiter, ownLimit, podClients } = toolkit;
    this.#limit = limitOf(limiter);
    this.#full = admittedAtOnce(this.#limit);
    const pods = podClients.length;
    const accounts = this.#full <= MOST_ACCOUNTED ? Math.min(pods, MOST_ACCOUNTS) : 0;
    this.#accounts = new Map(
      ownLimit
        ? [[overKey(fixture), 0]]
        : Array.from({ length: accounts }, (_, i) => [accountKey(fixture, i), 0]),
    );
    this.#crossing = Array.from({ length: crossing }, (_, i) => crossingKey(fixture, i));
    const planOf = (requests: number, first: number): KeyPlan => {
      const uses = Math.max(1, Math.floor(this.#full / 2));
      const count = Math.ceil(requests / uses);
      return { count, uses, keys: () => underKeys(fixture, first, count) };
    };
    const control = planOf(LEAST_REQUESTS * pods, 0);
    const most = Math.ceil((requestsPerSecond * pods * trafficMs) / 1000);
    this.#under = { control, traffic: planOf(most, control.count) };
  }

  /** The callers whose counts are reconciled. */
  get accountKeys(): string[] {
    return [...this.#accounts.keys()];
  }

  /**
   * Without a fault: exhausts the limit of one caller, leaves some others one request, and sends requests of callers
   * under their limit. If there is one caller by source address, waits for its limit before and after.
   * @throws Error with the problem
   */
  async control(signal: AbortSignal): Promise<readonly CallerRequest[]> {
    const { ownLimit } = this.#options.toolkit;
    if (!ownLimit) return await this.#controlAll(signal);
    await ownLimit.untilReplenished(signal);
    const requests = this.#checked(await this.#exhaustOne(signal));
    await ownLimit.untilReplenished(signal);
    return requests.map((one, i) => ({ ...one, caller: i < this.#full ? 'Under' : 'Over' }));
  }

  async #exhaustOne(signal: AbortSignal): Promise<Exhausted> {
    const bounds = { key: overKey(this.#options.fixture), most: 2 * this.#full + MOST_OVER };
    return await this.#exhaust(bounds, signal, this.#full);
  }

  #checked(exhausted: Exhausted): readonly CallerRequest[] {
    const { toolkit } = this.#options;
    const problem = controlProblem(toolkit, this.#full, exhausted, 'storeOutage.callerTimeout');
    if (problem) throw problem;
    return exhausted.requests;
  }

  async #controlAll(signal: AbortSignal): Promise<readonly CallerRequest[]> {
    const [exhausted, crossing] = await Promise.all([
      this.#exhaustOne(signal),
      this.#leaveOneRequest(signal),
    ]);
    const over = this.#checked(exhausted);
    const under: CallerRequest[] = [];
    const isFailed = ({ caller, outcome }: CallerRequest): boolean =>
      caller !== 'Over' && outcome !== 'Admitted';
    if (!crossing.some(isFailed)) {
      await this.#send(this.#sides(this.#under.control), signal, (request) => under.push(request));
    }
    signal.throwIfAborted();
    const requests = [...over, ...crossing, ...under];
    const failed = requests.find(isFailed);
    if (failed) throw new Error(this.#notAdmitted(failed));
    return requests;
  }

  /** Sends all requests but one of each caller that is to cross its limit in the fault; a few callers at a time. */
  async #leaveOneRequest(signal: AbortSignal): Promise<readonly CallerRequest[]> {
    const sent: CallerRequest[] = [];
    const keys = [...this.#crossing];
    const one = async (): Promise<void> => {
      for (let key = keys.shift(); key !== undefined; key = keys.shift()) {
        const { requests } = await this.#exhaust({ key, most: this.#full - 1 }, signal);
        for (const request of requests) sent.push({ ...request, caller: 'Crossing', key });
      }
    };
    await Promise.all(Array.from({ length: CROSSING_AT_ONCE }, one));
    return sent;
  }

  #notAdmitted(request: CallerRequest): string {
    const { callerTimeoutMs } = this.#options;
    const { outcome, pod } = request;
    if (isConnectionFailure(request)) {
      return `baseline check failed: without a fault, the connection of a caller under its limit to ${pod} broke or was not made. Check in its logs whether it failed, or closes connections within 4 s without Keep-Alive announcing it`;
    }
    const what = {
      Admitted: `admitted by ${pod}`,
      Rejected: `rejected by ${pod}`,
      Error: `answered with an error by ${pod}`,
      Timeout: `not answered by ${pod} within storeOutage.callerTimeout, ${formatDuration(callerTimeoutMs)}`,
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

  /**
   * The one caller sends a request to every pod right before the fault: if other clients use its limit, that would look
   * like a failing limiter.
   * @throws NotInjectedError if one is not admitted; the reason of `signal`
   */
  async arrive(signal: AbortSignal): Promise<void> {
    const { callerTimeoutMs, fixture, record, toolkit } = this.#options;
    const { callers, ownLimit, podClients } = toolkit;
    const sent = callers.requestOf(overKey(fixture));
    const requests = await Promise.all(
      podClients.map(async (client) => {
        const { name: pod } = client.pod;
        const result = await client.send(sent, callerTimeoutMs, signal);
        return { pod, ...requestIn(result, callers, { pod, caller: 'Over' }) };
      }),
    ).finally(() => ownLimit?.used());
    signal.throwIfAborted();
    for (const { pod, request } of requests) {
      if (request?.outcome === 'Admitted') record(request);
      else throw new NotInjectedError(this.#notReplenished(pod, request));
    }
  }

  #notReplenished(pod: string, request: CallerRequest | undefined): string {
    const reasons: Partial<Record<RequestOutcome, string>> = {
      Rejected:
        'was rejected, though the limit had time to be replenished: see who else sends requests to these pods under the address of the operator',
      Timeout: `had no answer within ${formatDuration(this.#options.callerTimeoutMs)}`,
    };
    const why = request && reasons[request.outcome];
    return `the first request to ${pod} right before the fault ${why ?? 'failed'}`;
  }

  /** As {@link runTraffic}: callers under their limit, the one over it, and control requests. */
  async traffic(stop: AbortSignal): Promise<void> {
    const { fixture, toolkit } = this.#options;
    const { ownLimit } = toolkit;
    if (ownLimit) {
      // One caller sends in place of two.
      const over = { caller: 'Over', keys: always(overKey(fixture)) } as const;
      await this.#send([over, over], stop).finally(() => ownLimit.used());
    } else await Promise.all([this.#send(this.#sides(this.#under.traffic), stop), this.#sendControls(stop)]);
  }

  /** As {@link runTraffic}: callers that cross their limits in the fault. */
  async cross(stop: AbortSignal): Promise<void> {
    const crossing = { caller: 'Crossing', keys: inTurn(this.#crossing) } as const;
    await this.#send(
      [
        { caller: 'New', keys: always(newKey(this.#options.fixture)) },
        ...(this.#crossing.length > 0 ? [crossing] : []),
      ],
      stop,
    );
  }

  /**
   * Each caller of an account sends a part of its limit to its own pod, in the fault.
   * @throws the reason of `signal`
   */
  async useAccounts(signal: AbortSignal): Promise<void> {
    const most = Math.min(ACCOUNT_REQUESTS, Math.max(1, Math.floor(this.#full / 2)));
    const { podClients } = this.#options.toolkit;
    await Promise.all(
      this.accountKeys.map(async (key, i) => {
        const clients = podClients.slice(i, i + 1);
        this.#accounts.set(key, await this.#account({ clients, key, most }, signal));
      }),
    );
    signal.throwIfAborted();
  }

  /**
   * Each uses up the rest of its limit; all at once, because recovery has a time limit.
   * @throws the reason of `signal`
   */
  async exhaustAccounts(signal: AbortSignal): Promise<void> {
    const within = AbortSignal.any([signal, AbortSignal.timeout(ACCOUNT_MOST_MS)]);
    const bounds = { most: this.#full + MOST_OVER, withinMs: ACCOUNT_WITHIN_MS };
    await Promise.all(
      [...this.#accounts].map(
        async ([key, admitted]) => await this.#account({ key, ...bounds }, within, this.#full - admitted),
      ),
    );
    signal.throwIfAborted();
  }

  /** @returns the number of admissions, as far as known: a failure leaves the account open */
  async #account(
    options: Pick<ExhaustOptions, 'key' | 'most' | 'withinMs'> & Partial<Pick<ExhaustOptions, 'clients'>>,
    signal: AbortSignal,
    left?: number,
  ): Promise<number> {
    const { requests } = await this.#exhaust(options, signal, left).catch(() => ({ requests: [] }));
    for (const request of requests) {
      this.#options.record({ ...request, caller: 'Account', key: options.key });
    }
    return requests.filter(({ outcome }) => outcome === 'Admitted').length;
  }

  /** As `sendWhenReturned`. */
  async sendWhenReturned(keys: readonly string[], withinMs: number, signal: AbortSignal): Promise<void> {
    const { callerTimeoutMs, record, toolkit } = this.#options;
    const { callers, ownLimit, podClients: clients } = toolkit;
    const returning = { callers, callerTimeoutMs, clients, keys, limit: this.#limit, withinMs };
    await sendWhenReturned(returning, record, signal).finally(() => ownLimit?.used());
  }

  /** @param left of the limit, if pods have to learn each other's counts before more than that is sent */
  async #exhaust(
    options: Pick<ExhaustOptions, 'key' | 'most' | 'withinMs'> & Partial<Pick<ExhaustOptions, 'clients'>>,
    signal: AbortSignal,
    left?: number,
  ): Promise<Exhausted> {
    const { callerTimeoutMs, toolkit } = this.#options;
    const { callers, limiter, ownLimit, podClients: clients } = toolkit;
    const sync = limiter.isBundled ? { syncAt: left } : {};
    const { windowMs } = this.#limit;
    const all = { callers, callerTimeoutMs, clients, windowMs, ...sync, ...options };
    return await exhaustLimit(all, signal).finally(() => ownLimit?.used());
  }

  #sides({ keys, uses }: KeyPlan): KindOfTraffic[] {
    return [
      { caller: 'Under', keys: usedTimes(keys(), uses) },
      { caller: 'Over', keys: always(overKey(this.#options.fixture)) },
    ];
  }

  async #send(
    kinds: readonly KindOfTraffic[],
    stop: AbortSignal,
    record = this.#options.record,
  ): Promise<void> {
    const { callerTimeoutMs, late, leftOut, requestsPerSecond, toolkit } = this.#options;
    const { callers, lifetime, podClients, room } = toolkit;
    const listensTo = (caller: CallerKind): boolean => LIMITED.has(caller);
    const schedule = toEachPod(podClients, kinds);
    const options = { schedule, callers, room, leftOut, turnsPerSecond: requestsPerSecond, callerTimeoutMs };
    await runTraffic({ ...options, late: { ...late, listensTo } }, record, stop, lifetime);
  }

  /** Control requests distinguish a slow pod from a slow limiter: any answer counts. */
  async #sendControls(stop: AbortSignal): Promise<void> {
    const { callerTimeoutMs, leftOut, record, toolkit } = this.#options;
    const { lifetime, limiter, podClients, room } = toolkit;
    const control = { method: 'GET', path: limiter.health.path };
    const callers = { requestOf: () => control, read: () => 'Admitted' as const };
    const schedule = toEachPod(podClients, [{ caller: 'Control', keys: always('') }]);
    const options = { schedule, callers, room, leftOut, callerTimeoutMs };
    await runTraffic({ ...options, turnsPerSecond: CONTROLS_PER_SECOND }, record, stop, lifetime);
  }
}
