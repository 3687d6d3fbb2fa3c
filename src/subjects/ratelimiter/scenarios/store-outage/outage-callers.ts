/**
 * The callers of one attempt: one over its limit, two that cross theirs in the fault, others well under theirs, and
 * those whose counts are reconciled afterwards. They go by what the limiter answers, whatever it speaks.
 */
import { formatDuration } from '../../../../api/index.ts';
import { LEAST_ASKED } from '../../checkers/behaviour.ts';
import type { CallerKind, CallerRequest } from '../../history/events.ts';
import type { CallerAccess, NewCaller } from '../../interfaces/caller-access.ts';
import { isUnheard } from '../../interfaces/caller-request.ts';
import { type Exhausted, exhaustLimit, MOST_BEYOND } from '../../interfaces/exhaust-limit.ts';
import type { TrafficRoom } from '../../interfaces/traffic-room.ts';
import { admittedAtOnce } from '../../limits/rate-limit.ts';
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
import { beyondKey, crossingKey, reachingKey, withinKeys } from '../caller-keys.ts';
import { AccountCallers } from './account-callers.ts';
import { sendWhenReturned } from './returning-callers.ts';

/** What a caller whose accounts are made up asks for during the fault. */
const ACCOUNT_REQUESTS = 3;

/** Of all callers of an attempt, whether they are many or the one behind the source address. */
export interface CallersOptions {
  readonly access: CallerAccess;
  readonly fixture: string;
  /** Of each kind, to each pod. */
  readonly requestsPerSecond: number;
  readonly callerTimeoutMs: number;
  readonly room: TrafficRoom;
  /** A request was not sent since there was no room for another open one. */
  readonly leftOut: () => void;
  /** Hears the outcome of requests whose callers gave up. */
  readonly late: Pick<LateTraffic, 'hear' | 'until'>;
}

export interface OutageCallersOptions extends CallersOptions {
  /** How many callers have one request left when the fault begins, see `crossingCallers`; 0 if windows end before it. */
  readonly crossing: number;
  /** How long traffic is sent at the most; milliseconds. */
  readonly trafficMs: number;
}

/** Requests a second to each pod that need no limiter. */
const CONTROLS_PER_SECOND = 2;

/** Callers at once that are left one request. */
const CROSSING_AT_ONCE = 10;

/** Callers that have a limit to exceed: what they are given late counts. */
const LIMITED: ReadonlySet<CallerKind> = new Set(['Over', 'New', 'Crossing']);

export class OutageCallers {
  readonly #options: OutageCallersOptions;
  readonly #accounts: AccountCallers;
  /** Keys of callers within their limit, and how often each is used: for the control, and for the traffic. */
  readonly #control: KeyPlan;
  readonly #traffic: KeyPlan;
  readonly #crossing: readonly string[];

  constructor(options: OutageCallersOptions) {
    this.#options = options;
    const { access, callerTimeoutMs, fixture, requestsPerSecond, trafficMs } = options;
    this.#crossing = Array.from({ length: options.crossing }, (_, i) => crossingKey(fixture, i));
    this.#accounts = new AccountCallers({ ...access, fixture, callerTimeoutMs });
    const nodes = access.clients.length;
    this.#control = planOf(access, fixture, LEAST_ASKED * nodes, 0);
    const most = Math.ceil((requestsPerSecond * nodes * trafficMs) / 1000);
    this.#traffic = planOf(access, fixture, most, this.#control.count);
  }

  /** Makes them known, and returns until when they are; undefined: the limiter is told of none. @throws as {@link ReferenceLimiter.introduce} */
  async introduce(signal: AbortSignal): Promise<number | undefined> {
    return await this.#options.access.reference?.introduce(this.#all(), signal);
  }

  async forget(): Promise<void> {
    await this.#options.access.reference?.forget(this.#all());
  }

