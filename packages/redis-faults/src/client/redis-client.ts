/**
 * Connections to the Redis behind the rate limiter. Redis answers the commands of a connection in order, so a write
 * that is held back holds back everything behind it: control, probe writes and reads have separate connections. Nothing
 * is queued while there is no connection and nothing is sent twice. A lost connection stays lost until the next use.
 */
import type { Redis } from 'ioredis';
import { TIMED_OUT, within } from '../waiting.ts';
import { formatAddr } from './address.ts';
import { type CountPlace, countCommand, countIn } from './count-place.ts';
import { type Command, endOf, Fence, NotInChargeError } from './fence.ts';
import { slotOf, tagFor } from './key-slot.ts';
import { explain, RedisClientError } from './redis-error.ts';
import { Link, PinnedServer, REDIS_TIMEOUT_MS, type ServerIdentity, type Use } from './redis-link.ts';
import { type RedisTarget, redisName, settingOf } from './redis-target.ts';
import { asInteger, asList, asText, asTime, requireOk } from './reply-types.ts';

/**
 * How long a claim lives: until a successor has taken over, which takes minutes if its machine is lost. By then, a
 * failover that was sent has changed the primaries, or failed.
 */
const CLAIM_TTL_MS = 900_000;

/** How long a probe key lives; longer than the longest pause. */
const PROBE_TTL_MS = 120_000;

/** Keys that one SCAN looks at, how often it is sent, and how many keys are found: a Redis may be large, or hostile. */
const [SCAN_COUNT, MOST_SCANS, MOST_KEYS] = ['1000', 100, 16] as const;
/** The reply to PTTL for a key that does not exist. */
const GONE = -2;

/** The connections of one session to Redis, opened on demand. Every method throws RedisClientError. */
export class RedisConnections {
  readonly #target: RedisTarget;
  readonly #server: PinnedServer;
  /** All that are open to the end, for what was sent over them may still be carried out; without closed writers. */
  readonly #links = new Set<Link>();
  /**
   * A late answer must not end it: only behind a CLIENT PAUSE, on its connection, does a CLIENT UNPAUSE end it for
   * certain.
   */
  #control: Link;
  readonly #reader: Link;
  readonly #lister: Link;
  readonly #killer: Link;
  readonly #probeKey: string;
  readonly #claimKey: string;
  readonly #fence: Fence;

  /**
   * @param probeId makes the probe key this session's own
   * @param identity required of every connection; left out: any server at the address is accepted
   */
  constructor(target: RedisTarget, probeId: string, identity?: ServerIdentity) {
    this.#target = target;
    this.#server = new PinnedServer(target, identity);
    this.#control = this.#link('pause');
    this.#reader = this.#link('probe', REDIS_TIMEOUT_MS);
    this.#lister = this.#link('probe', REDIS_TIMEOUT_MS);
    this.#killer = this.#link('pause', REDIS_TIMEOUT_MS);
    const tag = target.slots ? tagFor(target.slots) : '';
    this.#probeKey = `chaosdemo:probe:${tag}${probeId}`;
    this.#claimKey = `chaosdemo:probe:${tag}claim`;
    this.#fence = new Fence(tag);
  }

