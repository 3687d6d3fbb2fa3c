/** What the operator needs around a ChaosDemo that was written, with the commands that create it. */
import { shell } from '../../../api/index.ts';
import { createRedisSecret } from '../../../subjects/redis/admission/redis-auth.ts';
import type { CheckContext } from '../doctor/check-context.ts';
import { checkCrd, checkNamespace, checkOperator } from '../doctor/operator-checks.ts';

/** As docs/redis.md has them, without the rights for the bundled limiter. */
export const RIGHTS =
  '-@all +client|pause +client|unpause +client|list +watch +multi +exec +ping +info +time +set +get ~chaosdemo:probe:* resetchannels';

/** Name of the Secret by which the operator logs in to the Redis behind this Service. */
export function redisSecretName(service: string): string {
  return `${service}-auth`;
}

/** The steps that are left, as lines. */
export async function setupLines(
  context: CheckContext,
  redis: { readonly service: string; readonly podName: string; readonly login: boolean },
): Promise<string[]> {
  const { kubectl, namespace } = context;
  const checks = await Promise.all([checkCrd(context), checkNamespace(context), checkOperator(context)]);
  const wrong = checks.flat().filter(({ state }) => state === 'wrong');
  const lines = wrong.flatMap(({ fixCommands = [], message }) => [
    `${message}:`.replace(/::$/, ':'),
    ...fixCommands.map((command) => `  ${command}`),
  ]);
  const { login, podName, service } = redis;
  if (!login) return lines;
  const secret = redisSecretName(service);
  const send = `printf 'AUTH %s\\nACL SETUSER chaosdemo-operator on >%s ${RIGHTS}\\n' "$REDIS_PASSWORD" "$PASSWORD"`;
  return [
    ...lines,
    `Redis requires a login. Unless the Secret ${secret} exists, with its password in REDIS_PASSWORD and a new one for the operator in PASSWORD:`,
    `  ${send} | ${kubectl} ${shell`-n ${namespace} exec -i ${podName}`} -- redis-cli`,
    `  ${kubectl} ${shell`-n ${namespace}`} ${createRedisSecret(secret, service)}`,
  ];
}
