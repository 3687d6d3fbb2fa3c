/** What goes wrong with a Redis, in words that name it and say what to do. */
import { messageOf } from '../../../api/index.ts';
import { withAdvice } from '../words.ts';
import { adviceOnReply } from './advice.ts';
import { OtherServerError } from './pinned-server.ts';
import { type RedisTarget, redisName } from './redis-target.ts';

/** Redis could not be asked, or refused; the message names the pod and says what to look at. */
export class RedisClientError extends Error {
  /** The first word of what Redis said (NOPERM, NOAUTH ...), where it answered; VALUE: a value that is none to the question. */
  readonly reply: string | undefined;
  /** The server that was admitted does not answer at its address any more, but another. */
  readonly isAnotherServer: boolean;

  constructor(message: string, reply?: string, isAnotherServer = false) {
    super(message);
    this.name = 'RedisClientError';
    this.reply = reply;
    this.isAnotherServer = isAnotherServer;
  }
}

/** Whether Redis said nothing: no connection, or no answer in time. What it said may be an error, too. */
export function gaveNoAnswer(error: unknown): boolean {
  return !(error instanceof RedisClientError) || error.reply === undefined;
}

/** An error with the name of the Redis and what to do; holds no secret, since Redis repeats none. */
export function explain(target: RedisTarget, command: string, error: unknown): RedisClientError {
  if (error instanceof RedisClientError) return error;
  if (error instanceof OtherServerError)
    return new RedisClientError(error.message, undefined, error.isAnother);
  const said = messageOf(error);
  const reply = /^[A-Z]{3,}\b/.exec(said)?.[0];
  return new RedisClientError(
    `Redis ${redisName(target)}, ${command}: ${withAdvice(said, adviceOnReply(said))}`,
    reply,
  );
}
