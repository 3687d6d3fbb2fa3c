/**
 * Finds what a command line leaves out, by requests to one instance: a path for health checks, the header that
 * identifies callers, the limit and its window. The callers of these requests are new keys that begin with `demo-`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { UsageError } from '../../settings/settings.ts';
import {
  type Caller,
  Callers,
  callerText,
  fill,
  filled,
  keyedHeader,
  USUAL_HEADERS,
  withHeaders,
} from './callers.ts';
import { findHealth } from './health.ts';
import { type Finding, isMeasurable, limitFrom, type Shown, type Source } from './limit-facts.ts';
import { type ApiFacts, type CountedRequest, isKeyed } from './manifest.ts';
import { MOST_SECONDS, measureWindow } from './measure-window.ts';
import { type Exhausted, type Observed, observeReturn } from './observe-return.ts';
import type { Header, ProbeOptions } from './options.ts';
import { type Quota, quotaIn } from './quota.ts';
import type { Answer, ApiClient } from './request.ts';

/** The facts of an API that need requests. */
export type Probed = Pick<ApiFacts, 'request' | 'healthPath' | 'limit'>;

/** At most so many requests are sent to exhaust a limit. */
export const MOST_SENT = 1_000;
/** All requests of a probe, with those that find a path for health checks, the header of the caller and the algorithm. */
const MOST_REQUESTS = MOST_SENT + 400;

/** What a probe sends, for a question before it. */
export function requestsText(path: string): string {
  return `up to ${MOST_REQUESTS} requests to ${path}, with keys that begin with demo-probe-`;
}

/** Why a probe waits. */
export function waitText(seconds: number): string {
  return `algorithm: waiting for the end of a window of ${seconds} s. With --algorithm, there is no wait`;
}

/** Why a probe of {@link ProbePlace.onMeasure} waits. */
export const MEASURE_TEXT = `window: no header reports all of it, so two windows are measured, up to ${MOST_SECONDS} s each. With --window, there is no wait`;

const ADMITTED = new Set([200, 201, 202, 204]);
const REJECTED = 429;
/** How long a new API may answer with an error; milliseconds. */
const READY_MS = 5_000;
const POLL_MS = 200;

/** What a probe needs besides the options. */
export interface ProbePlace {
  readonly path: string;
  /** To try before the usual ones. */
  readonly healthPaths?: readonly string[];
  /** Called before a wait of a window, which shows the algorithm. Without it, there is none. */
  readonly onWait?: (seconds: number) => void;
  /** Called before a wait of two windows, which measures them if no header reports them. Without it, there is none. */
  readonly onMeasure?: () => void;
}

/** All that is needed is found, or given. @throws UsageError with the option to write */
export class Probe {
  readonly findings: Finding[] = [];
  readonly #client: ApiClient;
  readonly #options: ProbeOptions;
  readonly #request: CountedRequest;
  readonly #healthPaths: readonly string[];
  readonly #onWait: ProbePlace['onWait'];
  readonly #onMeasure: ProbePlace['onMeasure'];
  readonly #callers = new Callers();

  /** Part of all keys, so that they can be removed. */
  get mark(): string {
    return this.#callers.mark;
  }

  constructor(
    client: ApiClient,
    options: ProbeOptions,
    { healthPaths = [], onMeasure, onWait, path }: ProbePlace,
  ) {
    this.#client = client;
    this.#options = options;
    this.#onWait = onWait;
    this.#onMeasure = onMeasure;
    this.#healthPaths = healthPaths;
    const { body, header = [], keyHeader, method } = options;
    const headers = keyHeader === undefined ? header : [...header, { name: keyHeader, value: '$(key)' }];
    this.#request = { method, path, headers, ...(body !== undefined && { body }) };
  }

