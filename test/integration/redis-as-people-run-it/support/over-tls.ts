/** Redis over TLS, which not every build of it speaks. */
import { type RedisServer, type RedisServerOptions, startRedis, TestbedError } from '@chaosdemo/testbed';

/** Why a test is skipped where the next function returns nothing. */
export const NO_TLS = 'this Redis was built without TLS';

/** Starts a Redis that speaks TLS; undefined where the one in PATH was built without it. */
export async function startOverTls(
  options: RedisServerOptions & Required<Pick<RedisServerOptions, 'tls'>>,
): Promise<RedisServer | undefined> {
  try {
    return await startRedis(options);
  } catch (error) {
    if (error instanceof TestbedError && error.message.includes('Failed finding TLS support'))
      return undefined;
    throw error;
  }
}
