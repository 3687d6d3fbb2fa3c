/** Secrets that log in to a store or to pods, or have the authorities that their certificates are verified by. */
import { shell } from '../../api/index.ts';
import type { Secret } from '../cluster.ts';
import type { NamespaceReader } from './namespace-reader.ts';
import { Refusal } from './refusal.ts';

/** A type cannot be changed on an existing Secret, so it protects every other one. */
export interface SecretKind {
  readonly type: string;
  readonly reason: 'RedisAuthInvalid' | 'HTTPAuthInvalid';
  /** The part of the spec that has `tls`. */
  readonly part: 'redis' | 'http';
}

/** `tls` of a part of the spec. */
type Tls = { readonly caSecretName?: string | undefined } | undefined;

/** Throws the problem of a Secret. `command`: arguments of kubectl that solve it. */
export type Refuse = (why: string, command?: string) => never;

/** Characters of ca.crt. */
const MOST_OF_CA = 256 * 1024;

/** Each takes memory outside of the heap, and a private authority is a few of them. */
const MOST_CERTIFICATES = 64;

/** Characters of a list of names or labels. */
const MOST_OF_LIST = 16 * 1024;

/**
 * @throws {Refusal} at once for a Secret of another type. One with authorities is only for their servers: none of its
 * keys is sent in the clear, or to others.
 */
export function refusing({ part, reason, type }: SecretKind, secret: Secret, tls: Tls): Refuse {
  const { name } = secret.metadata;
  const refuse: Refuse = (why, command) => {
    throw new Refusal(reason, `Secret ${name} ${why}`, { command });
  };
  if (secret.type !== type)
    refuse(
      `is of type ${secret.type ?? 'Opaque'} and was not read further: make a new one with --type=${type} (a type cannot be changed)`,
    );
  if (decode(secret, 'ca.crt') !== undefined && tls?.caSecretName !== name)
    refuse(
      `has a ca.crt, so its other keys are only for servers with such a certificate: name it in ${part}.tls.caSecretName, or remove ca.crt`,
    );
  return refuse;
}

/** The value of a key; undefined if it is missing or empty. */
export function decode(secret: Secret, key: string): string | undefined {
  const value = Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8');
  return value === '' ? undefined : value;
}

/** The entries of a key, separated by white space or commas; none if it is missing. */
export function listOf(secret: Secret, key: string, refuse: Refuse): string[] {
  const value = decode(secret, key) ?? '';
  if (value.length > MOST_OF_LIST)
    refuse(`has a ${key} of more than ${MOST_OF_LIST} characters: name only what is needed`);
  return value.split(/[\s,]+/).filter((entry) => entry !== '');
}

/**
 * The PEM of the authorities that a part of the spec trusts; none: those of Node.js.
 * @throws {Refusal} for a Secret without authorities
 */
export async function findAuthority(
  reader: NamespaceReader,
  kind: SecretKind,
  tls: Tls,
): Promise<{ readonly ca?: string }> {
  const name = tls?.caSecretName;
  if (name === undefined) return {};
  const create = shell`create secret generic ${name} --type=${kind.type} --from-file=ca.crt`;
  const secret = await findSecret(reader, kind, name, `${kind.part}.tls.caSecretName`, create);
  const refuse = refusing(kind, secret, tls);
  const ca = decode(secret, 'ca.crt') ?? '';
  if (ca.length > MOST_OF_CA)
    refuse(`has more than ${MOST_OF_CA} characters of ca.crt: keep only the authorities that are needed`);
  if (!ca.includes('-----BEGIN CERTIFICATE-----'))
    refuse('has no certificate in ca.crt: write the authorities in PEM form');
  // OpenSSL also reads other labels, such as TRUSTED CERTIFICATE.
  const certificates = ca.split('-----BEGIN ').length - 1;
  if (certificates > MOST_CERTIFICATES)
    refuse(
      `has ${certificates} certificates in ca.crt, and at most ${MOST_CERTIFICATES} are read: keep only the authorities that are needed`,
    );
  return { ca };
}

/**
 * @param command arguments of the kubectl command that creates it
 * @throws {Refusal} if there is none; the message names the field
 */
export async function findSecret(
  reader: NamespaceReader,
  { reason }: SecretKind,
  name: string,
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
