/**
 * The callers whose accounts are made up: each asks for a part of its limit during the fault, and for all that is
 * left of it afterwards. One for each of a few nodes.
 */

import { counted } from '../../../../api/index.ts';
import type { RecoveryReport } from '../../../../demo/observed.ts';
import type { CallerAccess } from '../../interfaces/caller-access.ts';
import type { CallerRequest } from '../../interfaces/caller-request.ts';
import type { ReferenceLimiter } from '../../interfaces/reference/reference-limiter.ts';
import { MOST_BEYOND, useUp } from '../../interfaces/use-up.ts';
import { admittedAtOnce } from '../../limits/rate-limit.ts';
import { CLOCK_WITHIN_MS } from '../../limits/window-turn.ts';
import { accountKey } from '../caller-keys.ts';
import { type Account, type Balance, balanceOf } from './accounts.ts';
import { awaitReturn, type LimitReturn } from './limit-return.ts';

/** For so many nodes accounts are made up, and for limits up to that: each has to be used up after the fault. */
export const MOST_ACCOUNTS = 3;
export const MOST_ACCOUNTED = 200;
/** About how long that takes for one of them, and how long it may take; milliseconds. */
const WITHIN_MS = 2000;
const MOST_MS = 10_000;

export interface AccountCallersOptions extends Pick<CallerAccess, 'callers' | 'clients' | 'limit'> {
  readonly reference?: Pick<ReferenceLimiter, 'learned'> | undefined;
  readonly fixture: string;
  readonly callerTimeoutMs: number;
}

export class AccountCallers {
  readonly #options: AccountCallersOptions;
  readonly #full: number;
  /** During the fault, by node. */
  readonly #during: CallerRequest[][];
  /** Callers that are known to have used their limits up since. */
  readonly #usedUp: string[] = [];

  constructor(options: AccountCallersOptions) {
    this.#options = options;
    this.#full = admittedAtOnce(options.limit);
    this.#during = options.clients
      .slice(0, this.#full <= MOST_ACCOUNTED ? MOST_ACCOUNTS : 0)
      .map((): CallerRequest[] => []);
  }

  /** All of them. */
  get keys(): string[] {
    return this.#during.map((_, i) => accountKey(this.#options.fixture, i));
  }

  /** Each asks its own node for `most` requests. @throws the reason of `signal` */
  async ask(most: number, signal: AbortSignal): Promise<void> {
    const { callers, callerTimeoutMs, clients, fixture } = this.#options;
    await Promise.all(
      clients.slice(0, this.#during.length).map(async (client, i) => {
        const key = accountKey(fixture, i);
        const { requests } = await useUp(
          { clients: [client], callers, key, most, callerTimeoutMs },
          signal,
        ).catch(() => ({ requests: [] }));
        this.#during[i]?.push(...requests);
      }),
    );
    signal.throwIfAborted();
  }

  /**
   * Uses the rest of their limits up, and tells what that shows; an account that could not be made up is not known.
   * @param well whether callers were served as before by then: a limiter that still denies for the fault's sake has not counted
   * @throws the reason of `signal`
   */
  async balance(well: boolean, signal: AbortSignal): Promise<Pick<RecoveryReport, 'measures' | 'message'>> {
    const { limit } = this.#options;
    if (this.#during.length === 0) {
      return { measures: [], message: `no accounts are made up for limits above ${MOST_ACCOUNTED}` };
    }
    const unknownOf = (callers: number): string =>
      `the accounts of ${counted(callers, 'caller')} are not known`;
    if (!well) {
      const why = 'when the watch ended, callers were not served as before yet';
      return { measures: [], message: `${unknownOf(this.#during.length)}: ${why}` };
    }
    // Side by side: recovery has its time, and nodes may take some of it for each to learn of the others' counts.
    const balances = await Promise.all(
      this.#during.map(async (during, i) => {
        const key = accountKey(this.#options.fixture, i);
        const served = during.filter(({ got }) => got === 'Admitted').length;
        const { requests, usedUp } = await this.#useUp(key, this.#full - served, signal);
        if (usedUp) this.#usedUp.push(key);
        const account = accountOf(during, requests);
        return usedUp && account ? balanceOf(limit, account) : undefined;
      }),
    );
    let [lost, phantoms, unasked, hidden, unknown] = [0, 0, 0, 0, 0];
    for (const balance of balances) {
      if (!balance) unknown += 1;
      lost += balance?.lost ?? 0;
      phantoms += balance?.phantoms ?? 0;
      unasked += balance?.unasked ?? 0;
      hidden += balance?.hidden ?? 0;
    }
    if (unknown > 0) return { measures: [], message: unknownOf(unknown) };
    const atLeast = hidden > 0;
    const figure = (name: string, value: number) => ({
      name,
      value,
      unit: 'requests',
      ...(atLeast && { atLeast }),
    });
    return {
      measures: [figure('lost', lost), figure('phantoms', phantoms)],
      message: `of ${counted(this.#during.length, 'caller')} ${said({ lost, phantoms, unasked, hidden })}`,
    };
  }

  /** Whether those callers get their limits back; after {@link balance}. @throws the reason of `signal` */
  async limitReturn(withinMs: number, signal: AbortSignal): Promise<LimitReturn> {
    const keys = this.#usedUp;
    if (this.#during.length === 0) {
      return { state: 'NotChecked', why: `limits above ${MOST_ACCOUNTED} are not used up after the pause` };
    }
    if (keys.length === 0) {
      return { state: 'NotChecked', why: 'no caller could use its limit up after the pause' };
    }
    return await awaitReturn({ ...this.#options, keys, withinMs }, signal);
  }

  async #useUp(key: string, left: number, signal: AbortSignal): ReturnType<typeof useUp> {
    const { callers, callerTimeoutMs, clients, reference } = this.#options;
    const most = this.#full + MOST_BEYOND;
    const rest = reference && { rest: { left, learned: reference.learned.bind(reference) } };
    return await useUp(
      { clients, callers, key, most, callerTimeoutMs, withinMs: WITHIN_MS, ...rest },
      AbortSignal.any([signal, AbortSignal.timeout(MOST_MS)]),
    ).catch(() => {
      signal.throwIfAborted();
      return { requests: [], usedUp: false };
    });
  }
}

/** What one caller asked for during and after the fault; undefined where it is not known. */
function accountOf(during: readonly CallerRequest[], after: readonly CallerRequest[]): Account | undefined {
  const [first] = during;
  const last = after.at(-1);
  if (!first || !last || after.some(({ got }) => got === 'Failed' || got === 'Unanswered')) return undefined;
  const served = during.filter(({ got }) => got === 'Admitted').length;
  return {
    served,
    notServed: during.length - served,
    admittedAfter: after.filter(({ got }) => got === 'Admitted').length,
    span: { from: first.sentAt, to: last.endedAt, fresh: true, clockWithinMs: CLOCK_WITHIN_MS },
  };
}

/** What all accounts together come to, in words. */
function said({ hidden, lost, phantoms, unasked }: Balance): string {
  if (lost + phantoms + unasked === 0) {
    return hidden > 0
      ? 'none was seen that was admitted and never counted, or counted and not admitted in time, and some may not show'
      : 'what was served was counted, and nothing else';
  }
  const least = hidden > 0 ? 'at least ' : '';
  const parts = [
    `${least}${counted(lost, 'request')} admitted and never counted`,
    `${least}${counted(phantoms, 'request')} counted and not admitted in time`,
  ];
  const more = `and at least ${unasked} more gone from their limits than they asked for, as where requests are counted more than once`;
  return [...parts, ...(unasked > 0 ? [more] : [])].join(', ');
}
