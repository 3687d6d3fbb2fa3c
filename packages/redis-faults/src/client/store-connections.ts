/**
 * The connections of one session to a store: one Redis, or all masters of a Cluster. A command goes to all of them, and
 * a result is that of all: a Cluster with one master that does not answer does not answer. Methods throw as those of
 * RedisConnections.
 */
import { messageOf } from '../text.ts';
import { oneAtATime } from '../waiting.ts';
import { type CommandCounts, parseCommandCounts, summed } from './command-counts.ts';
import type { CountPlace } from './count-place.ts';
import { allOf, each, type PerServer } from './per-server.ts';
import type { ProbeWriter, RedisConnections } from './redis-client.ts';
import { RedisClientError } from './redis-error.ts';
import { combined, parseInfo, type RedisInfo, type RedisUsage, roleIn, usageIn } from './redis-info.ts';
import { type RedisTarget, redisName, storeName } from './redis-target.ts';

/** Finds the primaries after a failover, in the order of the former ones. @throws Error with what is missing */
export type FindPrimaries = () => Promise<PerServer<RedisTarget>>;

/** A probe writer, and the server that it writes to. */
export interface ServerWriter {
  readonly server: RedisConnections;
  readonly writer: ProbeWriter;
}

/** Writes to all servers of a store. */
export interface StoreWriter {
  /** Resolves once all have accepted the write. */
  write(): Promise<unknown>;
  close(): void;
}

export class StoreConnections {
  readonly #connect: (target: RedisTarget) => RedisConnections;
  readonly #admitted: PerServer<RedisTarget>;
  /** Those of {@link servers}. */
  #targets: PerServer<RedisTarget>;
  #servers: PerServer<RedisConnections>;
  /** After a failover of this session. */
  #failover: { readonly former: string; readonly find: FindPrimaries; hasMoved: boolean } | undefined;
  readonly #moveOnce = oneAtATime(() => this.#move());
  /** Further ones that are closed with this. */
  readonly #others: RedisConnections[] = [];

  /**
   * @param targets at least one, sorted by name
   * @param connect the connections to one of them, which are closed with this
   */
  constructor(targets: PerServer<RedisTarget>, connect: (target: RedisTarget) => RedisConnections) {
    this.#connect = connect;
    this.#admitted = targets;
    this.#targets = targets;
    this.#servers = each(targets, connect);
  }

  get servers(): PerServer<RedisConnections> {
    return this.#servers;
  }