  async run(): Promise<Probed> {
    const { algorithm, identity, limit, window, windowStart } = this.#options;
    const known = isKeyed(this.#request) || identity === 'address' ? this.#request : undefined;
    const caller = this.#callers.next();
    const isCertain = algorithm !== undefined || windowStart !== undefined || this.#onWait === undefined;
    const isMeasured = this.#onMeasure !== undefined && window === undefined;
    if (known && limit !== undefined && isCertain && !isMeasured) {
      this.#note('caller', 'given', callerText(known));
      const { firstAt, quota } = await this.#firstAnswer(known, caller);
      const facts = this.#limitFrom({ requests: limit, source: 'given', firstAt, quota });
      return { request: known, limit: facts, healthPath: await this.#findHealth([]) };
    }
    const sent = known ?? withHeaders(this.#request, USUAL_HEADERS.map(keyedHeader));
    const exhausted = await this.#exhaust(sent, caller);
    if (known) this.#note('caller', 'given', callerText(known));
    const request = known ?? (await this.#findIdentity(sent, caller));
    const healthPath = await this.#findHealth(filled(sent, caller).headers);
    if (limit !== undefined && limit !== exhausted.admitted) {
      const measured = `one caller was admitted ${exhausted.admitted} times, --limit is ${limit}`;
      this.#note('limit', 'measured', measured);
    }
    const facts = this.#limitFrom({
      requests: limit ?? exhausted.admitted,
      source: limit === undefined ? 'measured' : 'given',
      ...exhausted,
      ...(await this.#observeReturn(request, filled(sent, caller), exhausted)),
    });
    return { request, limit: facts, healthPath };
  }

  async #observeReturn(
    request: CountedRequest,
    rejected: CountedRequest,
    exhausted: Exhausted,
  ): Promise<Pick<Shown, 'returned' | 'spread' | 'window'>> {
    if (!this.#onMeasure || !isMeasurable(this.#options, exhausted.quota)) {
      return await observeReturn(this.#observed(request), rejected, exhausted);
    }
    this.#onMeasure();
    const isAdmitted = async (): Promise<boolean> => ADMITTED.has((await this.#client.send(rejected)).status);
    const { signal } = this.#client;
    const clock = {
      now: Date.now,
      sleep: async (ms: number): Promise<void> => await sleep(ms, undefined, { signal }),
    };
    const { admitted: requests, firstAt } = exhausted;
    return { window: await measureWindow(isAdmitted, { firstAt, requests }, clock) };
  }

  #observed(request: CountedRequest): Observed {
    const send = async (next: CountedRequest): Promise<Answer> => await this.#client.send(next);
    const newCaller = (): CountedRequest => filled(request, this.#callers.next());
    return {
      send,
      signal: this.#client.signal,
      options: this.#options,
      onWait: this.#onWait,
      ...(isKeyed(request) && { newCaller }),
    };
  }

  #note(what: string, source: Source, because: string): void {
    this.findings.push({ what, source, because });
  }

  async #findHealth(headers: readonly Header[]): Promise<string> {
    const { health } = this.#options;
    const { because, path } = await findHealth(
      this.#client,
      { given: health, usual: this.#healthPaths },
      headers,
    );
    this.#note('health', health === undefined ? 'found' : 'given', because);
    return path;
  }

  async #firstAnswer(request: CountedRequest, caller: Caller): Promise<Exhausted> {
    const answer = await this.#sendOnceReady(filled(request, caller));
    this.#requireAdmitted(request, answer);
    return { admitted: 1, quota: quotaIn(answer.headers, answer.at), firstAt: answer.at };
  }

  /** An API may listen before it has a connection to its Redis. */
  async #sendOnceReady(request: CountedRequest): Promise<Answer> {
    const deadline = performance.now() + READY_MS;
    for (;;) {
      const answer = await this.#client.send(request);
      if (answer.status < 500 || performance.now() > deadline) return answer;
      await sleep(POLL_MS, undefined, { signal: this.#client.signal });
    }
  }

  /** Sends until the first rejection. */
  async #exhaust(request: CountedRequest, caller: Caller): Promise<Exhausted> {
    let first: Answer | undefined;
    for (let admitted = 0; admitted <= MOST_SENT; admitted += 1) {
      const next = filled(request, caller);
      const answer = first ? await this.#client.send(next) : await this.#sendOnceReady(next);
      if (answer.status === REJECTED && first) {
        const quota = { ...afterRejection(answer, first.at), ...quotaIn(first.headers, first.at) };
        return { admitted, quota, firstAt: first.at };
      }
      this.#requireAdmitted(request, answer);
      first ??= answer;
    }
    throw new UsageError(
      `${request.method} ${request.path} admitted ${MOST_SENT} requests of one caller in a row: check that this path has a limiter that answers ${REJECTED}, or write --limit and --key-header`,
    );
  }

  #requireAdmitted({ method, path }: CountedRequest, { status }: Answer): void {
    if (ADMITTED.has(status)) return;
    const advice =
      status === 401 || status === 403
        ? "add what it needs, such as --header 'Authorization: Bearer TOKEN'"
        : status === REJECTED
          ? 'the limit is used up for a new caller: write the header that identifies callers in --key-header, or wait until the window has ended'
          : 'write a request that your API answers with 200, by the path, --method and --body';
    throw new UsageError(`${method} ${path} answered ${status}: ${advice}`);
  }

  /**
   * Changes one header after the other, until a new caller is admitted. A bucket may return a request at that moment, so
   * the rejected caller must still be rejected, and another new one admitted.
   */
  async #findIdentity(sent: CountedRequest, caller: Caller): Promise<CountedRequest> {
    const [one, another] = [this.#callers.next(), this.#callers.next()];
    for (const name of USUAL_HEADERS) {
      const isAdmitted = async (other: Caller): Promise<boolean> => {
        const headers = sent.headers.map((header) => fill(header, header.name === name ? other : caller));
        return ADMITTED.has((await this.#client.send({ ...filled(sent, caller), headers })).status);
      };
      if (!(await isAdmitted(one)) || (await isAdmitted(caller)) || !(await isAdmitted(another))) continue;
      const request = withHeaders(this.#request, [keyedHeader(name)]);
      this.#note(
        'caller',
        'measured',
        `${callerText(request)}: with another value, a rejected caller is admitted`,
      );
      return request;
    }
    this.#note(
      'caller',
      'guess',
      `the address of the connection: with another value of ${USUAL_HEADERS.join(', ')}, a rejected caller stays rejected`,
    );
    return this.#request;
  }

  /** Adds the findings about a limit. */
  #limitFrom(shown: Shown): ApiFacts['limit'] {
    const { findings, limit } = limitFrom(shown, this.#options);
    this.findings.push(...findings);
    return limit;
  }
}

/** Some limiters report a quota only with a rejection. */
function afterRejection({ at, headers }: Answer, firstAt: number): Quota {
  const { resetSeconds, ...quota } = quotaIn(headers, at);
  return {
    ...quota,
    ...(resetSeconds !== undefined && { resetSeconds: resetSeconds + (at - firstAt) / 1000 }),
  };
}