  /** Name of this Redis in messages: "redis-0 (10.0.0.7:6379)". */
  get name(): string {
    return redisName(this.#target);
  }

  /** Whether it is a master of a Cluster, with some of all keys. */
  get isOfCluster(): boolean {
    return this.#target.slots !== undefined;
  }

  /** Whether a key is in one of its slots. */
  has(key: string): boolean {
    const { slots } = this.#target;
    const slot = slotOf(key);
    return slots?.some(([first, last]) => first <= slot && slot <= last) ?? true;
  }

  /** Opens the connections that a fault needs, and checks the rights for a transaction, so that its moment needs neither. */
  async warmUp(): Promise<void> {
    await this.#control.get();
    await this.transaction('WATCH', [['PING']]);
    await this.read();
  }

  /**
   * Takes charge of this Redis: from the answer on, no pause of another session is carried out, however late it
   * arrives, and none that this session sent before.
   * @param ms how long this session may send one, in milliseconds
   */
  async takeCharge(ms: number): Promise<void> {
    const link = this.#link('probe');
    try {
      const redis = await link.get();
      await this.#answered('SET', () => this.#fence.takeCharge(redis, ms));
    } finally {
      this.#close(link);
    }
  }

  /**
   * Begins the transaction of a CLIENT PAUSE for writes, if this session is in charge. Call `drop` unless it was
   * carried out: a release that is sent over this connection in a transaction would only be queued.
   * @throws NotInChargeError, too
   */
  async beginPause() {
    const redis = await this.#control.get();
    /** Ends its connection: it is not carried out any more. */
    const drop = async (): Promise<void> => await endOf(redis);
    await this.#answered('MULTI', () => this.#fence.begin(redis)).catch(async (error: unknown) => {
      await drop();
      throw error;
    });
    /** Resolves once Redis has paused its writes. @throws NotInChargeError, too: it did not, and will not */
    const carryOut = async (ms: number): Promise<void> => {
      const pause = ['CLIENT', 'PAUSE', String(ms), 'WRITE'] as const;
      const sent = async () => await this.#fence.carryOut(redis, 'CLIENT PAUSE', [pause]);
      requireOk('CLIENT PAUSE', (await this.#answered('CLIENT PAUSE', sent)).at(-1));
    };
    return { carryOut, drop };
  }

  /** CLIENT UNPAUSE. If it is not answered in time, the next one uses a new connection. */
  async unpause(): Promise<void> {
    const link = this.#control;
    try {
      const redis = await link.get();
      await this.#answered('CLIENT UNPAUSE', async () =>
        requireOk('CLIENT UNPAUSE', await redis.call('CLIENT', 'UNPAUSE')),
      );
    } catch (error) {
      if (error instanceof RedisClientError && error.reply === undefined && link === this.#control) {
        this.#control = this.#link('pause');
      }
      throw error;
    }
  }

  /** Limits the wait for an answer; the connection stays open for a late one. */
  async #answered<T>(command: string, send: () => Promise<T>): Promise<T> {
    try {
      const reply = await within(send(), REDIS_TIMEOUT_MS);
      if (reply === TIMED_OUT) throw new Error(`no reply came within ${REDIS_TIMEOUT_MS} ms`);
      return reply;
    } catch (error) {
      if (error instanceof NotInChargeError) throw error;
      throw explain(this.#target, command, error);
    }
  }