  *#all(): Generator<NewCaller> {
    yield { key: beyondKey(this.#options.fixture) };
    yield { key: reachingKey(this.#options.fixture) };
    for (const key of [...this.#crossing, ...this.#accounts.keys]) yield { key };
    for (const { keys, uses } of [this.#control, this.#traffic]) {
      for (const key of keys()) yield { key, allowed: 2 * uses };
    }
  }

  /**
   * Without any fault: uses the limit of one caller up, leaves some others one request, and sends requests of callers
   * under their limit. @throws Error that says what is wrong
   */
  async control(record: RecordRequest, signal: AbortSignal): Promise<void> {
    const { access, callerTimeoutMs, fixture } = this.#options;
    const { callers, clients, limit, reference } = access;
    const full = admittedAtOnce(limit);
    const [exhausted, partly] = await Promise.all([
      exhaustLimit(
        {
          clients,
          callers,
          key: beyondKey(fixture),
          most: 2 * full + MOST_BEYOND,
          callerTimeoutMs,
          windowMs: limit.windowMs,
          ...(reference && { rest: { left: full, learned: reference.learned.bind(reference) } }),
        },
        signal,
      ),
      this.#leaveOneRequest(full - 1, signal),
    ]);
    for (const request of exhausted.requests) record(request);
    const problem = access.problemOf(exhausted, 'storeOutage.callerTimeout');
    if (problem) throw problem;
    let notAdmitted: CallerRequest | undefined;
    const add: RecordRequest = (request) => {
      record(request);
      if (request.caller !== 'Over' && request.outcome !== 'Admitted') notAdmitted ??= request;
    };
    for (const { key, requests } of partly) {
      for (const request of requests) add({ ...request, caller: 'Crossing', key });
    }
    if (!notAdmitted) await this.#send(this.#sides(this.#control), add, signal, signal);
    signal.throwIfAborted();
    if (notAdmitted) throw new Error(this.#notAdmitted(notAdmitted));
  }

  /** Sends `most` requests of each caller that is to cross its limit in the fault; a few callers at a time. */
  async #leaveOneRequest(
    most: number,
    signal: AbortSignal,
  ): Promise<(Exhausted & { readonly key: string })[]> {
    const { access, callerTimeoutMs } = this.#options;
    const { callers, clients, limit } = access;
    const options = { clients, callers, most, callerTimeoutMs, windowMs: limit.windowMs };
    const used: (Exhausted & { readonly key: string })[] = [];
    const keys = [...this.#crossing];
    const one = async (): Promise<void> => {
      for (let key = keys.shift(); key !== undefined; key = keys.shift()) {
        used.push({ key, ...(await exhaustLimit({ ...options, key }, signal)) });
      }
    };
    await Promise.all(Array.from({ length: CROSSING_AT_ONCE }, one));
    return used;
  }

  #notAdmitted(request: CallerRequest): string {
    const { access, callerTimeoutMs } = this.#options;
    const { outcome, pod: node } = request;
    if (isUnheard(request)) {
      return `baseline check failed: without a fault, the connection of a caller under its limit to ${node} broke or was not made. Check in its logs whether it failed, or closes connections within 4 s without Keep-Alive announcing it`;
    }
    const what = {
      Admitted: `admitted by ${node}`,
      Rejected: `rejected by ${node}`,
      Error: `answered with an error by ${node}`,
      Timeout: `not answered by ${node} within ${formatDuration(callerTimeoutMs)}`,
    }[outcome];
    return `baseline check failed: without a fault, a caller under its limit was ${what}: ${access.advice}`;
  }

  /** As {@link runTraffic}: of callers under their limit, of the one over it, and of what needs no limiter. */
  async traffic(record: RecordRequest, stop: AbortSignal, lifetime: AbortSignal): Promise<void> {
    await Promise.all([
      this.#send(this.#sides(this.#traffic), record, stop, lifetime),
      this.#sendControls(record, stop, lifetime),
    ]);
  }

  /** As {@link runTraffic}: of those that cross their limits on the way. */
  async cross(record: RecordRequest, stop: AbortSignal, lifetime: AbortSignal): Promise<void> {
    const kinds: KindOfTraffic[] = [
      { caller: 'New', keys: always(reachingKey(this.#options.fixture)) },
      ...(this.#crossing.length > 0 ? [{ caller: 'Crossing' as const, keys: inTurn(this.#crossing) }] : []),
    ];
    await this.#send(kinds, record, stop, lifetime);
  }

  /** The callers whose counts are reconciled. */
  get accountKeys(): string[] {
    return this.#accounts.keys;
  }

  /** Sends the requests of the accounts in the fault. @throws the reason of `signal` */
  async askForAccounts(record: RecordRequest, signal: AbortSignal): Promise<void> {
    const half = Math.max(1, Math.floor(admittedAtOnce(this.#options.access.limit) / 2));
    await this.#accounts.ask(Math.min(ACCOUNT_REQUESTS, half), record, signal);
  }

  /** As {@link AccountCallers.exhaustLimit}. */
  async exhaustAccounts(record: RecordRequest, signal: AbortSignal): Promise<void> {
    await this.#accounts.exhaustLimit(record, signal);
  }

  /** As `sendWhenReturned`. */
  async sendWhenReturned(
    keys: readonly string[],
    withinMs: number,
    record: RecordRequest,
    signal: AbortSignal,
  ): Promise<void> {
    const { access, callerTimeoutMs } = this.#options;
    await sendWhenReturned({ ...access, callerTimeoutMs, keys, withinMs }, record, signal);
  }

  #sides({ keys, uses }: KeyPlan): KindOfTraffic[] {
    return [
      { caller: 'Under', keys: usedTimes(keys(), uses) },
      { caller: 'Over', keys: always(beyondKey(this.#options.fixture)) },
    ];
  }

  async #send(
    kinds: readonly KindOfTraffic[],
    record: RecordRequest,
    stop: AbortSignal,
    lifetime: AbortSignal,
  ): Promise<void> {
    const { access, callerTimeoutMs, late, leftOut, requestsPerSecond, room } = this.#options;
    const { callers, clients } = access;
    const listensTo = (caller: CallerKind): boolean => LIMITED.has(caller);
    const schedule = toEachPod(clients, kinds);
    const options = { schedule, callers, room, leftOut, turnsPerSecond: requestsPerSecond, callerTimeoutMs };
    await runTraffic({ ...options, late: { ...late, listensTo } }, record, stop, lifetime);
  }

  async #sendControls(record: RecordRequest, stop: AbortSignal, lifetime: AbortSignal): Promise<void> {
    const { access, callerTimeoutMs, leftOut, room } = this.#options;
    const callers = {
      requestOf: () => access.control,
      // Whatever it says, the pod had the time to say it.
      read: () => 'Admitted' as const,
    };
    const schedule = toEachPod(access.clients, [{ caller: 'Control', keys: always('') }]);
    const options = { schedule, callers, room, leftOut, callerTimeoutMs };
    await runTraffic({ ...options, turnsPerSecond: CONTROLS_PER_SECOND }, record, stop, lifetime);
  }
}

/** Keys, and for how many requests each is used. */
interface KeyPlan {
  readonly count: number;
  readonly uses: number;
  readonly keys: () => Generator<string>;
}

/** Keys for `requests` of callers within their limit, the first of them with this number. */
function planOf(access: CallerAccess, fixture: string, requests: number, first: number): KeyPlan {
  const uses = access.usesOf(requests);
  const count = Math.ceil(requests / uses);
  return { count, uses, keys: () => withinKeys(fixture, first, count) };
}