  /** Name of this store in messages: "redis-0 (10.0.0.7:6379)". */
  get name(): string {
    return storeName(this.#targets);
  }

  /**
   * Call right before a failover is begun: from now on, `follow` and each new probe writer look for the new primaries,
   * and all commands go to those that were found.
   */
  expectFailover(find: FindPrimaries): void {
    this.#failover = { former: this.name, find, hasMoved: false };
  }

  /** It was not begun after all. */
  expectNoFailover(): void {
    this.#failover = undefined;
  }

  /** A failover that this session may have begun: the former store, and whether all new primaries were found. */
  get failover(): { readonly former: string; readonly hasMoved: boolean } | undefined {
    return this.#failover;
  }

  /** Looks for the new primaries, until all were found. @throws Error with what is missing */
  async follow(): Promise<void> {
    if (this.#failover?.hasMoved === false) await this.#moveOnce();
  }

  async #move(): Promise<void> {
    const failover = this.#failover;
    if (!failover) return;
    const before = this.#targets;
    const targets = await failover.find();
    const servers = await allOf(
      each(targets, async (target, i) => {
        const same = before[i] === target ? this.#servers[i] : undefined;
        return same ?? (await this.#connectPrimary(target));
      }),
    );
    this.#others.push(...this.#servers.filter((server) => !servers.includes(server)));
    this.#targets = targets;
    this.#servers = servers;
    failover.hasMoved = targets.every((target, i) => target !== this.#admitted[i]);
  }

  async #connectPrimary(target: RedisTarget): Promise<RedisConnections> {
    const server = this.#connect(target);
    try {
      const info = await server.info('server', 'replication');
      // A probe may also connect to another server at the address.
      const { runId } = parseInfo(info);
      if (runId !== (target.runId ?? runId) || roleIn(info) !== 'master') {
        throw new Error(`${redisName(target)} is not the server that is to be the primary`);
      }
      return server;
    } catch (error) {
      server.close();
      throw error;
    }
  }

  /** Connections to a server beside the store, which are closed with this. */
  connect(target: RedisTarget): RedisConnections {
    const server = this.#connect(target);
    this.#others.push(server);
    return server;
  }

  async warmUp(): Promise<void> {
    await this.#all((server) => server.warmUp());
  }

  /** See {@link RedisConnections.takeCharge}: of every server. */
  async takeCharge(ms: number): Promise<void> {
    await this.#all((server) => server.takeCharge(ms));
  }

  /**
   * CLIENT PAUSE for writes on all servers at the same moment, if this session is in charge of each. Each server gets it
   * with its EXEC: an answer awaited in between would make a pause outlast its announced end on a slow network.
   * @param onSend called once all transactions have begun, right before the pauses are sent; returns their length in
   * milliseconds
   * @returns for each server why it is not known to be paused; undefined: it is
   * @throws what `onSend` throws, NotInChargeError or RedisClientError: none is paused, and none will be
   */
  async pauseWrites(onSend: () => number): Promise<PerServer<Error | undefined>> {
    const beginning = each(this.servers, (server) => server.beginPause());
    try {
      const begun = await allOf(beginning);
      const ms = onSend();
      return await allOf(each(begun, (pause) => failureOf(pause.carryOut(ms))));
    } catch (error) {
      await Promise.allSettled(beginning.map(async (pause) => (await pause).drop()));
      throw error;
    }
  }

  /** CLIENT UNPAUSE on these servers, whichever fails. @param servers default: all */
  async unpause(servers: readonly RedisConnections[] = this.servers): Promise<void> {
    const outcomes = await Promise.all(servers.map((server) => failureOf(server.unpause())));
    const failures = outcomes.filter((failure) => failure !== undefined);
    // A server that is gone has taken its pause with it.
    const failure =
      failures.find((error) => !(error instanceof RedisClientError && error.isAnotherServer)) ?? failures[0];
    if (failure) throw failure;
  }

  /** The identity of the store, and how often this command was carried out, as Redis counts it. */
  async facts(command?: string): Promise<RedisInfo> {
    const replies = await this.#all((server) => server.info('server', 'commandstats'));
    return combined(each(replies, (text) => parseInfo(text, command)));
  }

  /** The count of a rate limiter, from the server that has its key. See {@link RedisConnections.count}. */
  async count(place: CountPlace): Promise<number> {
    const server = this.servers.find((one) => one.has(place.key));
    if (!server)
      throw new RedisClientError(`${this.name}: no server has the slot of ${place.key}: run again`);
    return await server.count(place);
  }

  /** Of all servers: see {@link RedisConnections.expiries}. */
  async expiries(text: string): Promise<ReadonlyMap<string, number>> {
    const each = await this.#all((server) => server.expiries(text));
    return new Map(each.flatMap((one) => [...one]));
  }

  async commandCounts(): Promise<CommandCounts> {
    return summed(await this.#all(async (server) => parseCommandCounts(await server.info('commandstats'))));
  }

  /** What clients take of all servers together; undefined if one does not report that. */
  async usage(): Promise<RedisUsage | undefined> {
    const each = await this.#all(async (server) => usageIn(await server.info('stats', 'clients', 'memory')));
    return each.reduce<RedisUsage | undefined>(
      (sum, one) =>
        sum && one && { made: sum.made + one.made, open: sum.open + one.open, bytes: sum.bytes + one.bytes },
      { made: 0, open: 0, bytes: 0 },
    );
  }

  async ping(): Promise<void> {
    await this.#all((server) => server.ping());
  }

  /** Proves that reads are answered. Returns the longest duration in milliseconds. */
  async read(): Promise<number> {
    return Math.max(...(await this.#all((server) => server.read())));
  }

  /** One open connection to each server, for probe writes. */
  async openProbeWriters(): Promise<PerServer<ServerWriter>> {
    if (this.#failover) await this.follow().catch(() => undefined);
    const opened: ServerWriter[] = [];
    try {
      return await this.#all(async (server) => {
        const open = { server, writer: await server.openProbeWriter() };
        opened.push(open);
        return open;
      });
    } catch (error) {
      for (const { writer } of opened) writer.close();
      throw error;
    }
  }

  async openProbeWriter(): Promise<StoreWriter> {
    const writers = await this.openProbeWriters();
    return {
      write: async () => await Promise.all(writers.map(({ writer }) => writer.write())),
      close: () => {
        for (const { writer } of writers) writer.close();
      },
    };
  }

  close(): void {
    for (const server of [...this.#others, ...this.#servers]) server.close();
  }

  async #all<T>(act: (server: RedisConnections) => Promise<T>): Promise<PerServer<T>> {
    return await allOf(each(this.servers, act));
  }
}

async function failureOf(work: Promise<void>): Promise<Error | undefined> {
  return await work.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error : new Error(messageOf(error))),
  );
}
