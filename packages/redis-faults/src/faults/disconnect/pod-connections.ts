/**
 * Ends the connections of the selected pods to every server of the store repeatedly. It leaves no state in Redis, and
 * Redis itself rejects commands of this process after another has taken charge.
 */
import pLimit from 'p-limit';
import { clientsOf, isOfRedis } from '../../admission/redis-clients.ts';
import { NotInChargeError } from '../../client/fence.ts';
import { allOf, each, type PerServer } from '../../client/per-server.ts';
import type { ClientListReply, RedisConnections } from '../../client/redis-client.ts';
import { RedisClientError } from '../../client/redis-error.ts';
import { MOST_ELEMENTS } from '../../client/reply-gate.ts';
import { counted, listed, messageOf, truncate } from '../../text.ts';
import { pauseFor } from '../../waiting.ts';
import type { FaultTools, RecordEvent } from '../fault.ts';
import { confirmed, inconclusive, mismatch, type Proof } from '../proof.ts';

/** Servers whose lists of clients are read at the same time; each may have 1 MiB. */
const LISTS_AT_ONCE = 4;

/** Interval between two rounds, in milliseconds: a client that reconnects has this long for its reads. */
const EVERY_MS = 50;

/** Without a round for this long, in milliseconds, clients could take the fault for a stall. */
const LONGEST_GAP_MS = 1000;

/** Longest name in a history, in characters. */
const MOST_NAME = 253;

interface PodConnection {
  /** Of this server only. */
  readonly id: string;
  readonly ip: string;
}

/** The connections of the pods to one server. */
interface Listed {
  readonly server: RedisConnections;
  readonly connections: readonly PodConnection[];
}

type Tools = Pick<FaultTools, 'lifetime' | 'now' | 'ownPause' | 'redis' | 'target'>;

export class PodConnections {
  readonly #tools: Tools;
  /** Names of the pods, by their IP: pods in the network of their node, or processes of one machine, share one. */
  readonly #pods: ReadonlyMap<string, readonly string[]>;
  readonly #over = new AbortController();
  /** Connections that were open when the fault began; undefined before they were listed. */
  #open: PerServer<Listed> | undefined;
  /** Connections that Redis has ended, by IP. */
  readonly #ended = new Map<string, number>();
  /** Why a reply was lost: Redis may have ended more connections. */
  #lost: string | undefined;
  readonly #listing = pLimit(LISTS_AT_ONCE);
  #until = 0;
  #rounds = 0;
  #lastRoundAt = 0;
  #longestGapMs = 0;
  /** Why it has ended early. */
  #failure: string | undefined;

  constructor(tools: Tools) {
    this.#tools = tools;
    const byIp = Map.groupBy(tools.target.pods, ({ host }) => host);
    this.#pods = new Map([...byIp].map(([ip, pods]) => [ip, pods.map(({ name }) => name)]));
  }

