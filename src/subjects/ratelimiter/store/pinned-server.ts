/**
 * Holds a session to the one Redis that it was admitted to. An address outlives its pod, and a server its own
 * restart: what answers at the address later may be somebody else's. So before a password goes there, the pod is
 * known to be the same, and before anything is written, the run_id is.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { messageOf } from '../../../api/index.ts';
import { TIMED_OUT, within } from '../waiting.ts';
import { parseInfo } from './redis-info.ts';
import { type RedisTarget, redisName } from './redis-target.ts';
import { asText } from './reply-types.ts';

/** By what the Redis of a session is known again. */
export interface ServerIdentity {
  /** As it was admitted; undefined where it was not, to release what is on: then the first that answers is the one. */
  readonly runId: string | undefined;
  /** Whether the pod that was found still has the address, asked of the API server. @throws where it did not say */
  readonly podIsThere: (signal: AbortSignal) => Promise<boolean>;
}

/** Another server is at the address, or may be; nothing was written to it. */
export class OtherServerError extends Error {
  override readonly name = 'OtherServerError';
  /** False: only what the API server says was not known. */
  readonly isAnother: boolean;

  constructor(message: string, isAnother: boolean) {
    super(message);
    this.isAnother = isAnother;
  }
}

/** What a connection is for. A pause may go to the very server that was admitted only; a probe also to one that was restarted in its pod. */
export type Use = 'pause' | 'probe';

/** How long the API server may take to say whose the address is, and how long before it is asked again. */
const ASK_MS = 3000;
const ASK_EVERY_MS = 500;
/** How long a connection that stands may take to show that it still does, and a new one to name its server. */
const ALIVE_MS = 250;
const INFO_MS = 5000;

export class PinnedServer {
  readonly #target: RedisTarget;
  readonly #identity: ServerIdentity | undefined;
  #runId: string | undefined;
  #asking: Promise<boolean> | undefined;
  /** By the monotonic clock. */
  #askedAt = -Infinity;

  /** @param identity left out: every server at the address will do */
  constructor(target: RedisTarget, identity: ServerIdentity | undefined) {
    this.#target = target;
    this.#identity = identity;
    this.#runId = identity?.runId;
  }

  /**
   * Before a connection is made. A password is sent as soon as it stands, so the pod has to be the same: a connection of
   * this session that still answers shows it, or else the API server. With TLS the certificate does, and without a
   * password there is nothing to lose.
   *
   * @param standing a connection to the right server, if there is one
   * @throws OtherServerError
   */
  async beforeDial(standing: Redis | undefined): Promise<void> {
    const { password, podName, tls } = this.#target;
    if (!this.#identity || password === undefined || tls) return;
    // An address that changes hands cuts it.
    const pong = standing && (await within(standing.ping(), ALIVE_MS).catch(() => TIMED_OUT));
    if (pong === 'PONG') return;
    const isThere = await this.#podIsThere().catch((error: unknown) => {
      const message = `${this.#name}: it could not be looked whether ${podName} still has this address, so no password was sent there: ${messageOf(error)}`;
      throw new OtherServerError(message, false);
    });
    if (isThere) return;
    const message = `${this.#name}: ${podName} is gone or was made anew since it was admitted, so nothing was sent to its address: run again`;
    throw new OtherServerError(message, true);
  }

  /** Once it stands, before anything else is sent. @throws OtherServerError, or what asking throws */
  async afterLogin(redis: Redis, use: Use): Promise<void> {
    if (!this.#identity) return;
    const info = await within(redis.info('server'), INFO_MS);
    if (info === TIMED_OUT) throw new Error(`INFO was not answered within ${INFO_MS} ms`);
    const { runId } = parseInfo(asText('INFO', info));
    this.#runId ??= runId;
    if (runId === this.#runId) return;
    if (use === 'probe' && (await this.#podIsThere().catch(() => false))) return;
    const message = `${this.#name}: another server answers than the one that was admitted (it was restarted, or another is in its place), so nothing was written to it: run again`;
    throw new OtherServerError(message, true);
  }

  get #name(): string {
    return `Redis ${redisName(this.#target)}`;
  }

  /** Connections that are made at the same time share a question, and no answer is used again. */
  #podIsThere(): Promise<boolean> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<boolean> {
    await sleep(Math.max(0, this.#askedAt + ASK_EVERY_MS - performance.now()));
    this.#askedAt = performance.now();
    return (await this.#identity?.podIsThere(AbortSignal.timeout(ASK_MS))) ?? true;
  }
}