  async clientList() {
    return await this.#query(this.#lister, 'CLIENT LIST', async (redis) => {
      const { localAddress, localPort } = redis.stream;
      const text = asText('CLIENT LIST', await redis.call('CLIENT', 'LIST'));
      return { text, ownAddr: formatAddr(localAddress, localPort) };
    });
  }

  /**
   * CLIENT KILL of these clients, if this session is in charge.
   * @param ids as in CLIENT LIST; never reused for another client
   * @param onSend called right before the commands are sent; nothing is sent if it throws
   * @returns for each, whether Redis has ended its connection
   * @throws NotInChargeError, too: none was ended, and none will be
   */
  async killClients(ids: readonly string[], onSend: () => void): Promise<readonly boolean[]> {
    const kills = ids.map((id) => ['CLIENT', 'KILL', 'ID', id] as const);
    const replies = await this.transaction('CLIENT KILL', kills, onSend);
    return replies.map((reply) => asInteger('CLIENT KILL', reply) > 0);
  }

  /**
   * A transaction that Redis carries out only if this session is in charge.
   * @param name of the command in errors
   * @param onSend called right before the commands are sent; left out: Redis checks them and carries none out
   * @returns their replies
   * @throws NotInChargeError, too: none was carried out, and none will be
   */
  async transaction(
    name: string,
    commands: readonly Command[],
    onSend?: () => void,
  ): Promise<readonly unknown[]> {
    const redis = await this.#killer.get();
    try {
      return await this.#answered(name, async () => {
        await this.#fence.begin(redis);
        if (!onSend) return await this.#fence.rehearse(redis, name, commands);
        onSend();
        return await this.#fence.carryOut(redis, name, commands);
      });
    } catch (error) {
      // It may be in the middle of a transaction.
      await endOf(redis);
      throw error;
    }
  }

  /**
   * Writes that this session is about to send a command that another server carries out, if it is in charge of this
   * Redis. A successor that has taken charge reads by `claimed` whether that may be sent at any later time.
   * @param onSend as of {@link killClients}
   * @throws NotInChargeError, too: nothing was written, and nothing will be
   */
  async claim(id: string, onSend: () => void): Promise<void> {
    const set = ['SET', this.#claimKey, id, 'PX', String(CLAIM_TTL_MS)] as const;
    const [reply] = await this.transaction('SET', [set], onSend);
    requireOk('SET', reply);
  }

  /** The last claim of any session; null: there is none. */
  async claimed(): Promise<string | null> {
    return await this.#query(this.#reader, 'GET', (redis) => redis.get(this.#claimKey));
  }

  /**
   * CLUSTER FAILOVER, sent to a replica: it takes the place of its primary. Resolves once it has begun.
   * @param onSend called right before it is sent; nothing is sent if it throws
   */
  async failOver(onSend: () => void): Promise<void> {
    const redis = await this.#killer.get();
    await this.#answered('CLUSTER FAILOVER', async () => {
      onSend();
      requireOk('CLUSTER FAILOVER', await redis.call('CLUSTER', 'FAILOVER'));
    });
  }

  /** INFO of these sections. */
  async info(
    ...sections: ('server' | 'stats' | 'commandstats' | 'replication' | 'clients' | 'memory')[]
  ): Promise<string> {
    const info = async (redis: Redis): Promise<string> =>
      asText('INFO', await redis.call('INFO', ...sections));
    return await this.#query(this.#reader, 'INFO', info);
  }

  /** The clock of Redis in milliseconds since the epoch. */
  async time(): Promise<number> {
    return await this.#query(this.#reader, 'TIME', async (redis) => asTime('TIME', await redis.time()));
  }

  /**
   * The count of a rate limiter at a key; 0 if there is no such key.
   * @throws RedisClientError also for a value of another type, and for one that is not an integer
   */
  async count(place: CountPlace): Promise<number> {
    const { key, pattern, type } = place;
    const [name, ...args] = countCommand(place);
    const problem = (what: string, reply?: string): RedisClientError =>
      new RedisClientError(`Redis ${redisName(this.#target)}, ${name} ${key}: ${what}`, reply);
    const advice: Record<string, string> = {
      NOPERM: `the ACL user lacks a right: grant it "+${name.toLowerCase()} %R~${pattern}" besides the others`,
      WRONGTYPE: `the value is no ${type}: correct ${settingOf(this.#target, 'count.type')}`,
    };
    const reading = this.#query(this.#reader, name, async (redis) => await redis.call(name, ...args));
    const reply = await reading.catch((error: unknown) => {
      const code = error instanceof RedisClientError ? (error.reply ?? '') : '';
      throw advice[code] === undefined ? error : problem(advice[code], code);
    });
    const value = countIn(reply);
    if (value !== undefined) return value;
    throw problem(
      `the value is no whole number: see ${settingOf(this.#target, 'count')} for where your limiter counts`,
      'VALUE',
    );
  }

  /**
   * The keys whose names contain this text, and how long they are kept, in milliseconds; infinite: without an expiry.
   * Needs the rights to SCAN and PTTL. A large Redis is only searched in part.
   */
  async expiries(text: string): Promise<ReadonlyMap<string, number>> {
    return await this.#query(this.#reader, 'SCAN', async (redis) => {
      const names = new Set<string>();
      let cursor = '0';
      const deadline = performance.now() + REDIS_TIMEOUT_MS;
      for (let step = 0; step < MOST_SCANS && names.size < MOST_KEYS; step += 1) {
        if (performance.now() > deadline) break;
        const reply = await redis.call('SCAN', cursor, 'MATCH', `*${globOf(text)}*`, 'COUNT', SCAN_COUNT);
        const [next, found] = asList('SCAN', reply);
        for (const name of asList('SCAN', found)) names.add(asText('SCAN', name));
        cursor = asText('SCAN', next);
        if (cursor === '0') break;
      }
      const kept = new Map<string, number>();
      for (const name of [...names].slice(0, MOST_KEYS)) {
        const ms = asInteger('PTTL', await redis.call('PTTL', name));
        if (ms !== GONE) kept.set(name, ms < 0 ? Number.POSITIVE_INFINITY : ms);
      }
      return kept;
    });
  }

  /** PING on the reader: Redis answers, and its statistics show no command on data. */
  async ping(): Promise<void> {
    await this.#query(this.#reader, 'PING', (redis) => redis.ping());
  }

  /** PING and GET on the reader: proves that reads are answered. Returns the duration in milliseconds. */
  async read(): Promise<number> {
    const start = performance.now();
    await this.ping();
    await this.#query(this.#reader, 'GET', (redis) => redis.get(this.#probeKey));
    return performance.now() - start;
  }

  /**
   * A separate, open connection for probe writes. Redis may hold a probe back indefinitely, so the caller has to bound
   * the wait.
   */
  async openProbeWriter(): Promise<ProbeWriter> {
    const link = this.#link('probe');
    const close = (): void => this.#close(link);
    try {
      await link.get();
    } catch (error) {
      close();
      throw error;
    }
    return {
      write: async () =>
        await this.#query(link, 'SET', async (redis) => {
          // Sent together: Redis handles the second right after the first, however late the answers are read.
          const [set, time] = await Promise.all([
            redis.set(this.#probeKey, String(Date.now()), 'PX', PROBE_TTL_MS),
            redis.time(),
          ]);
          requireOk('SET', set);
          return asTime('TIME', time);
        }),
      close,
    };
  }

  /** Closes every connection at once; commands in flight are rejected. */
  close(): void {
    for (const link of this.#links) link.close();
  }

  #close(link: Link): void {
    link.close();
    this.#links.delete(link);
  }

  #link(use: Use, commandTimeout?: number): Link {
    // The others may be held back, or in the middle of something that a request would disturb.
    const standing = (): Redis | undefined => this.#reader.standing;
    const link = new Link({ target: this.#target, server: this.#server, use, commandTimeout, standing });
    this.#links.add(link);
    return link;
  }

  async #query<T>(link: Link, command: string, send: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = await link.get();
    try {
      return await send(redis);
    } catch (error) {
      throw explain(this.#target, command, error);
    }
  }
}

/** As MATCH takes it literally. */
function globOf(text: string): string {
  return text.replaceAll(/[*?[\]\\]/g, String.raw`\$&`);
}

/** CLIENT LIST, and the address of the connection that sent it. */
export type ClientListReply = Awaited<ReturnType<RedisConnections['clientList']>>;

/** A CLIENT PAUSE in a transaction. Each method throws RedisClientError. */
export type BegunPause = Awaited<ReturnType<RedisConnections['beginPause']>>;

export interface ProbeWriter {
  /**
   * A real write on the probe key. Resolves once Redis has accepted it, with the moment by the clock of Redis, in
   * milliseconds since the epoch.
   * @throws RedisClientError
   */
  write(): Promise<number>;
  /** Ends the connection; a write that is held back is dropped by Redis. */
  close(): void;
}
