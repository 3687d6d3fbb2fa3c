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
import { countsOf } from '../../subjects/checkers/requests.ts';
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
import { quotaIn, reportsQuota } from './quota.ts';

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
  return await probeOf(options, place)().finally(() => place.client.close());
}

/** All that is needed is found, or given. */
function probeOf(options: ProbeOptions, place: ProbePlace): () => Promise<ProbeResult> {
  const { accountOf, client, print, signal } = place;
  const { body, header = [], health, identity, keyHeader, limit, method, rejected, window } = options;
  const findings: Finding[] = [];
  const mark = `demo-probe-${randomUUID().slice(0, 8)}`;
  let keys = 0;
  const request: CountedRequest = {
    method,
    path: place.path,
    headers: [...header, ...(keyHeader === undefined ? [] : [{ name: keyHeader, value: '$(key)' }])],
    ...(body !== undefined && { body }),
    ...(rejected !== undefined && { rejectedStatuses: [rejected] }),
  };
  /** Whether there is no need to wait until a limit returns. */
  const isGiven = limit !== undefined && window !== undefined;

  const note = (what: string, source: Source, because: string): void => {
    const finding = { what, source, because };
    findings.push(finding);
    print(findingLine(finding));
  };

  /** A new one, with the usual statuses. */
  const callerBy = (sent: CountedRequest): Caller => {
    keys += 1;
    const mapping = { ...httpInterfaceSchema.parse({}), ...sent };
    return { callers: new HttpCallers(mapping, {}, undefined, accountOf), key: `${mark}-${keys}` };
  };

  /** Requests of one caller, sent and read as by a run, until one is not admitted. */
  const sendAs = async ({ callers, key }: Caller, most: number): Promise<Sent> => {
    const headers: IncomingHttpHeaders[] = [];
    const send: PodClient['send'] = async (...sent) => {
      const result = await client.send(...sent).catch((error: unknown) => {
        throw error instanceof TypeError ? new UsageError(error.message) : error;
      });
      headers.push(result.answer?.headers ?? {});
      return result;
    };
    const clients = [{ pod: client.pod, send }];
    // The window is not known, so there is no pause between requests.
    const rest = { clients, callers, key, most, callerTimeoutMs: TIMEOUT_MS, windowMs: 0, rejections: 1 };
    return { ...(await exhaustLimit(rest, signal)), headers };
  };

  const isAdmitted = async (caller: Caller): Promise<boolean> =>
    (await sendAs(caller, 1)).requests[0]?.outcome === 'Admitted';

  /** @throws UsageError for a request that was neither admitted nor rejected */
  const admittedIn = ({ failure, requests }: Sent): number => {
    const { Admitted: admitted } = countsOf(requests);
    if (!failure) return admitted;
    const { name, problem } = failure;
    const { status } = failure.request;
    if (status === undefined)
      throw new UsageError(`${name} to ${client.pod.name}: ${problem}. ${place.advice}`);
    const advice =
      admitted > 0
        ? `${counted(admitted, 'earlier request')} succeeded. If ${status} means that the limit is used up, write --rejected ${status}`
        : status === 401 || status === 403
          ? "add what it needs, such as --header 'Authorization: Bearer TOKEN'"
          : 'write a request to which your API responds with 200, by the path, --method and --body';
    throw new UsageError(`${name} responded with ${status}: ${advice}`);
  };

  /** Sends until the first rejection, or one request. */
  const begin = async (caller: Caller, most: number) => {
    const deadline = performance.now() + READY_MS;
    let sent = await sendAs(caller, most);
    // An API may listen before it has a connection to its Redis.
    while (performance.now() < deadline && (sent.requests[0]?.status ?? 0) >= 500) {
      await pauseFor(POLL_MS, signal);
      sent = await sendAs(caller, most);
    }
    const admitted = admittedIn(sent);
    const { exhausted, headers, requests } = sent;
    const [first, last = first] = [requests[0], requests.at(-1)];
    if (!first || !last) throw new UsageError(`no request to ${client.pod.name} could be sent`);
    const name = `${method} ${place.path}`;
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
    const rejection = isGiven ? {} : quotaIn(headers.at(-1), last.endedAt, first.endedAt);
    return { admitted, quota: { ...rejection, ...quotaIn(headers[0], first.endedAt) } };
  };

  /** How a limit is returned to a caller that is rejected. */
  const measure = async (requests: number, caller: Caller): Promise<Measured> => {
    const clock: Clock = { now: Date.now, sleep: async (ms) => await pauseFor(ms, signal) };
    const use = async (most: number): Promise<number> => admittedIn(await sendAs(caller, most));
    print(`window: two windows are measured, up to ${MOST_SECONDS} s each. --window saves the wait`);
    const mostAt = performance.now() + 2 * MOST_WAIT_MS;
    const left = (): string => `${Math.ceil((mostAt - performance.now()) / 1000)} s`;
    const countdown = setInterval(() => print(`window: measured in ${left()} at most`), COUNTDOWN_MS);
    return await measureWindow(use, requests, clock).finally(() => clearInterval(countdown));
  };

  /**
   * Changes one header after the other, until a new caller is admitted. A bucket may return a request at that moment, so
   * the rejected caller must still be rejected, and another new one admitted.
   */
  const findIdentity = async (sent: CountedRequest, caller: Caller): Promise<CountedRequest> => {
    for (const usual of USUAL_HEADERS) {
      const headers = sent.headers.map((each) =>
        each.name === usual.name ? each : { ...each, value: caller.callers.fillIn(each.value, caller.key) },
      );
      const isOther = async (): Promise<boolean> => await isAdmitted(callerBy({ ...sent, headers }));
      if (!(await isOther()) || (await isAdmitted(caller)) || !(await isOther())) continue;
      note('caller', 'measured', `header ${usual.name}: with another value, a rejected caller is admitted`);
      return withHeaders(request, [usual]);
    }
    const names = USUAL_HEADERS.map(({ name }) => name).join(', ');
    const because = `the address of the connection: with another value of ${names}, a rejected caller stays rejected`;
    note('caller', 'guess', because);
    return request;
  };

  /**
   * A path without a limiter; undefined: none was found, and none is given.
   * @param caller that is being rejected, if there is one: a path with a limiter rejects it as well
   */
  const findHealth = async (caller?: Caller): Promise<string | undefined> => {
    // The page of an API often has its limiter, which may show only to a caller that is being rejected.
    const usual = [...(place.healthPaths ?? []), ...USUAL_HEALTH, ...(caller ? ['/'] : [])];
    const paths = health === undefined ? [...new Set(usual)] : [health];
    const to = caller ? ' to a caller that is being rejected' : '';
    const headers = caller?.callers.requestOf(caller.key).headers ?? {};
    const get = async (path: string) => {
      const { answer, failure } = await client.send({ method: 'GET', path, headers }, TIMEOUT_MS, signal);
      signal.throwIfAborted();
      const limited = reportsQuota(answer?.headers) ? ' with the headers of a limiter' : '';
      const outcome = `GET ${path}: ${answer ? `responded with ${answer.status}${limited}${to}` : failure.message}`;
      return { outcome, isFree: answer !== undefined && answer.status < 400 && limited === '' };
    };
    for (const path of paths) {
      const { isFree, outcome } = await get(path);
      const isTrusted = health !== undefined || !caller;
      // As in findIdentity: a request may have been returned at that moment.
      if (isFree && (isTrusted || (!(await isAdmitted(caller)) && (await get(path)).isFree))) {
        note('health', health === undefined ? 'found' : 'given', outcome);
        return path;
      }
      if (health === undefined) continue;
      throw new UsageError(`${outcome}: write a path in --health that responds with 200 and has no limiter`);
    }
    note('health', 'not known', `no success of GET ${paths.join(', ')}${to}. ${WITHOUT_HEALTH}`);
    return undefined;
  };

  return async () => {
    const isKnown = isKeyed(request) || identity === 'address';
    if (accountOf && !isKeyed(request)) {
      throw new UsageError('--callers has keys: write the header that takes them in --key-header');
    }
    const isStated = isKnown && isGiven;
    const sent = isKnown ? request : withHeaders(request, USUAL_HEADERS);
    const caller = callerBy(sent);
    const { admitted, quota } = await begin(caller, isStated ? 1 : MOST_LIMIT + 1);
    if (isKnown) note('caller', 'given', callerText(request));
    const identified = isKnown ? request : await findIdentity(sent, caller);
    const healthPath = await findHealth(isStated ? undefined : caller);
    if (!isStated && limit !== undefined && limit !== admitted) {
      note('limit', 'measured', `one caller was admitted ${admitted} times, --limit is ${limit}`);
    }
    const requests = limit ?? admitted;
    // Before the wait for its window.
    if (!isKeyed(identified)) requireSharedLimit({ requests });
    const source = limit === undefined ? 'measured' : 'given';
    const isOpen = !isGiven && isWindowOpen(options, quota);
    const measured = isOpen ? await measure(requests, caller) : {};
    const found = limitFrom({ requests, source, quota, measured }, options);
    for (const { because, source: known, what } of found.findings) note(what, known, because);
    const facts = {
      request: identified,
      limit: found.limit,
      ...(healthPath !== undefined && { healthPath }),
    };
    return { facts, findings, mark };
  };
}

function withHeaders(request: CountedRequest, headers: readonly Header[]): CountedRequest {
  return { ...request, headers: [...request.headers, ...headers] };
}

function callerText(request: CountedRequest): string {
  if (!isKeyed(request)) return 'the address of the connection';
  const header = request.headers.find(({ value }) => /\$\((key|address)\)/.test(value));
  return header ? `header ${header.name}` : '$(key) in the request';
}
