/**
 * The callers whose counts are reconciled: each asks for a part of its limit during the fault, and for all that is
 * left of it afterwards. One for each of a few pods.
 */
import { MOST_ACCOUNTED } from '../../checkers/accounts.ts';
import type { CallerAccess } from '../../interfaces/caller-access.ts';
import { type ExhaustOptions, exhaustLimit, MOST_BEYOND } from '../../interfaces/exhaust-limit.ts';
import type { ReferenceLimiter } from '../../interfaces/reference/reference-limiter.ts';
import { admittedAtOnce } from '../../limits/rate-limit.ts';
import type { RecordRequest } from '../../workloads/traffic.ts';
import { accountKey } from '../caller-keys.ts';

/** For so many pods: each account has to be used up after the fault. */
export const MOST_ACCOUNTS = 3;
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
  /** Requests of each that were admitted during the fault. */
  readonly #admitted: number[];

  constructor(options: AccountCallersOptions) {
    this.#options = options;
    this.#full = admittedAtOnce(options.limit);
    this.#admitted = options.clients.slice(0, this.#full <= MOST_ACCOUNTED ? MOST_ACCOUNTS : 0).map(() => 0);
  }

  /** All of them. */
  get keys(): string[] {
    return this.#admitted.map((_, i) => accountKey(this.#options.fixture, i));
  }

  /** Each asks its own pod for `most` requests. @throws the reason of `signal` */
  async ask(most: number, record: RecordRequest, signal: AbortSignal): Promise<void> {
    const { clients } = this.#options;
    await Promise.all(
      this.keys.map(async (key, i) => {
        const own = clients.slice(i, i + 1);
        this.#admitted[i] = await this.#send({ clients: own, key, most }, record, signal);
      }),
    );
    signal.throwIfAborted();
  }

  /** Each uses the rest of its limit up. @throws the reason of `signal` */
  async exhaustLimit(record: RecordRequest, signal: AbortSignal): Promise<void> {
    const { clients, reference } = this.#options;
    const most = this.#full + MOST_BEYOND;
    const within = AbortSignal.any([signal, AbortSignal.timeout(MOST_MS)]);
    // Side by side: recovery has its time, and pods may take some of it for each to learn of the others' counts.
    await Promise.all(
      this.keys.map(async (key, i) => {
        const left = this.#full - (this.#admitted[i] ?? 0);
        const rest = reference && { rest: { left, learned: reference.learned.bind(reference) } };
        await this.#send({ clients, key, most, withinMs: WITHIN_MS, ...rest }, record, within);
      }),
    );
    signal.throwIfAborted();
  }

  /** @returns how many were admitted, as far as is known: what goes wrong leaves the account open */
  async #send(
    options: Pick<ExhaustOptions, 'clients' | 'key' | 'most' | 'rest' | 'withinMs'>,
    record: RecordRequest,
    signal: AbortSignal,
  ): Promise<number> {
    const { callers, callerTimeoutMs, limit } = this.#options;
    const { windowMs } = limit;
    const used = await exhaustLimit({ callers, callerTimeoutMs, windowMs, ...options }, signal).catch(
      () => undefined,
    );
    const requests = used?.requests ?? [];
    for (const request of requests) record({ ...request, caller: 'Account', key: options.key });
    return requests.filter(({ outcome }) => outcome === 'Admitted').length;
  }
}
