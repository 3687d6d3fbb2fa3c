/**
 * Finds what a command line leaves out, by requests to one instance: a path for health checks, the header that
 * identifies callers, the limit and its window. The callers of these requests are new keys that begin with `demo-`, and
 * their requests are sent and read as those of a run.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { UsageError } from '@chaosdemo/settings';
import { counted } from '../../api/index.ts';
import type { AccountOf } from '../../subjects/http/caller-pool.ts';
import type { PodClient } from '../../subjects/http/pod-client.ts';
import {
  type Clock,
  type Measured,
  MOST_SECONDS,
  MOST_WAIT_MS,
  measureWindow,
} from '../../subjects/ratelimiter/controls/measured-window.ts';
import { type Exhausted, exhaustLimit } from '../../subjects/ratelimiter/interfaces/exhaust-limit.ts';
import { HttpCallers } from '../../subjects/ratelimiter/interfaces/http/http-callers.ts';
import { httpInterfaceSchema } from '../../subjects/ratelimiter/spec/http-schema.ts';
import { type Finding, findingLine, isWindowOpen, limitFrom, type Source } from './limit-facts.ts';
import { type ApiFacts, type CountedRequest, isKeyed, requireSharedLimit } from './manifest.ts';
import type { Header, ProbeOptions } from './options.ts';
import { type Quota, quotaIn, reportsQuota } from './quota.ts';

/** The facts of an API that need requests. */
export type Probed = Pick<ApiFacts, 'request' | 'healthPath' | 'limit'>;

/** The largest limit that is measured. */
const MOST_LIMIT = 1_000;
/** All requests of a probe: a caller uses its limit up three times at most, and is watched for two windows. */
const MOST_REQUESTS = 4 * MOST_LIMIT + 1_500;
const TIMEOUT_MS = 5_000;
/** How long a new API may answer with an error; milliseconds. */
const READY_MS = 5_000;
const POLL_MS = 200;
const COUNTDOWN_MS = 10_000;

/** Headers that identify callers. */
const USUAL_HEADERS: readonly Header[] =
  'X-Api-Key Api-Key X-User-Id X-User X-Client-Id X-Tenant-Id X-Forwarded-For X-Real-IP'
    .split(' ')
    .map((name) => ({ name, value: /(For|IP)$/.test(name) ? '$(address)' : '$(key)' }));
const USUAL_HEALTH = '/healthz /health /healthcheck /livez /readyz /ready /status /ping /api/health'.split(
  ' ',
);

const WITHOUT_HEALTH =
  'Instances that accept connections are healthy, and a slow one looks like a slow limiter. To distinguish them, write a path without a limiter in --health';

/** What a probe sends, to state before it. */
export function requestsText(path: string): string {
  return `up to ${MOST_REQUESTS} requests to ${path}, with keys that begin with demo-probe-`;
}

/** What a probe needs besides the options. */
export interface ProbePlace {
  /** Of one instance. */
  readonly client: PodClient;
  readonly signal: AbortSignal;
  readonly path: string;
  /** Left out: keys of callers are sent as they are. */
  readonly accountOf?: AccountOf | undefined;
  /** To try before the usual ones. */
  readonly healthPaths?: readonly string[];
  /** What to check if there is no answer. */
  readonly advice: string;
  /** Prints each finding, and the reason of a wait for two windows. */
  readonly print: (line: string) => void;
}

interface Caller {
  readonly callers: HttpCallers;
  readonly key: string;
}

/** With the headers of each answer. */
type Sent = Exhausted & { readonly headers: readonly IncomingHttpHeaders[] };

/** The facts, how each is known, and `mark`, a part of all keys, so that they can be removed. */
export interface ProbeResult {
  readonly facts: Probed;
  readonly findings: readonly Finding[];
  readonly mark: string;
}

/** Probes an API, prints each finding, and closes the client. @throws UsageError with the option to write */
export async function probeApi(options: ProbeOptions, place: ProbePlace): Promise<ProbeResult> {
  return await new Probe(options, place).run().finally(() => place.client.close());
}

/** All that is needed is found, or given. */
class Probe {
  readonly #findings: Finding[] = [];
  readonly #mark = `demo-probe-${randomUUID().slice(0, 8)}`;
  readonly #options: ProbeOptions;
  readonly #place: ProbePlace;
  readonly #request: CountedRequest;
  /** Whether there is no need to wait until a limit returns. */
  readonly #isGiven: boolean;
  #keys = 0;

  constructor(options: ProbeOptions, place: ProbePlace) {
    this.#options = options;
    this.#place = place;
    const { body, header = [], keyHeader, limit, method, rejected, window } = options;
    this.#isGiven = limit !== undefined && window !== undefined;
    const headers = [...header, ...(keyHeader === undefined ? [] : [{ name: keyHeader, value: '$(key)' }])];
    const mapping = rejected === undefined ? {} : { rejectedStatuses: [rejected] };
    this.#request = { method, path: place.path, headers, ...(body !== undefined && { body }), ...mapping };
  }

