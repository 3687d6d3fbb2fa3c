/** Checks that each Secret of a rate limiter exists and is for this use. Same rules as the operator; shows no value. */
import { resourcePath } from '@chaosdemo/kube-runtime';
import type { Secret } from '../../../subjects/cluster.ts';
import { readHttpAuth } from '../../../subjects/ratelimiter/admission/http-auth.ts';
import { HTTP_AUTH_SECRET_TYPE, PART, type RateLimiterSpec } from '../../../subjects/ratelimiter/schema.ts';
import { REDIS_AUTH_SECRET_TYPE, readRedisAuth } from '../../../subjects/redis/admission/redis-auth.ts';
import { Refusal } from '../../../subjects/targets/refusal.ts';
import { shell } from '../connection.ts';
import { checked, type DemoCheckContext, mergePatch, read } from './check-context.ts';
import type { Finding } from './finding.ts';

/** The requirements on one Secret. */
interface SecretRequirements {
  readonly name: string;
  readonly type: string;
  readonly reason: 'RedisAuthInvalid' | 'HTTPAuthInvalid';
  /** Its purpose. */
  readonly use: string;
  /** The command that creates it. */
  readonly create: string;
  /** Another fix of a missing Secret. */
  readonly otherwise?: Finding['otherwise'];
  /** What the user has to provide first, with an article. */
  readonly needs: string;
  /** @throws {Refusal} if it is not for this use */
  readonly judge: (secret: Secret) => unknown;
  /** Commands that add what a Secret of this type lacks; none if the message has the advice. */
  readonly patch: (secret: Secret) => string[];
}

/** How the operator logs in to a Redis or its Sentinels, by the spec. */
export interface RedisLogin {
  readonly check: string;
  readonly server: 'Redis' | 'Sentinel';
  readonly service: string;
  readonly authSecretName?: string | undefined;
  readonly tls: boolean;
  /** The part of the spec that has these members. */
  readonly field: (members: object) => object;
}

/**
 * The Secret of Redis, or of its Sentinels.
 * @param leads whether the Service selects a Redis pod. If not, the spec may name the wrong Service, and a command that
 *   changes the Secret for it would break every other ChaosDemo that uses the Secret
 */
export async function checkRedisSecret(
  context: DemoCheckContext,
  { authSecretName: name, check, field, server, service, tls }: RedisLogin,
  leads: boolean,
): Promise<Finding> {
  if (name === undefined) {
    return { check, state: 'note', message: `none is named: correct if ${server} needs no password` };
  }
  const finding = await checkSecret(context, check, {
    name,
    type: REDIS_AUTH_SECRET_TYPE,
    reason: 'RedisAuthInvalid',
    use: `Service ${service}`,
    create: createRedisSecret(context, name, service),
    // With TLS, the Secret may have the authority as well.
    ...(!tls && {
      otherwise: {
        when: `Or, if ${server} needs no password`,
        command: patchRateLimiter(context, field({ authSecretName: null })),
      },
    }),
    needs: `the password of that user of ${server} in PASSWORD`,
    judge: (secret) => readRedisAuth(secret, { service, tls }),
    patch: (secret) => redisSecretPatch(context, secret, service),
  });
  if (leads || finding.state !== 'wrong') return finding;
  const message = `${name} is not right for Service ${service}, which leads to no ${server}: fix that first, then run doctor again`;
  return { check, state: 'note', message };
}

/** The command that changes these members of the rate limiter's spec. */
export function patchRateLimiter({ demo, kubectl, namespace }: DemoCheckContext, members: object): string {
  const patch = mergePatch({ spec: { [PART]: members } });
  return `${kubectl} ${shell`-n ${namespace} patch chaosdemo ${demo.metadata.name}`} ${patch}`;
}

