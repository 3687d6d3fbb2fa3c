/** Redis over TLS, which not every build of it speaks. */
import {
  freePort,
  type RedisServer,
  type RedisServerOptions,
  startRedis,
  TestbedError,
} from '@chaosdemo/testbed';
import type { RedisTlsFiles } from './certificate.ts';

/** Why a test is skipped where the next function returns nothing. */
export const NO_TLS = 'this Redis was built without TLS';

/** Starts a Redis that speaks only TLS; undefined where the one in PATH was built without it. */
export async function startOverTls({
  settings = [],
  tls,
  ...options
}: RedisServerOptions & { readonly tls: RedisTlsFiles }): Promise<RedisServer | undefined> {
  try {
    const port = await freePort();
    return await startRedis({ ...options, port, settings: [...overTls(port, tls), ...settings] });
  } catch (error) {
    if (error instanceof TestbedError && error.message.includes('Failed finding TLS support'))
      return undefined;
    throw error;
  }
}

/** Lines of a redis.conf for a server that speaks only TLS, and requires no certificate of clients. */
export function overTls(port: number, { caFile, certFile, keyFile }: RedisTlsFiles): string[] {
  return [
    'port 0',
    `tls-port ${port}`,
    `tls-cert-file ${certFile}`,
    `tls-key-file ${keyFile}`,
    `tls-ca-cert-file ${caFile}`,
    'tls-auth-clients no',
    'tls-replication yes',
  ];
}
