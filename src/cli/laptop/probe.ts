/**
 * Finds what a command line leaves out, by requests to one instance: a path for health checks, the header that
 * identifies callers, the limit and its window. The callers of these requests are new keys that begin with `demo-`.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { UsageError } from '../../settings/settings.ts';
import type { ApiOptions, Header } from './arguments.ts';
import {
  expectedSeconds,
  type Finding,
  limitFrom,
  type Returned,
  type Shown,
  type Source,
} from './limit-facts.ts';
import { type ApiFacts, type CountedRequest, isKeyed } from './manifest.ts';
import { type Quota, quotaIn, reportsQuota } from './quota.ts';
import type { Answer, ApiClient } from './request.ts';

/** The facts of an API that need requests. */
export type Probed = Pick<ApiFacts, 'request' | 'healthPath' | 'limit'>;

/** At most so many requests are sent to exhaust a limit. */
export const MOST_SENT = 1_000;
/** All requests of a probe, with those that find a path for health checks and the header of the caller. */
export const MOST_REQUESTS = MOST_SENT + 100;

const HEALTH_PATHS = [
  '/healthz',
  '/health',
  '/livez',
  '/readyz',
  '/ready',
  '/status',
  '/ping',
  '/api/health',
  '/',
];
const KEY_HEADERS = ['X-Api-Key', 'Api-Key', 'X-User-Id', 'X-User', 'X-Client-Id', 'X-Tenant-Id'];
/** Identify callers by an address. */
const ADDRESS_HEADERS = ['X-Forwarded-For', 'X-Real-IP'];
const ADMITTED = new Set([200, 201, 202, 204]);
const REJECTED = 429;
/** How long a new API may answer with an error; milliseconds. */
const READY_MS = 5_000;
const POLL_MS = 200;
/** How long a rejected caller is watched at most; milliseconds. */
const MOST_WATCH_MS = 10_000;

/** A caller of the probe. */
interface Caller {
  readonly key: string;
  readonly address: string;
}

/** What the requests of one caller showed. */
interface Exhausted {
  readonly admitted: number;
  /** Of the first answer. */
  readonly quota: Quota;
  readonly firstAt: number;
}

/** All that is needed is found, or given. @throws UsageError with the option to write */
export class Probe {
  readonly findings: Finding[] = [];
  readonly #client: ApiClient;
  readonly #options: ApiOptions;
  readonly #request: CountedRequest;
  /** Part of all keys, so that they can be removed. */
  readonly mark = `demo-probe-${randomUUID().slice(0, 8)}`;
  #callers = 0;

  constructor(client: ApiClient, options: ApiOptions, path: string) {
    this.#client = client;
    this.#options = options;
    const { body, header = [], keyHeader, method } = options;
    const headers = keyHeader === undefined ? header : [...header, { name: keyHeader, value: '$(key)' }];
    this.#request = { method, path, headers, ...(body !== undefined && { body }) };
  }

