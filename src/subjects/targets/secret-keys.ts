/** Keys of a Secret that logs in to a store or to pods. */
import type { Secret } from '../cluster.ts';
import type { NamespaceReader } from './namespace-reader.ts';
import { Refusal } from './refusal.ts';

/** Characters of ca.crt. */
const MOST_OF_CA = 256 * 1024;

/** Each takes memory outside of the heap, and a private authority is a few of them. */
const MOST_CERTIFICATES = 64;

/** Characters of a list of names or labels. */
const MOST_OF_LIST = 16 * 1024;

/** The value of a key; undefined if it is missing or empty. */
export function decode(secret: Secret, key: string): string | undefined {
  const value = Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8');
  return value === '' ? undefined : value;
}

/** The entries of a key, separated by white space or commas; none if it is missing. `refuse`: as in `authorityOf`. */
export function listOf(secret: Secret, key: string, refuse: (why: string) => never): string[] {
  const value = decode(secret, key) ?? '';
  if (value.length > MOST_OF_LIST)
    refuse(`has a ${key} of more than ${MOST_OF_LIST} characters: name only what is needed`);
  return value.split(/[\s,]+/).filter((entry) => entry !== '');
}

/**
 * The authorities in ca.crt; undefined if there are none.
 * @param unset field of the spec that configures TLS, if it is not set
 * @param refuse throws the problem of the Secret
 */
export function authorityOf(
  secret: Secret,
  unset: string | undefined,
  refuse: (why: string) => never,
): string | undefined {
  const ca = decode(secret, 'ca.crt');
  if (ca === undefined) return undefined;
  if (ca.length > MOST_OF_CA)
    refuse(`has more than ${MOST_OF_CA} characters of ca.crt: keep only the authorities that are needed`);
  if (!ca.includes('-----BEGIN CERTIFICATE-----'))
    refuse('has a ca.crt that is not a certificate: write it in PEM form');
  // OpenSSL also reads other labels, such as TRUSTED CERTIFICATE.
  const certificates = ca.split('-----BEGIN ').length - 1;
  if (certificates > MOST_CERTIFICATES)
    refuse(
      `has ${certificates} certificates in ca.crt, and at most ${MOST_CERTIFICATES} are read: keep only the authorities that are needed`,
    );
  if (unset !== undefined)
    refuse(
      `has a ca.crt, and without ${unset} its other keys would be sent in the clear: set ${unset}, or take ca.crt out of the Secret`,
    );
  return ca;
}

/**
 * @param command arguments of the kubectl command that creates it
 * @throws {Refusal} with this reason if there is none; the message names the field
 */
export async function findSecret(
  reader: NamespaceReader,
  name: string,
  reason: 'RedisAuthInvalid' | 'HTTPAuthInvalid',
  field: string,
  command: string,
): Promise<Secret> {
  const secret = await reader.secret(name);
  if (secret !== undefined) return secret;
  throw new Refusal(
    reason,
    `there is no Secret ${name} in namespace ${reader.namespace}. Correct ${field}, or create it`,
    { command },
  );
}
