/** Errors of a Redis: of the connection to it, and of a command with its name and what to do. */
import { messageOf, withAdvice } from '../text.ts';
import { adviceOnReply } from './advice.ts';
import { type RedisTarget, redisName } from './redis-target.ts';

/** Why this side gave up on a server. UNEXPECTED_REPLY: a reply within the protocol, but not one to this command. */
export type RedisWireErrorCode =
  | 'CONNECT_TIMEOUT'
  | 'REPLY_TIMEOUT'
  | 'PROTOCOL'
  | 'REFUSED'
  | 'UNEXPECTED_REPLY';

/** The server was late, or sent what no Redis sends. The message repeats only a refusal (REFUSED). */
export class RedisWireError extends Error {
  override readonly name = 'RedisWireError';
  readonly code: RedisWireErrorCode;

  constructor(code: RedisWireErrorCode, message: string) {
    super(message);
    this.code = code;
  }

  /** Whether the message states what to do, too. */
  get advises(): boolean {
    return this.code !== 'CONNECT_TIMEOUT' && this.code !== 'REFUSED';
  }

  /** Whether no Redis listens there. */
  get isNoRedis(): boolean {
    return this.code === 'PROTOCOL' || this.code === 'UNEXPECTED_REPLY';
  }
}

/** @param sent what the server sent, in our own words */
export function brokenProtocol(sent: string): RedisWireError {
  return new RedisWireError(
    'PROTOCOL',
    `the server is not speaking the Redis protocol within bounds: it sent ${sent}; see that a Redis and nothing else listens there, and whether it expects TLS`,
  );
}

export function unexpectedReply(command: string, wanted: string, outcome: string): RedisWireError {
  return new RedisWireError(
    'UNEXPECTED_REPLY',
    `the server replied to ${command} with ${outcome} instead of ${wanted}: see that a Redis and nothing else listens there`,
  );
}

/** Redis did not answer, or refused; the message names the pod and what to check. */
export class RedisClientError extends Error {
  override readonly name = 'RedisClientError';
  /** The first word of the error that Redis answered (NOPERM, NOAUTH ...), if any; VALUE: an invalid value. */
  readonly reply: string | undefined;
  /** The admitted server does not answer at its address any more, but another one does. */
  readonly isAnotherServer: boolean;

  constructor(message: string, reply?: string, isAnotherServer = false) {
    super(message);
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
  const text = messageOf(error);
  const reply = /^[A-Z]{3,}\b/.exec(text)?.[0];
  return new RedisClientError(
    `Redis ${redisName(target)}, ${command}: ${withAdvice(text, adviceOnReply(text, target))}`,
    reply,
  );
}
