/**
 * Ends the connections of the selected pods to Redis repeatedly. It leaves no state in Redis, and Redis itself rejects
 * commands of this process after another has taken charge.
 */
import { counted, messageOf } from '../../../../api/index.ts';
import { pauseFor } from '../../../waiting.ts';
import { formatAddr, isOfRedis, parseClientList } from '../../admission/redis-clients.ts';
import { NotInChargeError } from '../../client/fence.ts';
import { RedisClientError } from '../../client/redis-error.ts';
import { requireOwnConnection } from '../../client/reply-types.ts';
import type { FaultTools, RecordEvent } from '../fault.ts';
import type { Proof } from '../fenced-fault.ts';
import type { DuringPause } from '../fenced-pause.ts';

/** Interval between two rounds, in milliseconds: a client that reconnects has this long for its reads. */
const EVERY_MS = 50;

/** Connections that one transaction ends. */
const MOST_AT_ONCE = 1000;

/** Without a round for this long, in milliseconds, clients could take the fault for a stall. */
const LONGEST_GAP_MS = 1000;

/** Ids of connections count up from 1, so no client has the largest. */
const NOBODY = '9223372036854775807';

interface PodConnection {
  readonly id: string;
  readonly pod: string;
}

type Tools = Pick<FaultTools, 'lifetime' | 'now' | 'ownPause' | 'redis' | 'target'>;

export class PodConnections implements DuringPause {
  readonly #tools: Tools;
  /** Name of each pod, by its IP. */
  readonly #pods: ReadonlyMap<string, string>;
  #over = new AbortController();
  /** Connections that were open when the fault began; undefined before they were listed. */
  #open: readonly PodConnection[] | undefined;
  /** Connections that Redis has ended, by pod. */
  #ended = new Map<string, number>();
  #until = 0;
  #rounds = 0;
  #lastRoundAt = 0;
  #longestGapMs = 0;
  /** Why it has ended early. */
  #failure: string | undefined;

  constructor(tools: Tools) {
    this.#tools = tools;
    this.#pods = new Map(tools.target.pods.map(({ host, name }) => [host, name]));
  }

