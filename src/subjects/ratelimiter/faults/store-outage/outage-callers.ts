/**
 * The callers of one attempt: one beyond its limit, one that comes to its limit in the fault, others well within theirs,
 * and those whose accounts are made up.
 * They go by what the limiter answers, whatever it speaks.
 */
import { formatDuration } from '../../../../api/index.ts';
import type { CallerAccess, NewCaller } from '../../interfaces/caller-access.ts';
import type { CallerRequest } from '../../interfaces/caller-request.ts';
import type { TrafficRoom } from '../../interfaces/traffic-room.ts';
import { MOST_BEYOND, useUp } from '../../interfaces/use-up.ts';
import { admittedAtOnce } from '../../limits/rate-limit.ts';
import { beyondKey, reachingKey, withinKeys } from '../caller-keys.ts';
import { AccountCallers } from './account-callers.ts';
import { LEAST_ASKED } from './behaviour.ts';
import { always, type CallerKind, runCallerTraffic, usedTimes } from './caller-traffic.ts';

/** What a caller whose accounts are made up asks for during the fault. */
const ACCOUNT_REQUESTS = 3;

export interface OutageCallersOptions {
  readonly access: CallerAccess;
  readonly fixture: string;
  /** Of each kind, to each node. */
  readonly requestsPerSecond: number;
  readonly callerTimeoutMs: number;
  /** How long traffic is sent at the most; milliseconds. */
  readonly trafficMs: number;
  readonly room: TrafficRoom;
  /** A request was not sent since there was no room for another open one. */
  readonly leftOut: () => void;
}

type Tell = (request: CallerRequest) => void;

export class OutageCallers {
  readonly #options: OutageCallersOptions;
  readonly #accounts: AccountCallers;
  /** Keys of callers within their limit, and how often each is used: for the control, and for the traffic. */
  readonly #control: KeyPlan;
  readonly #traffic: KeyPlan;

  constructor(options: OutageCallersOptions) {
    this.#options = options;
    const { access, callerTimeoutMs, fixture, requestsPerSecond, trafficMs } = options;
    this.#accounts = new AccountCallers({ ...access, fixture, callerTimeoutMs });
    const nodes = access.clients.length;
    this.#control = planOf(access, fixture, LEAST_ASKED * nodes, 0);
    const most = Math.ceil((requestsPerSecond * nodes * trafficMs) / 1000);
    this.#traffic = planOf(access, fixture, most, this.#control.count);
  }

  /** Makes them known, and returns until when they are; undefined: the limiter is told of none. @throws as {@link CallerAccess.introduce} */
  async introduce(signal: AbortSignal): Promise<number | undefined> {
    return await this.#options.access.introduce(this.#all(), signal);
  }

  async forget(): Promise<void> {
    await this.#options.access.forget(this.#all());
  }

  *#all(): Generator<NewCaller> {
    yield { key: beyondKey(this.#options.fixture) };
    yield { key: reachingKey(this.#options.fixture) };
    for (const key of this.#accounts.keys) yield { key };
    for (const { keys, uses } of [this.#control, this.#traffic]) {
      for (const key of keys()) yield { key, allowed: 2 * uses };
    }
  }

  /** Uses the limit of one caller up and lets others in, without any fault. @throws Error that says what is wrong */
  async control(tell: Tell, signal: AbortSignal): Promise<void> {
    const { access, callerTimeoutMs, fixture } = this.#options;
    const { callers, clients, learned, limit } = access;
    const full = admittedAtOnce(limit);
    const usedUp = await useUp(
      {
        clients,
        callers,
        key: beyondKey(fixture),
        most: 2 * full + MOST_BEYOND,
        callerTimeoutMs,
        ...(learned && { rest: { left: full, learned } }),
      },
      signal,
    );
    for (const request of usedUp.requests) tell(request);
    const problem = access.problemOf(usedUp, 'storeOutage.callerTimeout');
    if (problem) throw problem;
    let turnedAway: CallerRequest | undefined;
    const add: Tell = (request) => {
      tell(request);
      if (request.caller === 'Within' && request.got !== 'Admitted') turnedAway ??= request;
    };
    await this.#send(this.#sides(this.#control), add, signal, signal);
    signal.throwIfAborted();
    if (turnedAway) throw new Error(this.#turnedAway(turnedAway));
  }

  #turnedAway({ got, node, unheard }: CallerRequest): string {
    const { access, callerTimeoutMs } = this.#options;
    if (unheard) {
      return `without any fault the connection of a caller within its limit to ${node} broke, or none came about: see in the logs whether it failed, or closes connections within 4 s and does not say so in Keep-Alive`;
    }
    const what = {
      Admitted: `let through by ${node}`,
      Denied: `denied by ${node}`,
      Failed: `answered with an error by ${node}`,
      Unanswered: `not answered by ${node} within ${formatDuration(callerTimeoutMs)}`,
    }[got];
    return `without any fault a caller within its limit was ${what}: ${access.advice}`;
  }

  /** As {@link runCallerTraffic}: of callers within their limit, and of the one beyond it. */
  async traffic(tell: Tell, stop: AbortSignal, lifetime: AbortSignal): Promise<void> {
    await this.#send(this.#sides(this.#traffic), tell, stop, lifetime);
  }

  /** As {@link runCallerTraffic}: of the one that is new to the limiter, and comes to its limit on the way. */
  async reach(tell: Tell, stop: AbortSignal, lifetime: AbortSignal): Promise<void> {
    const keys = always(reachingKey(this.#options.fixture));
    await this.#send([{ caller: 'Reaching', keys }], tell, stop, lifetime);
  }

  /** Asks for those whose accounts are made up. @throws the reason of `signal` */
  async askForAccounts(signal: AbortSignal): Promise<void> {
    const half = Math.max(1, Math.floor(admittedAtOnce(this.#options.access.limit) / 2));
    await this.#accounts.ask(Math.min(ACCOUNT_REQUESTS, half), signal);
  }

  /** As {@link AccountCallers.balance}. */
  async balance(well: boolean, signal: AbortSignal): ReturnType<AccountCallers['balance']> {
    return await this.#accounts.balance(well, signal);
  }

  #sides({ keys, uses }: KeyPlan): CallerKind[] {
    return [
      { caller: 'Within', keys: usedTimes(keys(), uses) },
      { caller: 'Beyond', keys: always(beyondKey(this.#options.fixture)) },
    ];
  }

  async #send(
    kinds: readonly CallerKind[],
    tell: Tell,
    stop: AbortSignal,
    lifetime: AbortSignal,
  ): Promise<void> {
    const { access, callerTimeoutMs, leftOut, requestsPerSecond, room } = this.#options;
    const { callers, clients } = access;
    const options = { clients, callers, room, leftOut, kinds, requestsPerSecond, callerTimeoutMs };
    await runCallerTraffic(options, tell, stop, lifetime);
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
