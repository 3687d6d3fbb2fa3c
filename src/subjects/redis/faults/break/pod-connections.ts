/**
 * Ends the connections of the selected pods to every server of the store repeatedly. It leaves no state in Redis, and
 * Redis itself rejects commands of this process after another has taken charge.
 */
import { counted, messageOf } from '../../../../api/index.ts';
import { pauseFor } from '../../../waiting.ts';
import { formatAddr, isOfRedis, parseClientList } from '../../admission/redis-clients.ts';
import { NotInChargeError } from '../../client/fence.ts';
import { allOf, each, type PerServer } from '../../client/per-server.ts';
import type { RedisConnections } from '../../client/redis-client.ts';
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
  /** Of this server only. */
  readonly id: string;
  readonly pod: string;
}

/** The connections of the pods to one server. */
interface Listed {
  readonly server: RedisConnections;
  readonly connections: readonly PodConnection[];
}

type Tools = Pick<FaultTools, 'lifetime' | 'now' | 'ownPause' | 'redis' | 'target'>;

export class PodConnections implements DuringPause {
  readonly #tools: Tools;
  /** Name of each pod, by its IP. */
  readonly #pods: ReadonlyMap<string, string>;
  readonly #over = new AbortController();
  /** Connections that were open when the fault began; undefined before they were listed. */
  #open: PerServer<Listed> | undefined;
  /** Connections that Redis has ended, by pod. */
  readonly #ended = new Map<string, number>();
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
    await allOf(each(redis.servers, (server) => server.killClients([NOBODY])));
    const listed = await this.#list();
    if (listed.every(({ connections }) => connections.length === 0)) {
      throw new Error(this.#notListed([...this.#pods.values()]));
    }
  }

  begin(until: number): void {
    [this.#until, this.#lastRoundAt] = [until, this.#tools.now()];
    void this.#run();
  }

  stop(): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#noteGap(Math.min(this.#tools.now(), this.#until));
  }

  async prove(record: RecordEvent): Promise<Proof> {
    let listed: PerServer<Listed>;
    try {
      listed = await this.#list();
    } catch (error) {
      return {
        proof: 'Inconclusive',
        message: `Which connections are left is not known: ${messageOf(error)}`,
      };
    }
    this.#record(record);
    if (this.#failure !== undefined) return { proof: 'Inconclusive', message: this.#failure };
    for (const { connections, server } of this.#open ?? []) {
      const ids = new Set(listed.find((now) => now.server === server)?.connections.map(({ id }) => id));
      const left = connections.filter(({ id }) => ids.has(id));
      if (left.length === 0) continue;
      return {
        proof: 'Mismatch',
        message: `${server.name} still has ${left.length} of ${counted(connections.length, 'connection')} that were to be ended. Check whether a proxy answers in its place`,
      };
    }
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
        const listed = await this.#list();
        this.#open ??= listed;
        await allOf(each(listed, (one) => this.#end(one)));
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

  async #end({ connections, server }: Listed): Promise<void> {
    for (let at = 0; at < connections.length; at += MOST_AT_ONCE) {
      const some = connections.slice(at, at + MOST_AT_ONCE);
      const ids = some.map(({ id }) => id);
      const ended = await server.killClients(ids, () => {
        if (this.#isOver()) throw new Error('the fault has ended');
      });
      for (const [i, { pod }] of some.entries()) {
        if (ended[i]) this.#ended.set(pod, (this.#ended.get(pod) ?? 0) + 1);
      }
    }
  }

  /** Call after a round, or at the end: there was no round since the last one. */
  #noteGap(at: number): void {
    this.#longestGapMs = Math.max(this.#longestGapMs, at - this.#lastRoundAt);
    this.#lastRoundAt = at;
  }

  /** @throws RedisClientError, or ReplyTypeError for a list that is not of its server */
  async #list(): Promise<PerServer<Listed>> {
    return await allOf(each(this.#tools.redis.servers, (server) => this.#listOf(server)));
  }

  /**
   * The connections of the pods, by the addresses that Redis sees. Connections of this process are left out: they come
   * from its address or, if addresses are rewritten, have its user. So are replicas and Sentinels, also in a selected pod.
   */
  async #listOf(server: RedisConnections): Promise<Listed> {
    const { localAddress, localPort, text } = await server.clientList();
    const clients = parseClientList(text);
    const ownAddr = formatAddr(localAddress, localPort);
    const ownUser = this.#tools.target.redis[0].username;
    requireOwnConnection('CLIENT LIST', clients, ownAddr, ownUser);
    const ownIp = clients.find(({ addr }) => addr === ownAddr)?.ip;
    const connections = clients.flatMap((client) => {
      const { id, ip = '', user } = client;
      const isOwn = ownIp === undefined ? user === ownUser : ip === ownIp;
      const pod = this.#pods.get(ip);
      return isOwn || pod === undefined || id === '' || isOfRedis(client) ? [] : [{ id, pod }];
    });
    return { server, connections };
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
