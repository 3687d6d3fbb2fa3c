/**
 * Reads the one type of Secret the operator accepts. The type protects every other Secret: it cannot be changed on an
 * existing one, so a ChaosDemo that names another database's password is refused before any connection.
 */
import type { RedisTarget } from '@chaosdemo/redis-faults';
import { GROUP, shell, shellWord } from '../../../api/index.ts';
import type { Secret } from '../../cluster.ts';
import { Refusal } from '../../targets/refusal.ts';
import { authorityOf, decode, listOf } from '../../targets/secret-keys.ts';

/** The type of a Secret that logs in to Redis. */
export const REDIS_AUTH_SECRET_TYPE = `${GROUP}/redis-auth`;

/** The arguments of kubectl that create a Secret for this Service, with the password in PASSWORD. */
export function createRedisSecret(name: string, service: string): string {
  const named = implied(name) === service ? '' : shell` --from-literal=service=${service}`;
  return `create secret generic ${shellWord(name)} --type=${REDIS_AUTH_SECRET_TYPE} --from-literal=username=chaosdemo-operator --from-literal=password="$PASSWORD"${named}`;
}

/** How to log in to Redis, and the CA to trust. Missing keys are left out. */
export type RedisAuth = Pick<RedisTarget, 'ca' | 'password' | 'servername' | 'username'>;

/** How a Secret is to be used. `service`: that of the Redis that it is sent to. */
export type AuthUse = { readonly service: string } & Pick<RedisTarget, 'tls'>;

/** A Secret of this name and no key `service` is for the Service in front of it: `redis-auth` for `redis`. */
const SUFFIX = '-auth';

/** A DNS name. The password is sent to a server whose certificate has it, so the Secret names it, and not the spec. */
const DNS_NAME = /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/;

/** Characters of a name or password. All texts of a server are searched for the password, so a long one costs time. */
const MOST_CHARACTERS = 1024;

/**
 * The content of a Secret. If every Secret could be used with every Service, anyone who can create ChaosDemos and pods,
 * but not read Secrets, could have any password sent to a pod of their own. So a Secret is bound to the Services that
 * it names.
 * @throws {Refusal} RedisAuthInvalid for another type, for keys that do not fit together, and for another use. No value
 * is repeated.
 */
export function readRedisAuth(secret: Secret, { service, tls }: AuthUse): RedisAuth {
  const { name } = secret.metadata;
  const refuse = (why: string, command?: string): never => {
    throw new Refusal('RedisAuthInvalid', `Secret ${name} ${why}`, { command });
  };
  if (secret.type !== REDIS_AUTH_SECRET_TYPE) {
    refuse(
      `is of type ${secret.type ?? 'Opaque'} and was not read further: make a new one with --type=${REDIS_AUTH_SECRET_TYPE} (a type cannot be changed) and the keys username, password and, for TLS, ca.crt`,
    );
  }
  const named = listOf(secret, 'service', refuse);
  const byName = implied(name) === '' ? [] : [implied(name)];
  if (!(named.length > 0 ? named : byName).includes(service)) {
    const patch = JSON.stringify({ stringData: { service: [...byName, service].join(',') } });
    refuse(
      `is not for Service ${service}: its key service has to name it (without that key, a Secret is for the Service that its own name has in front of ${SUFFIX}). Anyone who can write the Secret adds it${named.length > 0 ? ' there' : ''}`,
      // Its value is not repeated, so no command can add to it.
      named.length > 0 ? undefined : shell`patch secret ${name} --type=merge -p ${patch}`,
    );
  }
  const username = decode(secret, 'username');
  const password = decode(secret, 'password');
  for (const [key, value = ''] of Object.entries({ username, password })) {
    if (value.length > MOST_CHARACTERS)
      refuse(`has a ${key} of more than ${MOST_CHARACTERS} characters: give the operator a shorter one`);
  }
  const ca = authorityOf(secret, tls ? undefined : 'redis.tls', refuse);
  const servername = decode(secret, 'serverName');
  if (servername !== undefined && !DNS_NAME.test(servername))
    refuse('has a serverName that is no DNS name: write the one that the certificate of Redis is valid for');
  if (servername !== undefined && !tls)
    refuse(
      'has a serverName, and without redis.tls no certificate is verified: set redis.tls, or take serverName out of the Secret',
    );
  if (username !== undefined && password === undefined)
    refuse('has a username and no password: add the key password');
  if (password === undefined && ca === undefined)
    refuse('has neither password nor ca.crt: add what Redis requires');
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(ca !== undefined && { ca }),
    ...(servername !== undefined && { servername }),
  };
}

function implied(name: string): string {
  return name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : '';
}
