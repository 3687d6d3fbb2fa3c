/**
 * What the environment variables of a container state about Redis. Values in Secrets are not read, and no value is
 * shown: it may have a password in it.
 */
import { corePath, isForbidden } from '@chaosdemo/kube-runtime';
import { read } from '../doctor/check-context.ts';
import type { Cluster, ContainerDetail } from './pods.ts';

/** A variable; without a value if it is in a Secret, or could not be read. */
export interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly from: string;
}

/** Variables that are about a Redis. */
const ABOUT_REDIS = /redis|valkey/i;
const ADDRESS = /host|addr|endpoint|server|service|node|ur[il]/i;
/** Their values are no addresses, and not shown. */
const PASSWORD = /pass|auth|secret|token|(?<!val)key|cred/i;
const HOST_PORT = /^([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?::(\d{1,5}))?$/i;
const MOST_CHARACTERS = 2048;

/** The variables of a container, with the ConfigMaps that they are in. @throws if the API server does not answer */
export async function variablesOf(
  context: Cluster,
  { env = [], envFrom = [] }: ContainerDetail,
): Promise<Variable[]> {
  const maps = new Map<string, Promise<Readonly<Record<string, string>>>>();
  const dataOf = (name: string): Promise<Readonly<Record<string, string>>> => {
    const known = maps.get(name) ?? readConfigMap(context, name);
    maps.set(name, known);
    return known;
  };
  const variables = new Map<string, Variable>();
  for (const { configMapRef, prefix = '', secretRef } of envFrom) {
    if (secretRef)
      variables.set(`Secret ${secretRef.name}`, { name: 'all', from: `Secret ${secretRef.name}` });
    if (!configMapRef?.name) continue;
    for (const [key, value] of Object.entries(await dataOf(configMapRef.name))) {
      variables.set(prefix + key, { name: prefix + key, value, from: `ConfigMap ${configMapRef.name}` });
    }
  }
  for (const { name, value, valueFrom = {} } of env) {
    const { configMapKeyRef: map, secretKeyRef: secret } = valueFrom;
    const found = map?.name && ABOUT_REDIS.test(name + map.key) ? (await dataOf(map.name))[map.key] : value;
    const from = secret ? `Secret ${secret.name}` : map ? `ConfigMap ${map.name}` : 'the pod';
    variables.set(name, { name, from, ...(found !== undefined && { value: expanded(found, variables) }) });
  }
  return [...variables.values()];
}

/** More variables about Redis than a pod has. */
const MOST_HINTS = 50;

/** Servers that the variables name, in their order. Pure. */
export function redisHints(variables: readonly Variable[]) {
  const login = variables.some(({ name }) => ABOUT_REDIS.test(name) && PASSWORD.test(name));
  const hints = variables.flatMap(({ name: variable, value = '' }) => {
    if (value.length > MOST_CHARACTERS) return [];
    const url = /^(redis|rediss|valkey|valkeys):\/\//.test(value) ? URL.parse(value) : null;
    if (url) {
      const tls = /^(rediss|valkeys):/.test(url.protocol);
      const port = url.port === '' ? undefined : Number(url.port);
      const hint = { variable, host: url.hostname, tls, login: login || url.password !== '' };
      return [{ ...hint, ...(port !== undefined && { port }) }];
    }
    if (PASSWORD.test(variable) || /sentinel/i.test(variable)) return [];
    if (!ABOUT_REDIS.test(variable) || !ADDRESS.test(variable)) return [];
    const [, host, port] = HOST_PORT.exec(value) ?? [];
    if (host === undefined) return [];
    return [{ variable, host, tls: false, login, ...(port !== undefined && { port: Number(port) }) }];
  });
  return hints.slice(0, MOST_HINTS);
}

/** Variables about Redis that are in Secrets: not read. */
export function unread(variables: readonly Variable[]): Variable[] {
  return variables.filter(
    ({ from, name, value }) => value === undefined && (ABOUT_REDIS.test(name) || from.startsWith('Secret ')),
  );
}

/** As Kubernetes: `$(NAME)` is the value of an earlier variable, and stays if that is not known. */
function expanded(value: string, earlier: ReadonlyMap<string, Variable>): string {
  if (value.length > MOST_CHARACTERS) return value;
  return value.replaceAll(
    /\$\(([A-Za-z_][A-Za-z0-9_]*)\)/g,
    (place, name: string) => earlier.get(name)?.value ?? place,
  );
}

async function readConfigMap(context: Cluster, name: string): Promise<Readonly<Record<string, string>>> {
  const { namespace } = context;
  const path = corePath('configmaps', { namespace, name });
  try {
    return (await read<{ data?: Record<string, string> }>(context, path))?.data ?? {};
  } catch (error) {
    if (isForbidden(error)) return {};
    throw error;
  }
}