  async prepare(): Promise<void> {
    const { redis } = this.#tools;
    await redis.first.killClients([NOBODY]);
    if ((await this.#list()).length === 0) throw new Error(this.#notListed([...this.#pods.values()]));
  }

  begin(until: number): void {
    this.#over = new AbortController();
    this.#open = undefined;
    this.#ended = new Map();
    [this.#rounds, this.#longestGapMs, this.#failure] = [0, 0, undefined];
    [this.#until, this.#lastRoundAt] = [until, this.#tools.now()];
    void this.#run();
  }

  stop(): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#noteGap(Math.min(this.#tools.now(), this.#until));
  }

  async prove(record: RecordEvent): Promise<Proof> {
    const { name } = this.#tools.redis;
    let listed: readonly PodConnection[];
    try {
      listed = await this.#list();
    } catch (error) {
      return {
        proof: 'Inconclusive',
        message: `Which connections are left is not known: ${messageOf(error)}`,
      };
    }
    this.#record(record);
    const open = this.#open ?? [];
    const ids = new Set(listed.map(({ id }) => id));
    const left = open.filter(({ id }) => ids.has(id));
    if (this.#failure === undefined && left.length > 0) {
      return {
        proof: 'Mismatch',
        message: `${name} still has ${left.length} of ${counted(open.length, 'connection')} that were to be ended. Check whether a proxy answers in its place`,
      };
    }
    if (this.#failure !== undefined) return { proof: 'Inconclusive', message: this.#failure };
    const missing = [...this.#pods.values()].filter((pod) => !this.#ended.has(pod));
    if (missing.length > 0) return { proof: 'Inconclusive', message: this.#notListed(missing) };
    return {
      proof: 'Confirmed',
      message: `${counted(this.#sum(), 'connection')} of ${counted(this.#ended.size, 'pod')} ended, with all that were open when it began`,
    };
  }

  result(record: RecordEvent): Proof {
    this.#record(record);
    const gap = Math.round(this.#longestGapMs);
    const done = `In all, ${counted(this.#sum(), 'connection')} of ${counted(this.#ended.size, 'pod')} ended in ${counted(this.#rounds, 'round')}, at most ${gap} ms apart`;
    if (this.#failure !== undefined) {
      return { proof: 'Inconclusive', message: `${done}. It ended before its time: ${this.#failure}` };
    }
    if (gap <= LONGEST_GAP_MS) return { proof: 'Confirmed', message: done };
    return {
      proof: 'Inconclusive',
      message: `${done}: more than ${LONGEST_GAP_MS} ms, in which Redis only stalled. Give the operator more CPU`,
    };
  }

  async #run(): Promise<void> {
    while (!this.#isOver()) {
      try {
        const connections = await this.#list();
        this.#open ??= connections;
        for (let at = 0; at < connections.length; at += MOST_AT_ONCE) {
          await this.#end(connections.slice(at, at + MOST_AT_ONCE));
        }
        this.#rounds += 1;
        this.#noteGap(this.#tools.now());
      } catch (error) {
        if (this.#isOver()) return;
        // A lost connection is opened again; an error that Redis answered does not change.
        if (
          error instanceof NotInChargeError ||
          (error instanceof RedisClientError && error.reply !== undefined)
        ) {
          this.#failure = messageOf(error);
          return;
        }
      }
      await pauseFor(EVERY_MS, this.#over.signal).catch(() => undefined);
    }
  }

  /** True also once this run is about to release its pause. */
  #isOver(): boolean {
    const { lifetime, now, ownPause } = this.#tools;
    if (this.#over.signal.aborted || lifetime.aborted || now() >= this.#until) return true;
    return ownPause.released || ownPause.state !== 'active';
  }

  async #end(connections: readonly PodConnection[]): Promise<void> {
    const ids = connections.map(({ id }) => id);
    const ended = await this.#tools.redis.first.killClients(ids, () => {
      if (this.#isOver()) throw new Error('the fault has ended');
    });
    for (const [i, { pod }] of connections.entries()) {
      if (ended[i]) this.#ended.set(pod, (this.#ended.get(pod) ?? 0) + 1);
    }
  }

  /** Call after a round, or at the end: there was no round since the last one. */
  #noteGap(at: number): void {
    this.#longestGapMs = Math.max(this.#longestGapMs, at - this.#lastRoundAt);
    this.#lastRoundAt = at;
  }

  /**
   * The connections of the pods, by the addresses that Redis sees. Connections of this process are left out: they come
   * from its address or, if addresses are rewritten, have its user. So are replicas and Sentinels, also in a selected pod.
   * @throws RedisClientError, or ReplyTypeError for a list that is not of this Redis
   */
  async #list(): Promise<PodConnection[]> {
    const { redis, target } = this.#tools;
    const { localAddress, localPort, text } = await redis.first.clientList();
    const clients = parseClientList(text);
    const ownAddr = formatAddr(localAddress, localPort);
    const ownUser = target.redis[0].username;
    requireOwnConnection('CLIENT LIST', clients, ownAddr, ownUser);
    const ownIp = clients.find(({ addr }) => addr === ownAddr)?.ip;
    return clients.flatMap((client) => {
      const { id, ip = '', user } = client;
      const isOwn = ownIp === undefined ? user === ownUser : ip === ownIp;
      const pod = this.#pods.get(ip);
      return isOwn || pod === undefined || id === '' || isOfRedis(client) ? [] : [{ id, pod }];
    });
  }

  #notListed(pods: readonly string[]): string {
    const names = `${pods.slice(0, 3).join(', ')}${pods.length > 3 ? ', ...' : ''}`;
    return `${this.#tools.redis.name} lists no connection from the address of ${names}, so fault type Break cannot end it. Check whether a proxy or service mesh connects in its place; then use Stall`;
  }

  #sum(): number {
    return [...this.#ended.values()].reduce((sum, count) => sum + count, 0);
  }

  #record(record: RecordEvent): void {
    if (this.#ended.size === 0) return;
    const connections = Object.fromEntries(this.#ended);
    record({ kind: 'fault', step: 'ConnectionsEnded', at: this.#tools.now(), connections });
  }
}