  async run(): Promise<ProbeResult> {
    const { identity, limit } = this.#options;
    const isKnown = isKeyed(this.#request) || identity === 'address';
    if (this.#place.accountOf && !isKeyed(this.#request)) {
      throw new UsageError('--callers has keys: write the header that takes them in --key-header');
    }
    const isStated = isKnown && this.#isGiven;
    const sent = isKnown ? this.#request : withHeaders(this.#request, USUAL_HEADERS);
    const caller = this.#caller(callersOf(sent, this.#place));
    const { admitted, quota } = await this.#begin(caller, isStated ? 1 : MOST_LIMIT + 1);
    if (isKnown) this.#note('caller', 'given', callerText(this.#request));
    const request = isKnown ? this.#request : await this.#findIdentity(sent, caller);
    const healthPath = await this.#findHealth(isStated ? undefined : caller);
    if (!isStated && limit !== undefined && limit !== admitted) {
      this.#note('limit', 'measured', `one caller was admitted ${admitted} times, --limit is ${limit}`);
    }
    // Before the wait for its window.
    if (!isKeyed(request)) requireSharedLimit({ requests: limit ?? admitted });
    const source = limit === undefined ? 'measured' : 'given';
    const requests = limit ?? admitted;
    const isOpen = !this.#isGiven && isWindowOpen(this.#options, quota);
    const measured = isOpen ? await this.#measure(requests, caller) : {};
    const { findings, limit: found } = limitFrom({ requests, source, quota, measured }, this.#options);
    for (const { because, source: known, what } of findings) this.#note(what, known, because);
    const facts = { request, limit: found, ...(healthPath !== undefined && { healthPath }) };
    return { facts, findings: this.#findings, mark: this.#mark };
  }

  /** Sends until the first rejection, or one request. */
  async #begin(caller: Caller, most: number): Promise<{ readonly admitted: number; readonly quota: Quota }> {
    const deadline = performance.now() + READY_MS;
    let sent = await this.#send(caller, most);
    // An API may listen before it has a connection to its Redis.
    while (performance.now() < deadline && (sent.requests[0]?.status ?? 0) >= 500) {
      await pauseFor(POLL_MS, this.#place.signal);
      sent = await this.#send(caller, most);
    }
    const admitted = this.#admitted(sent);
    const { exhausted, headers, requests } = sent;
    const [first] = requests;
    if (!first) throw new UsageError(`no request to ${this.#place.client.pod.name} could be sent`);
    const name = `${this.#request.method} ${this.#request.path}`;
    const { endedAt: firstAt } = first;
    const { endedAt: lastAt } = requests.at(-1) ?? first;
    if (admitted === 0) {
      throw new UsageError(
        `${name} rejected a new caller: write the header that identifies callers in --key-header, or wait until the window has ended`,
      );
    }
    if (!exhausted && most > 1) {
      throw new UsageError(
        `${name} admitted ${most} requests of one caller in a row: check that this path has a limiter that responds with 429 or --rejected, or write --limit, --window and --key-header`,
      );
    }
    // Some limiters report a quota only with a rejection. There the reset of a bucket, which is not measured if all is
    // given, looks like the end of a window.
    const last = this.#isGiven ? {} : quotaIn(headers.at(-1), lastAt, firstAt);
    return { admitted, quota: { ...last, ...quotaIn(headers[0], firstAt) } };
  }

  /** How a limit is returned to a caller that is rejected. */
  async #measure(requests: number, rejected: Caller): Promise<Measured> {
    const { print, signal } = this.#place;
    const clock: Clock = { now: Date.now, sleep: async (ms) => await pauseFor(ms, signal) };
    const use = async (most: number): Promise<number> => this.#admitted(await this.#send(rejected, most));
    print(`window: two windows are measured, up to ${MOST_SECONDS} s each. --window saves the wait`);
    const mostAt = performance.now() + 2 * MOST_WAIT_MS;
    const left = (): string => `${Math.ceil((mostAt - performance.now()) / 1000)} s`;
    const countdown = setInterval(() => print(`window: measured in ${left()} at most`), COUNTDOWN_MS);
    return await measureWindow(use, requests, clock).finally(() => clearInterval(countdown));
  }

  /** Requests of one caller, sent and read as by a run, until one is not admitted. */
  async #send({ callers, key }: Caller, most: number): Promise<Sent> {
    const headers: IncomingHttpHeaders[] = [];
    const send: PodClient['send'] = async (...request) => {
      const result = await this.#place.client.send(...request).catch((error: unknown) => {
        throw error instanceof TypeError ? new UsageError(error.message) : error;
      });
      headers.push(result.answer?.headers ?? {});
      return result;
    };
    const clients = [{ pod: this.#place.client.pod, send }];
    // The window is not known, so there is no pause between requests.
    const options = { clients, callers, key, most, callerTimeoutMs: TIMEOUT_MS, windowMs: 0, rejections: 1 };
    return { ...(await exhaustLimit(options, this.#place.signal)), headers };
  }

  /** @throws UsageError for a request that was neither admitted nor rejected */
  #admitted({ failure, requests }: Sent): number {
    const admitted = requests.filter(({ outcome }) => outcome === 'Admitted').length;
    if (!failure) return admitted;
    const {
      name,
      problem,
      request: { status },
    } = failure;
    if (status === undefined)
      throw new UsageError(`${name} to ${this.#place.client.pod.name}: ${problem}. ${this.#place.advice}`);
    const advice =
      admitted > 0
        ? `${counted(admitted, 'earlier request')} succeeded. If ${status} means that the limit is used up, write --rejected ${status}`
        : status === 401 || status === 403
          ? "add what it needs, such as --header 'Authorization: Bearer TOKEN'"
          : 'write a request to which your API responds with 200, by the path, --method and --body';
    throw new UsageError(`${name} responded with ${status}: ${advice}`);
  }

  /**
   * Changes one header after the other, until a new caller is admitted. A bucket may return a request at that moment, so
   * the rejected caller must still be rejected, and another new one admitted.
   */
  async #findIdentity(sent: CountedRequest, rejected: Caller): Promise<CountedRequest> {
    const { callers, key } = rejected;
    for (const header of USUAL_HEADERS) {
      const headers = sent.headers.map((each) =>
        each.name === header.name ? each : { ...each, value: callers.fillIn(each.value, key) },
      );
      const others = callersOf({ ...sent, headers }, this.#place);
      if (!(await this.#isAdmitted(this.#caller(others))) || (await this.#isAdmitted(rejected))) continue;
      if (!(await this.#isAdmitted(this.#caller(others)))) continue;
      this.#note(
        'caller',
        'measured',
        `header ${header.name}: with another value, a rejected caller is admitted`,
      );
      return withHeaders(this.#request, [header]);
    }
    const names = USUAL_HEADERS.map(({ name }) => name).join(', ');
    const because = `the address of the connection: with another value of ${names}, a rejected caller stays rejected`;
    this.#note('caller', 'guess', because);
    return this.#request;
  }

  async #isAdmitted(caller: Caller): Promise<boolean> {
    return (await this.#send(caller, 1)).requests[0]?.outcome === 'Admitted';
  }

  /**
   * A path without a limiter; undefined: none was found, and none is given.
   * @param rejected a caller that is being rejected, if there is one: a path with a limiter rejects it as well
   */
  async #findHealth(rejected?: Caller): Promise<string | undefined> {
    const { health } = this.#options;
    // The page of an API often has its limiter, which may show only to a caller that is being rejected.
    const usual = [...(this.#place.healthPaths ?? []), ...USUAL_HEALTH, ...(rejected ? ['/'] : [])];
    const paths = health === undefined ? [...new Set(usual)] : [health];
    const to = rejected ? ' to a caller that is being rejected' : '';
    const headers = rejected?.callers.requestOf(rejected.key).headers ?? {};
    const get = async (path: string) => {
      const { client, signal } = this.#place;
      const { answer, failure } = await client.send({ method: 'GET', path, headers }, TIMEOUT_MS, signal);
      signal.throwIfAborted();
      const limited = reportsQuota(answer?.headers) ? ' with the headers of a limiter' : '';
      const outcome = `GET ${path}: ${answer ? `responded with ${answer.status}${limited}${to}` : failure.message}`;
      return { outcome, isFree: answer !== undefined && answer.status < 400 && limited === '' };
    };
    for (const path of paths) {
      const { isFree, outcome } = await get(path);
      const isGiven = health !== undefined || !rejected;
      // As in #findIdentity: a request may have been returned at that moment.
      if (isFree && (isGiven || (!(await this.#isAdmitted(rejected)) && (await get(path)).isFree))) {
        this.#note('health', health === undefined ? 'found' : 'given', outcome);
        return path;
      }
      if (health === undefined) continue;
      throw new UsageError(`${outcome}: write a path in --health that responds with 200 and has no limiter`);
    }
    this.#note('health', 'not known', `no success of GET ${paths.join(', ')}${to}. ${WITHOUT_HEALTH}`);
    return undefined;
  }

  /** A new one. */
  #caller(callers: HttpCallers): Caller {
    this.#keys += 1;
    return { callers, key: `${this.#mark}-${this.#keys}` };
  }

  #note(what: string, source: Source, because: string): void {
    const finding = { what, source, because };
    this.#findings.push(finding);
    this.#place.print(findingLine(finding));
  }
}

/** With the usual statuses. */
function callersOf(request: CountedRequest, { accountOf }: Pick<ProbePlace, 'accountOf'>): HttpCallers {
  return new HttpCallers({ ...httpInterfaceSchema.parse({}), ...request }, {}, undefined, accountOf);
}

function withHeaders(request: CountedRequest, headers: readonly Header[]): CountedRequest {
  return { ...request, headers: [...request.headers, ...headers] };
}

function callerText(request: CountedRequest): string {
  if (!isKeyed(request)) return 'the address of the connection';
  const header = request.headers.find(({ value }) => /\$\((key|address)\)/.test(value));
  return header ? `header ${header.name}` : '$(key) in the request';
}