  /** Checks before the fault that it can be done. @throws an error whose message states what to do */
  async prepare(): Promise<void> {
    const { redis } = this.#tools;
    // Redis checks the right, and carries none of it out.
    const kill = ['CLIENT', 'KILL', 'ID', '1'] as const;
    await allOf(each(redis.servers, (server) => server.transaction('CLIENT KILL', [kill])));
    const all = await this.#list();
    if (all.every(({ connections }) => connections.length === 0)) {
      throw new Error(this.#notListed([...this.#pods.values()].flat()));
    }
  }

  /** Begins, once Redis has confirmed the pause; ends automatically at `until`, in milliseconds since the epoch. */
  begin(until: number): void {
    [this.#until, this.#lastRoundAt] = [until, this.#tools.now()];
    void this.#run();
  }

  /** Ends it: no more commands are sent. */
  stop(): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#noteGap(Math.min(this.#tools.now(), this.#until));
  }

  /** Proves it by an independent probe. Never rejects. */
  async prove(record: RecordEvent): Promise<Proof> {
    let now: PerServer<Listed>;
    try {
      now = await this.#list();
    } catch (error) {
      return inconclusive(`Which connections are left is not known: ${messageOf(error)}`);
    }
    this.#record(record);
    if (this.#failure !== undefined) return inconclusive(this.#failure);
    for (const { connections, server } of this.#open ?? []) {
      const ids = new Set(now.find((one) => one.server === server)?.connections.map(({ id }) => id));
      const left = connections.filter(({ id }) => ids.has(id));
      if (left.length === 0) continue;
      return mismatch(
        `${server.name} still has ${left.length} of ${counted(connections.length, 'connection')} that were to be ended. Check whether a proxy replies in its place`,
      );
    }
    const missing = [...this.#pods].flatMap(([ip, pods]) => (this.#ended.has(ip) ? [] : pods));
    if (missing.length > 0) {
      return inconclusive(
        this.#lost === undefined
          ? this.#notListed(missing)
          : `CLIENT KILL was sent, and whether Redis ended connections of ${listed(missing)} is not known: ${this.#lost}`,
      );
    }
    return confirmed(
      `${counted(this.#sum(), 'connection')} of ${this.#endedPods()} ended, with all that were open when it began`,
    );
  }

  /** The result of all its actions. */
  result(record: RecordEvent): Proof {
    this.#record(record);
    const gap = Math.round(this.#longestGapMs);
    const least = this.#lost === undefined ? '' : 'at least ';
    const done = `In all, ${least}${counted(this.#sum(), 'connection')} of ${this.#endedPods()} ended in ${counted(this.#rounds, 'round')}, at most ${gap} ms apart`;
    if (this.#failure !== undefined) {
      return inconclusive(`${done}. It ended before its time: ${this.#failure}`);
    }
    if (gap <= LONGEST_GAP_MS) return confirmed(done);
    return inconclusive(
      `${done}: more than ${LONGEST_GAP_MS} ms, in which Redis only stalled. Give the operator more CPU`,
    );
  }

  async #run(): Promise<void> {
    while (!this.#isOver()) {
      try {
        const all = await this.#list();
        this.#open ??= all;
        await allOf(each(all, (one) => this.#end(one)));
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
    for (let at = 0; at < connections.length; at += MOST_ELEMENTS) {
      const some = connections.slice(at, at + MOST_ELEMENTS);
      const ids = some.map(({ id }) => id);
      let isSent = false;
      const onSend = (): void => {
        if (this.#isOver()) throw new Error('the fault has ended');
        isSent = true;
      };
      const ended = await server.killClients(ids, onSend).catch((error: unknown) => {
        if (isSent && !(error instanceof NotInChargeError)) this.#lost = messageOf(error);
        throw error;
      });
      for (const [i, { ip }] of some.entries()) {
        if (ended[i]) this.#ended.set(ip, (this.#ended.get(ip) ?? 0) + 1);
      }
    }
  }

  /** Call after a round, or at the end: there was no round since the last one. */
  #noteGap(at: number): void {
    this.#longestGapMs = Math.max(this.#longestGapMs, at - this.#lastRoundAt);
    this.#lastRoundAt = at;
  }

  /** @throws RedisClientError, or RedisWireError for a list that is not of its server */
  async #list(): Promise<PerServer<Listed>> {
    const listOf = async (server: RedisConnections): Promise<Listed> => ({
      server,
      connections: this.#connectionsIn(await server.clientList()),
    });
    return await allOf(each(this.#tools.redis.servers, (server) => this.#listing(listOf, server)));
  }

  /**
   * The connections of the pods, by the addresses that Redis sees. Connections of this process are left out: they come
   * from its address or, if addresses are rewritten or a pod shares it, have its user. So are replicas and Sentinels,
   * also in a selected pod.
   * @throws RedisWireError
   */
  #connectionsIn(list: ClientListReply): readonly PodConnection[] {
    const ownUser = this.#tools.target.redis[0].username;
    const clients = clientsOf(list, ownUser);
    const ownIp = clients.find(({ addr }) => addr === list.ownAddr)?.ip;
    return clients.flatMap((client) => {
      const { id, ip = '', user } = client;
      const isOwn =
        ip === ownIp
          ? !this.#pods.has(ip) || user === (ownUser || 'default')
          : ownIp === undefined && user === ownUser;
      return isOwn || !this.#pods.has(ip) || id === '' || isOfRedis(client) ? [] : [{ id, ip }];
    });
  }

  #notListed(pods: readonly string[]): string {
    return `${this.#tools.redis.name} lists no connection from the address of ${listed(pods)}, so fault type Disconnect cannot end it. Check whether a proxy or service mesh connects in its place; then use Stall. If the operator runs at that address, too, give it an own Redis user`;
  }

  #endedPods(): string {
    return counted([...this.#ended.keys()].flatMap((ip) => this.#pods.get(ip) ?? []).length, 'pod');
  }

  #sum(): number {
    return [...this.#ended.values()].reduce((sum, count) => sum + count, 0);
  }

  #record(record: RecordEvent): void {
    if (this.#ended.size === 0) return;
    const connections = Object.fromEntries(
      [...this.#ended].map(([ip, count]) => [truncate(listed(this.#pods.get(ip) ?? []), MOST_NAME), count]),
    );
    record({ kind: 'fault', step: 'ConnectionsEnded', at: this.#tools.now(), connections });
  }
}
