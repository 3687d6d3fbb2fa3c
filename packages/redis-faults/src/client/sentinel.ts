/** Commands to one Sentinel, each on its own connection and answered within a bound. */
import { truncate } from '../text.ts';
import { pauseFor, TIMED_OUT, within } from '../waiting.ts';
import type { RedisTarget, SentinelsTarget } from './redis-target.ts';
import { asFields, asInteger, requireOk } from './reply-types.ts';

/** From connecting to its reply, in milliseconds: a fault is sent within 3 s of its planned time, or not at all. */
const ANSWER_MS = 1500;

/** Interval between two requests while a failover is awaited; milliseconds. */
const EVERY_MS = 100;

/** What a Sentinel reports of the primary. */
export type Watch = Awaited<ReturnType<typeof readWatch>>;

/** SENTINEL MASTER. @throws the error of the connection or of Sentinel, RedisWireError, or the reason of `signal` */
export async function readWatch(sentinel: RedisTarget, masterName: string, signal: AbortSignal) {
  const reply = await call(sentinel, ['MASTER', masterName], signal);
  const fields = asFields('SENTINEL MASTER', reply);
  const text = (field: string, most: number): string => truncate(fields.get(field) ?? '', most);
  const number = (field: string): number => asInteger('SENTINEL MASTER', fields.get(field));
  return {
    sentinel,
    /** '' until the Sentinel has read INFO of a new primary, some seconds after a failover. */
    runId: fields.get('runid') ?? '',
    flags: text('flags', 64),
    address: `${text('ip', 80)}:${text('port', 8)}`,
    /** Grows with each failover. */
    epoch: number('config-epoch'),
    /** How long it has watched this primary, in milliseconds. */
    watchedMs: number('role-reported-time'),
    downAfterMs: number('down-after-milliseconds'),
    /** How long a PING has waited for its answer; 0: none waits. */
    pendingMs: number('last-ping-sent'),
  };
}

/**
 * Whether the primary of a Sentinel is in this pod, by its IP or its DNS name in its namespace: it may have several ports.
 * The run_id does not show that: any server can report the run_id of another. Pure.
 */
export function isInPod(
  { address }: Pick<Watch, 'address'>,
  { host, namespace, podName }: Pick<RedisTarget, 'host' | 'namespace' | 'podName'>,
): boolean {
  const at = address.slice(0, address.lastIndexOf(':')).toLowerCase();
  const [name, , space, svc] = at.split('.');
  return at === host || (namespace !== undefined && name === podName && space === namespace && svc === 'svc');
}

/** SENTINEL MASTER of each. @throws as {@link readWatch} if one does not answer */
export async function readWatches(
  { masterName, servers }: SentinelsTarget,
  signal: AbortSignal,
): Promise<readonly Watch[]> {
  return await Promise.all(servers.map((sentinel) => readWatch(sentinel, masterName, signal)));
}

/** Whether it reports this primary. A Sentinel that has restarted knows the address before the run_id. */
function reports(watch: Watch, primary: RedisTarget): boolean {
  const isAt = isInPod(watch, primary) && watch.address.endsWith(`:${primary.port}`);
  return watch.runId === primary.runId || isAt;
}

/**
 * The newest of those that report another primary than the former one, which the others adopt. The Sentinel that leads a
 * failover has the new epoch for seconds before the new primary. Pure.
 */
export function newestWatch(watches: readonly Watch[], former: RedisTarget): Watch | undefined {
  const others = watches.filter((watch) => !reports(watch, former));
  // A Sentinel reads the run_id of a new primary some seconds later.
  return others.toSorted((a, b) => b.epoch - a.epoch || Number(a.runId === '') - Number(b.runId === ''))[0];
}

/**
 * Waits until any Sentinel reports another primary than the former one: the Sentinel that leads a failover does so last.
 * Undefined: none does within `ms` milliseconds.
 * @throws the reason of `signal`
 */
export async function otherPrimary(
  { masterName, servers }: SentinelsTarget,
  former: RedisTarget,
  ms: number,
  signal: AbortSignal,
): Promise<Watch | undefined> {
  const until = performance.now() + ms;
  while (performance.now() < until) {
    await pauseFor(EVERY_MS, signal);
    const answers = await Promise.allSettled(servers.map((one) => readWatch(one, masterName, signal)));
    const watches = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    const watch = newestWatch(watches, former);
    if (watch) return watch;
  }
  return undefined;
}

/**
 * SENTINEL FAILOVER. Resolves once this Sentinel has begun one.
 * @param onSend called right before it is sent; nothing is sent if it throws
 * @throws as {@link readWatch}
 */
export async function beginFailover(
  sentinel: RedisTarget,
  masterName: string,
  signal: AbortSignal,
  onSend: () => void = () => undefined,
): Promise<void> {
  requireOk('SENTINEL FAILOVER', await call(sentinel, ['FAILOVER', masterName], signal, onSend));
}

async function call(
  sentinel: RedisTarget,
  args: readonly string[],
  signal: AbortSignal,
  onSend: () => void = () => undefined,
): Promise<unknown> {
  const { boundedConnection } = await import('./bounded-connection.ts');
  signal.throwIfAborted();
  const connection = boundedConnection(sentinel, { connectTimeout: ANSWER_MS, commandTimeout: ANSWER_MS });
  const ended = new AbortController();
  const answer = async (): Promise<unknown> => {
    await connection.connect();
    // It was given up in the meantime.
    ended.signal.throwIfAborted();
    onSend();
    return await connection.call('SENTINEL', ...args);
  };
  try {
    const reply = await within(answer(), ANSWER_MS, signal);
    if (reply === TIMED_OUT) throw new Error(`no reply came within ${ANSWER_MS} ms`);
    return reply;
  } finally {
    ended.abort();
    connection.disconnect();
  }
}
