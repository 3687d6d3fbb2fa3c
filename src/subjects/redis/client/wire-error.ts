/** Why a connection to a Redis was ended by this side. */
export type RedisWireErrorCode = 'CONNECT_TIMEOUT' | 'REPLY_TIMEOUT' | 'PROTOCOL' | 'REFUSED';

/**
 * The server broke the protocol or was late; the connection is closed. The message repeats only a refusal (REFUSED).
 */
export class RedisWireError extends Error {
  readonly code: RedisWireErrorCode;

  constructor(code: RedisWireErrorCode, message: string) {
    super(message);
    this.name = 'RedisWireError';
    this.code = code;
  }

  /** Whether the message states what to do, too. */
  get advises(): boolean {
    return this.code !== 'CONNECT_TIMEOUT' && this.code !== 'REFUSED';
  }
}

/** @param sent what the server sent, in our own words */
export function brokenProtocol(sent: string): RedisWireError {
  return new RedisWireError(
    'PROTOCOL',
    `the server is not speaking the Redis protocol within bounds: it sent ${sent}; see that a Redis and nothing else listens there, and whether it expects TLS`,
  );
}
