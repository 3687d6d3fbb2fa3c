/** The user of the operator in a Redis that requires a login, with the commands that create it. Pure. */
import { shell } from '../../../api/index.ts';
import { createRedisSecret } from '../../../subjects/redis/admission/redis-auth.ts';
import type { Cluster } from './pods.ts';

/** As docs/redis.md has them, without the rights for the bundled limiter. */
export const RIGHTS =
  '-@all +client|pause +client|unpause +client|list +watch +multi +exec +ping +info +time +set +get ~chaosdemo:probe:* resetchannels';

/** Name of the Secret by which the operator logs in to the Redis behind this Service. */
export function redisSecretName(service: string): string {
  return `${service}-auth`;
}

export function redisUserLines(
  { kubectl, namespace }: Pick<Cluster, 'kubectl' | 'namespace'>,
  { podName, service }: { readonly service: string; readonly podName: string },
): string[] {
  const secret = redisSecretName(service);
  const send = `printf 'AUTH %s\\nACL SETUSER chaosdemo-operator on >%s ${RIGHTS}\\n' "$REDIS_PASSWORD" "$PASSWORD"`;
  return [
    `Redis requires a login. Unless the Secret ${secret} exists, with its password in REDIS_PASSWORD and a new one for the operator in PASSWORD:`,
    `  ${send} | ${kubectl} ${shell`-n ${namespace} exec -i ${podName}`} -- redis-cli`,
    `  ${kubectl} ${shell`-n ${namespace}`} ${createRedisSecret(secret, service)}`,
  ];
}
