/**
 * Reads the one type of Secret the operator takes. The type is what protects every
 * other Secret: it cannot be changed on an existing one, so a ChaosDemo that names
 * somebody's database password gets a refusal and not a connection.
 */
import type { Secret } from '../../cluster.ts';
import { Refusal } from '../../targets/refusal.ts';
import { REDIS_AUTH_SECRET_TYPE } from '../schema.ts';

/** How to log in to Redis, and whom to trust. Members that the Secret lacks are left out. */
export interface RedisAuth {
  username?: string;
  password?: string;
  /** PEM certificates. */
  ca?: string;
}

/**
 * What a Secret says.
 *
 * @throws {Refusal} RedisAuthInvalid for another type, or for keys that do not go together. No value is repeated.
 */
export function readRedisAuth(secret: Secret): RedisAuth {
  const name = secret.metadata.name;
  if (secret.type !== REDIS_AUTH_SECRET_TYPE) {
    throw new Refusal(
      'RedisAuthInvalid',
      `Secret ${name} is of type ${secret.type ?? 'Opaque'} and was not read further: make a new one with --type=${REDIS_AUTH_SECRET_TYPE} (a type cannot be changed) and the keys username, password and, for TLS, ca.crt`,
    );
  }
  const username = decode(secret, 'username');
  const password = decode(secret, 'password');
  const ca = decode(secret, 'ca.crt');
  if (username !== undefined && password === undefined) {
    throw new Refusal(
      'RedisAuthInvalid',
      `Secret ${name} has a username and no password: add the key password`,
    );
  }
  if (password === undefined && ca === undefined) {
    throw new Refusal(
      'RedisAuthInvalid',
      `Secret ${name} has neither password nor ca.crt: add what Redis asks for`,
    );
  }
  if (ca !== undefined && !ca.includes('-----BEGIN CERTIFICATE-----')) {
    throw new Refusal(
      'RedisAuthInvalid',
      `ca.crt in Secret ${name} is not a certificate: write it in PEM form`,
    );
  }
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
  };
}

/** The value of a key; undefined where it is missing or empty. */
function decode(secret: Secret, key: string): string | undefined {
  const value = Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8');
  return value === '' ? undefined : value;
}