  async run(): Promise<Probed> {
    const { identity, limit } = this.#options;
    const known = isKeyed(this.#request) || identity === 'address' ? this.#request : undefined;
    const caller = this.#newCaller();
    if (known && limit !== undefined) {
      this.#note('caller', 'given', callerText(known));
      const { firstAt, quota } = await this.#firstAnswer(known, caller);
      const facts = this.#limitFrom({ requests: limit, source: 'given', firstAt, quota });
      return { request: known, limit: facts, healthPath: await this.#findHealth([]) };
    }
    const sent = known ?? withHeaders(this.#request, [...KEY_HEADERS, ...ADDRESS_HEADERS].map(keyedHeader));
    const exhausted = await this.#exhaust(sent, caller);
    if (known) this.#note('caller', 'given', callerText(known));
    const request = known ?? (await this.#findIdentity(sent, caller));
    const healthPath = await this.#findHealth(filled(sent, caller).headers);
    if (limit !== undefined && limit !== exhausted.admitted) {
      const measured = `one caller was admitted ${exhausted.admitted} times, --limit is ${limit}`;
      this.#note('limit', 'measured', measured);
    }
    const returned = await this.#watch(filled(sent, caller), exhausted);
    const facts = this.#limitFrom({
      requests: limit ?? exhausted.admitted,
      source: limit === undefined ? 'measured' : 'given',
      ...exhausted,
      ...(returned && { returned }),
    });
    return { request, limit: facts, healthPath };
  }

  #note(what: string, source: Source, because: string): void {
    this.findings.push({ what, source, because });
  }

  /** @param headers of a caller that is being rejected, if there is one: then a path with a limiter rejects it as well */
  async #findHealth(headers: readonly Header[]): Promise<string> {
    const { health } = this.#options;
    const isRejected = headers.length > 0;
    for (const path of health === undefined ? HEALTH_PATHS : [health]) {
      const answer = await this.#client.send({ method: 'GET', path, headers });
      const { status } = answer;
      if (status >= 200 && status < 400 && !reportsQuota(answer.headers)) {
        const seen = isRejected ? 'for a caller that is being rejected' : 'without a header of a limiter';
        this.#note(
          'health',
          health === undefined ? 'found' : 'given',
          `GET ${path} answered ${status} ${seen}`,
        );
        return path;
      }
      if (health !== undefined) {
        const seen = status < 400 ? `${status} with the headers of a limiter` : status;
        throw new UsageError(
          `GET ${health} answered ${seen}: write a path in --health that answers 200 and has no limiter`,
        );
      }
    }
    throw new UsageError(
      `none of ${HEALTH_PATHS.join(', ')} answers 200 without a limiter: write a path that has none in --health, or add one in front of the limiter`,
    );
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
      await sleep(POLL_MS);
    }
  }

  /** Sends until the first rejection. */
  async #exhaust(request: CountedRequest, caller: Caller): Promise<Exhausted> {
    let first: Answer | undefined;
    for (let admitted = 0; admitted <= MOST_SENT; admitted += 1) {
      const next = filled(request, caller);
      const answer = first ? await this.#client.send(next) : await this.#sendOnceReady(next);
      if (answer.status === REJECTED && first) {
        return { admitted, quota: quotaIn(first.headers, first.at), firstAt: first.at };
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
    const [one, another] = [this.#newCaller(), this.#newCaller()];
    for (const name of [...KEY_HEADERS, ...ADDRESS_HEADERS]) {
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
      `the address of the connection: with another value of ${[...KEY_HEADERS, ...ADDRESS_HEADERS].join(', ')}, a rejected caller stays rejected`,
    );
    return this.#request;
  }

  /** Adds the findings about a limit. */
  #limitFrom(shown: Shown): ApiFacts['limit'] {
    const { findings, limit } = limitFrom(shown, this.#options);
    this.findings.push(...findings);
    return limit;
  }

  /**
   * Watches a rejected caller for as long as a token bucket takes to return one request, unless that takes too long: a
   * bucket returns one, a window all of them.
   */
  async #watch(
    request: CountedRequest,
    { admitted, firstAt, quota }: Exhausted,
  ): Promise<Returned | undefined> {
    const { algorithm, windowStart } = this.#options;
    const waitMs = (1000 * 1.25 * expectedSeconds(this.#options, quota)) / Math.max(1, admitted) + POLL_MS;
    if (algorithm !== undefined || windowStart !== undefined || waitMs > MOST_WATCH_MS) return undefined;
    while (Date.now() - firstAt < waitMs) {
      await sleep(POLL_MS);
      if ((await this.#client.send(request)).status === REJECTED) continue;
      const next = await this.#client.send(request);
      const afterSeconds = (Date.now() - firstAt) / 1000;
      return { what: next.status === REJECTED ? 'one request' : 'several requests', afterSeconds };
    }
    return { what: 'nothing', afterSeconds: (Date.now() - firstAt) / 1000 };
  }

  #newCaller(): Caller {
    this.#callers += 1;
    return {
      key: `${this.mark}-${this.#callers}`,
      // 198.18.0.0/15 is reserved for measurements (RFC 2544), so no real caller has such an address.
      address: `198.${18 + randomInt(2)}.${randomInt(256)}.${1 + randomInt(254)}`,
    };
  }
}

function keyedHeader(name: string): Header {
  return { name, value: ADDRESS_HEADERS.includes(name) ? '$(address)' : '$(key)' };
}

function withHeaders(request: CountedRequest, headers: readonly Header[]): CountedRequest {
  return { ...request, headers: [...request.headers, ...headers] };
}

function callerText(request: CountedRequest): string {
  const header = request.headers.find(({ value }) => /\$\((key|address)\)/.test(value));
  if (header) return `header ${header.name}`;
  return isKeyed(request) ? '$(key) in the request' : 'the address of the connection';
}

function fill({ name, value }: Header, { address, key }: Caller): Header {
  return { name, value: value.replaceAll('$(key)', key).replaceAll('$(address)', address) };
}

function filled({ body, headers, method, path }: CountedRequest, caller: Caller): CountedRequest {
  const text = (value: string): string => fill({ name: '', value }, caller).value;
  return {
    method,
    path: text(path),
    headers: headers.map((header) => fill(header, caller)),
    ...(body !== undefined && { body: text(body) }),
  };
}