/** The Secret with the headers and the authority of a limiter behind HTTP, if the spec names one. */
export function checkHttpSecret(
  context: DemoCheckContext,
  { http, selector: { matchLabels } }: RateLimiterSpec,
): Promise<Finding>[] {
  const name = http?.authSecretName;
  if (http === undefined || name === undefined) return [];
  const { kubectl, namespace } = context;
  const labels = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  const use = {
    matchLabels,
    tls: http.tlsServerName !== undefined,
    headers: http.headers.map((header) => header.name),
  };
  const judge = (secret: Secret): unknown => readHttpAuth(secret, use);
  const wanted: SecretRequirements = {
    name,
    type: HTTP_AUTH_SECRET_TYPE,
    reason: 'HTTPAuthInvalid',
    use: `pods with ${labels.join(', ')}`,
    create: `${kubectl} ${shell`-n ${namespace} create secret generic ${name} --type=${HTTP_AUTH_SECRET_TYPE} --from-literal=selector=${labels.join(',')}`} --from-literal=headers="$HEADERS"`,
    needs: 'what your pods require in HEADERS, such as "Authorization: Bearer ..."',
    judge,
    patch(secret) {
      const narrowed = labels.join(',');
      const selector = Buffer.from(narrowed).toString('base64');
      try {
        judge({ ...secret, data: { ...secret.data, selector } });
      } catch {
        return [];
      }
      const command = `${kubectl} ${shell`-n ${namespace} patch secret ${name}`}`;
      return [`${command} ${mergePatch({ stringData: { selector: narrowed } })}`];
    },
  };
  if (labels.length > 0) return [checkSecret(context, 'HTTP Secret', wanted)];
  const message = `Secret ${name} cannot be used: ${PART}.selector has no matchLabels, and a Secret names labels that it must require. Write the labels of the pods there`;
  return [Promise.resolve({ check: 'HTTP Secret', state: 'wrong', message, reason: 'HTTPAuthInvalid' })];
}

/** Checks that it exists, of an accepted type, complete, and for this use. */
async function checkSecret(
  context: DemoCheckContext,
  check: string,
  wanted: SecretRequirements,
): Promise<Finding> {
  const { kubectl, namespace } = context;
  const { create, judge, name, needs, otherwise, patch, reason, type, use } = wanted;
  return await checked(check, context, async () => {
    const secrets = { group: '', version: 'v1', plural: 'secrets' };
    const secret = await read<Secret>(context, resourcePath(secrets, { namespace, name }));
    if (secret === undefined) {
      const message = `there is no Secret ${name} in namespace ${namespace}. With ${needs}:`;
      return { state: 'wrong', message, fixCommands: [create], ...(otherwise && { otherwise }), reason };
    }
    try {
      judge(secret);
      return { state: 'ok', message: `${name} is of type ${type} and for ${use}` };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (secret.type !== type) {
        const message = `Secret ${name} is of type ${secret.type ?? 'Opaque'}, which the operator does not read; a type cannot be changed. If nothing else uses it, with ${needs}:`;
        const remove = `${kubectl} ${shell`-n ${namespace} delete secret ${name}`}`;
        return { state: 'wrong', message, fixCommands: [remove, create], reason: error.reason };
      }
      return { state: 'wrong', message: error.message, fixCommands: patch(secret), reason: error.reason };
    }
  });
}

/** The command that creates it, with the password in PASSWORD. */
export function createRedisSecret(
  { kubectl, namespace }: Pick<DemoCheckContext, 'kubectl' | 'namespace'>,
  name: string,
  service: string,
): string {
  const named = name === `${service}-auth` ? '' : shell` --from-literal=service=${service}`;
  return `${kubectl} ${shell`-n ${namespace} create secret generic ${name} --type=${REDIS_AUTH_SECRET_TYPE}`} --from-literal=username=chaosdemo-operator --from-literal=password="$PASSWORD"${named}`;
}

/** Commands that add what a Secret of the right type lacks; none if it has too much rather than too little. */
function redisSecretPatch(
  { kubectl, namespace }: DemoCheckContext,
  secret: Secret,
  service: string,
): string[] {
  const { name } = secret.metadata;
  const command = `${kubectl} ${shell`-n ${namespace} patch secret ${name}`}`;
  const named = Buffer.from(secret.data?.['service'] ?? '', 'base64').toString();
  const services = (named === '' ? name.replace(/-auth$/, '') : named).split(/[\s,]+/);
  if (!services.includes(service)) {
    // Other ChaosDemos may use the Services that the Secret is valid for now, explicitly or by its name.
    const all = [...services.filter((each) => each !== ''), service].join(',');
    return [`${command} ${mergePatch({ stringData: { service: all } })}`];
  }
  if ((secret.data?.['password'] ?? '') !== '') return [];
  // As base64, a password may contain characters that are special in JSON.
  const password = `"$(printf %s "$PASSWORD" | base64 | tr -d '\n')"`;
  return [`${command} --type=merge -p '{"data":{"password":"'${password}'"}}'`];
}
