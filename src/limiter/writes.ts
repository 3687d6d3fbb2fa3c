/**
 * The writing side: everything that goes over the writer connection. Knows which writes are under way, so
 * that a reader can tell whether what it read may already be out of date.
 */

import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { Counts } from './node-window.ts';
import { limitKey, parseCounts } from './redis-layout.ts';
import { DEFINE, REMOVE, RESTORE, runScript, type Script, STRICT_CHECK, SYNC } from './scripts.ts';
import type { LimitDefinition } from './window.ts';
import type { BookedWindow } from './window-book.ts';

const STRICT_REPLY = z.tuple([z.enum(['late', 'changed', 'rolled', 'denied', 'allowed']), z.int(), z.int()]);
const SYNC_REPLY = z.array(z.array(z.string()));
const DEFINE_REPLY = z.union([z.tuple([z.literal('late')]), z.tuple([z.literal('ok'), z.int(), z.int()])]);
const REMOVE_REPLY = z.tuple([z.enum(['late', 'unknown', 'ok'])]);

/** What Redis made of a strict check: its outcome, all counts of the window, and this node's. */
export interface StrictReply {
  /** late: run after its deadline. changed: another definition stands. rolled: the window is over. */
  readonly outcome: 'late' | 'changed' | 'rolled' | 'denied' | 'allowed';
  readonly total: number;
  readonly own: number;
}

/** All methods reject with the connection's error when it is down or drops while they wait. */
export class Writes {
  readonly #redis: Redis;
  readonly #node: string;
  #begun = 0;
  #underWay = 0;

  constructor(redis: Redis, node: string) {
    this.#redis = redis;
    this.#node = node;
  }

  /** Writes that Redis has not answered yet. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Call before a read; the function returned says, after it, that no write overlapped the read. */
  watch(): () => boolean {
    const idle = this.#underWay === 0;
    const begun = this.#begun;
    return () => idle && begun === this.#begun;
  }

  /** Sends this node's counts of the windows; resolves to what Redis then holds of each, in their order. */
  async sync(windows: readonly BookedWindow[]): Promise<Counts[]> {
    const counts = windows.flatMap(({ state, expiresAt }) => [state.admitted, expiresAt]);
    const keys = windows.map(({ redisKey }) => redisKey);
    const reply = SYNC_REPLY.parse(await this.#run(SYNC, keys, [this.#node, ...counts]));
    return reply.map((pairs) => parseCounts(toHash(pairs)));
  }

  /** One strict check, void when Redis runs it after `deadline`. */
  async strictCheck(booked: BookedWindow, deadline: number): Promise<StrictReply> {
    const args = [this.#node, booked.generation, booked.window.endsAt, deadline, booked.expiresAt];
    const reply = await this.#run(STRICT_CHECK, [limitKey(booked.key), booked.redisKey], args);
    const [outcome, total, own] = STRICT_REPLY.parse(reply);
    return { outcome, total, own };
  }

  /** Defines a limit from now on; 'late' when Redis ran it after `deadline` and changed nothing. */
  async define(
    wanted: Omit<LimitDefinition, 'startsAt'>,
    deadline: number,
  ): Promise<{ readonly definition: LimitDefinition; readonly replaced: boolean } | 'late'> {
    const args = [wanted.limit, wanted.windowMs, wanted.generation, deadline];
    const [outcome, startsAt, replaced] = DEFINE_REPLY.parse(
      await this.#run(DEFINE, [limitKey(wanted.key)], args),
    );
    return outcome === 'late' ? 'late' : { definition: { ...wanted, startsAt }, replaced: replaced === 1 };
  }

  /** Puts a definition back that Redis has lost. */
  async restore({ key, limit, windowMs, startsAt, generation }: LimitDefinition): Promise<void> {
    await this.#run(RESTORE, [limitKey(key)], [limit, windowMs, startsAt, generation]);
  }

  /** Removes a definition; 'late' when Redis ran it after `deadline` and changed nothing. */
  async remove(key: string, deadline: number): Promise<'ok' | 'unknown' | 'late'> {
    const [outcome] = REMOVE_REPLY.parse(await this.#run(REMOVE, [limitKey(key)], [deadline]));
    return outcome;
  }

  async #run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    this.#begun += 1;
    this.#underWay += 1;
    try {
      return await runScript(this.#redis, script, keys, args);
    } finally {
      this.#underWay -= 1;
    }
  }
}

function toHash(pairs: readonly string[]): Record<string, string> {
  const hash: Record<string, string> = {};
  for (let i = 0; i + 1 < pairs.length; i += 2) hash[pairs[i] ?? ''] = pairs[i + 1] ?? '';
  return hash;
}
