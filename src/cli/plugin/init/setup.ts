/** What the operator needs around a ChaosDemo that was written, with the commands that create it. */
import { resourcePath } from '@chaosdemo/kube-runtime';
import { shell } from '../../../api/index.ts';
import { createRedisSecret, REDIS_AUTH_SECRET_TYPE } from '../../../subjects/redis/admission/redis-auth.ts';
import type { CheckContext } from '../doctor/check-context.ts';
import { checkCrd, checkNamespace, checkOperator } from '../doctor/operator-checks.ts';

/** As docs/interface.md has them, without the rights for the bundled limiter. */
export const RIGHTS =
  '-@all +client|pause +client|unpause +client|list +watch +multi +exec +ping +info +time +set +get ~chaosdemo:probe:* resetchannels';

/** The Secret by which the operator logs in. */
export interface RedisSecret {
  readonly name: string;
  readonly exists: boolean;
}

/** Finds it by its type. Only the names of Secrets are read. */
export async function redisSecretFor(
  { client, namespace, signal }: CheckContext,
  service: string,
): Promise<RedisSecret> {
  const usual = `${service}-auth`;
  const list = await client
    .request<{ items: { metadata: { name: string } }[] | null }>({
      method: 'GET',
      path: resourcePath({ group: '', version: 'v1', plural: 'secrets' }, { namespace }),
      query: { fieldSelector: `type=${REDIS_AUTH_SECRET_TYPE}`, limit: 100 },
      accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
      signal,
    })
    .catch(() => ({ items: null }));
  const names = (list.items ?? []).map(({ metadata }) => metadata.name);
  const [only] = names;
  const name = names.length === 1 && only !== undefined ? only : usual;
  return { name, exists: names.includes(name) };
}

/** The steps that are left, as lines. */
export async function setupLines(
  context: CheckContext,
  redis: { readonly service: string; readonly podName: string; readonly secret?: RedisSecret },
): Promise<string[]> {
  const { kubectl, namespace } = context;
  const checks = await Promise.all([checkCrd(context), checkNamespace(context), checkOperator(context)]);
  const wrong = checks.flat().filter(({ state }) => state === 'wrong');
  const lines = wrong.flatMap(({ fixCommands = [], message }) => [
    `${message}:`.replace(/::$/, ':'),
    ...fixCommands.map((command) => `  ${command}`),
  ]);
  const { podName, secret, service } = redis;
  if (!secret || secret.exists) return lines;
  const send = `printf 'AUTH %s\\nACL SETUSER chaosdemo-operator on >%s ${RIGHTS}\\n' "$REDIS_PASSWORD" "$PASSWORD"`;
  return [
    ...lines,
    'Redis requires a login. With its password in REDIS_PASSWORD, and a new one for the operator in PASSWORD:',
    `  ${send} | ${kubectl} ${shell`-n ${namespace} exec -i ${podName}`} -- redis-cli`,
    `  ${kubectl} ${shell`-n ${namespace}`} ${createRedisSecret(secret.name, service)}`,
  ];
}
