/** Errors of a Redis, with its name and what to do. */
import { messageOf } from '../../../api/index.ts';
import { withAdvice } from '../../targets/refusal.ts';
import { adviceOnReply } from './advice.ts';
import { OtherServerError } from './pinned-server.ts';
import { type RedisTarget, redisName } from './redis-target.ts';

/** Redis did not answer, or refused; the message names the pod and what to check. */
export class RedisClientError extends Error {
  /** The first word of the error that Redis answered (NOPERM, NOAUTH ...), if any; VALUE: an invalid value. */
  readonly reply: string | undefined;
  /** The admitted server does not answer at its address any more, but another one does. */
  readonly isAnotherServer: boolean;

  constructor(message: string, reply?: string, isAnotherServer = false) {
    super(message);
    this.name = 'RedisClientError';
    this.reply = reply;
    this.isAnotherServer = isAnotherServer;
  }
}

/** Whether Redis gave no answer: no connection, or no answer in time. An error is an answer, too. */
export function gaveNoAnswer(error: unknown): boolean {
  return !(error instanceof RedisClientError) || error.reply === undefined;
}

/** An error with the name of the Redis and what to do; holds no secret, because Redis repeats none. */
export function explain(target: RedisTarget, command: string, error: unknown): RedisClientError {
  if (error instanceof RedisClientError) return error;
  if (error instanceof OtherServerError)
    return new RedisClientError(error.message, undefined, error.isAnother);
  const text = messageOf(error);
  const reply = /^[A-Z]{3,}\b/.exec(text)?.[0];
  return new RedisClientError(
    `Redis ${redisName(target)}, ${command}: ${withAdvice(text, adviceOnReply(text))}`,
    reply,
  );
}
