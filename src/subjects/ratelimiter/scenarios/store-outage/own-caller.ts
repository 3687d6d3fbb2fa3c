/**
 * The one caller of an attempt on a limiter that knows its callers by the source address alone. Its limit is used up
 * before the fault, as the control of that; then it rests until it is whole again, and the fault finds it so.
 */
import { formatDuration } from '../../../../api/index.ts';
import { PauseNotSentError } from '../../faults/pause.ts';
import type { CallerRequest, RequestOutcome } from '../../history/events.ts';
import { gotOf } from '../../interfaces/caller-request.ts';
import { exhaustLimit, MOST_BEYOND } from '../../interfaces/exhaust-limit.ts';
import type { OwnLimit } from '../../interfaces/own-limit.ts';
import { admittedAtOnce } from '../../limits/rate-limit.ts';
import { always, type RecordRequest, runTraffic, toEachPod } from '../../workloads/traffic.ts';
import { beyondKey } from '../caller-keys.ts';
import type { CallersOptions } from './outage-callers.ts';
import { sendWhenReturned } from './returning-callers.ts';

/** How long the accounts may take, in milliseconds: recovery has its time. */
const ACCOUNT_WITHIN_MS = 2000;

/** The same caller sends the requests of each kind. */
export interface OwnCallerOptions extends CallersOptions {
  readonly ownLimit: OwnLimit;
}

export class OwnCaller {
  readonly #options: OwnCallerOptions;
  readonly #full: number;

  constructor(options: OwnCallerOptions) {
    this.#options = options;
    this.#full = admittedAtOnce(options.access.limit);
  }

  /**
   * Waits until the limit is whole, uses it up without any fault, and waits until it is whole again.
   * @returns what the caller got, the first of it within its limit
   * @throws Error that says what is wrong; the reason of `signal`
   */
  async control(signal: AbortSignal): Promise<readonly CallerRequest[]> {
    const { access, ownLimit } = this.#options;
    await ownLimit.untilReplenished(signal);
    const used = await this.#exhaustLimit({ most: 2 * this.#full + MOST_BEYOND }, signal);
    const problem = access.problemOf(used, 'storeOutage.callerTimeout');
    if (problem) throw problem;
    await ownLimit.untilReplenished(signal);
    return used.requests.map((request, i) => ({ ...request, caller: i < this.#full ? 'Under' : 'Over' }));
  }

  /**
   * Asks every node once right before the fault: a limit that somebody else uses would be taken for one that fails.
   * @throws PauseNotSentError where one does not let it through; the reason of `signal`
   */
  async arrive(record: RecordRequest, signal: AbortSignal): Promise<void> {
    const { access, callerTimeoutMs, fixture, ownLimit } = this.#options;
    const asked = await Promise.all(
      access.clients.map(async (client) => ({
        node: client.node.name,
        ...(await client.ask(access.callers.requestOf(beyondKey(fixture)), callerTimeoutMs, signal)),
      })),
    ).finally(() => ownLimit.used());
    signal.throwIfAborted();
    for (const { node, ...each } of asked) {
      const said = gotOf(each, access.callers);
      if (said?.outcome !== 'Admitted')
        throw new PauseNotSentError(this.#unwelcome(node, said?.outcome ?? 'Error'));
      record({
        pod: node,
        caller: 'Over',
        sentAt: each.sentAt,
        endedAt: each.endedAt,
        outcome: said.outcome,
      });
    }
  }

  #unwelcome(node: string, outcome: Exclude<RequestOutcome, 'Admitted'>): string {
    const within = formatDuration(this.#options.callerTimeoutMs);
    const what = {
      Rejected: `${node} rejected the first request right before the fault, though the limit was to be whole by then: see who else asks these pods under the address of the operator`,
      Error: `${node} answered the first request right before the fault with an error, or not at all`,
      Timeout: `${node} did not answer the first request right before the fault within ${within}`,
    };
    return what[outcome];
  }

  /** As {@link runTraffic}, all of it of one caller. */
  async traffic(record: RecordRequest, stop: AbortSignal, lifetime: AbortSignal): Promise<void> {
    const { access, callerTimeoutMs, fixture, late, leftOut, ownLimit, requestsPerSecond, room } =
      this.#options;
    const { callers, clients } = access;
    const key = beyondKey(fixture);
    // Twice as often as each kind sends if there are several.
    const twice = ['Over', 'Over'] as const;
    const schedule = toEachPod(
      clients,
      twice.map((caller) => ({ caller, keys: always(key) })),
    );
    await runTraffic(
      {
        schedule,
        callers,
        room,
        leftOut,
        late: { ...late, listensTo: () => true },
        turnsPerSecond: requestsPerSecond,
        callerTimeoutMs,
      },
      record,
      stop,
      lifetime,
    ).finally(() => ownLimit.used());
  }

  /** The caller of the accounts, of which there is one. */
  get accountKeys(): string[] {
    return [beyondKey(this.#options.fixture)];
  }

  /** Uses up what is left of the limit; what goes wrong leaves the account open. @throws the reason of `signal` */
  async exhaustAccounts(record: RecordRequest, signal: AbortSignal): Promise<void> {
    const bounds = { most: this.#full + MOST_BEYOND, withinMs: ACCOUNT_WITHIN_MS };
    const used = await this.#exhaustLimit(bounds, signal).catch(() => undefined);
    signal.throwIfAborted();
    const [key] = this.accountKeys;
    for (const request of used?.requests ?? []) record({ ...request, caller: 'Account', key });
  }

  /** Sends requests once the limit must be returned. @throws the reason of `signal` */
  async sendWhenReturned(
    keys: readonly string[],
    withinMs: number,
    record: RecordRequest,
    signal: AbortSignal,
  ): Promise<void> {
    const { access, callerTimeoutMs, ownLimit } = this.#options;
    await sendWhenReturned({ ...access, callerTimeoutMs, keys, withinMs }, record, signal).finally(() =>
      ownLimit.used(),
    );
  }

  async #exhaustLimit(
    bounds: { readonly most: number; readonly withinMs?: number },
    signal: AbortSignal,
  ): ReturnType<typeof exhaustLimit> {
    const { access, callerTimeoutMs, fixture, ownLimit } = this.#options;
    const { callers, clients, limit } = access;
    const options = { clients, callers, key: beyondKey(fixture), callerTimeoutMs, windowMs: limit.windowMs };
    return await exhaustLimit({ ...options, ...bounds }, signal).finally(() => ownLimit.used());
  }
}
