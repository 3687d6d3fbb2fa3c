/**
 * Reads the one type of Secret the operator accepts. The type protects every other Secret: it cannot be changed on an
 * existing one, so a ChaosDemo that names another database's password is refused before any connection.
 */
import type { RedisTarget } from '@chaosdemo/redis-faults';
import { shell, shellWord } from '../../../api/index.ts';
import type { Secret } from '../../cluster.ts';
import { REDIS_AUTH_SECRET_TYPE, type RedisSpec } from '../../spec/redis-schema.ts';
import { decode, listOf, type Refuse, refusing, type SecretKind } from '../../targets/secret-keys.ts';

export const REDIS_AUTH: SecretKind = {
  type: REDIS_AUTH_SECRET_TYPE,
  reason: 'RedisAuthInvalid',
  part: 'redis',
};

/** The arguments of kubectl that create a Secret for this Service, with the password in PASSWORD. */
export function createRedisSecret(name: string, service: string): string {
  const named = implied(name) === service ? '' : shell` --from-literal=service=${service}`;
  return `create secret generic ${shellWord(name)} --type=${REDIS_AUTH_SECRET_TYPE} --from-literal=username=chaosdemo-operator --from-literal=password="$PASSWORD"${named}`;
}

/** How to log in to Redis. */
export type RedisAuth = Required<Pick<RedisTarget, 'password'>> & Pick<RedisTarget, 'username'>;

/** How a Secret is to be used: the server that it is sent to. */
export type AuthUse = Pick<RedisSpec, 'serviceName' | 'tls'>;

/** A Secret of this name and no key `service` is for the Service in front of it: `redis-auth` for `redis`. */
const SUFFIX = '-auth';

/** Characters of a name or password. All texts of a server are searched for the password, so a long one costs time. */
const MOST_CHARACTERS = 1024;

/**
 * The content of a Secret. If every Secret could be used with every Service, anyone who can create ChaosDemos and pods,
 * but not read Secrets, could have any password sent to a pod of their own. So a Secret is bound to the Services that
 * it names. A `ca.crt` and a `serverName` bind it further: without TLS, or with a certificate of anyone, a pod behind the
 * Service could be another's.
 * @throws {Refusal} RedisAuthInvalid for another type, for invalid keys, and for another use. No value is repeated.
 */
export function readRedisAuth(secret: Secret, { serviceName, tls }: AuthUse): RedisAuth {
  const { name } = secret.metadata;
  const refuse: Refuse = refusing(REDIS_AUTH, secret, tls);
  const named = listOf(secret, 'service', refuse);
  const byName = implied(name) === '' ? [] : [implied(name)];
  if (!(named.length > 0 ? named : byName).includes(serviceName)) {
    const patch = JSON.stringify({ stringData: { service: [...byName, serviceName].join(',') } });
    refuse(
      `is not for Service ${serviceName}: its key service has to name it. Without that key, a Secret is for the Service that its own name has in front of ${SUFFIX}. Anyone who can write the Secret adds it${named.length > 0 ? ' there' : ''}`,
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
  if (decode(secret, 'serverName') !== tls?.serverName)
    refuse(
      `is for another server name: its key serverName and redis.tls.serverName must be the same, or both left out`,
    );
  if (password === undefined) return refuse('has no password: add the key password');
  return { password, ...(username !== undefined && { username }) };
}

function implied(name: string): string {
  return name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : '';
}
