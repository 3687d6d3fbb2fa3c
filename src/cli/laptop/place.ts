/** Where a run on this machine finds the API and its Redis: both are registered under fixed names. Pure. */
import { NAMESPACE } from '../../local/environment.ts';
import { FAULT_PROXY } from '../../local/fault-proxy.ts';
import type { Place } from '../probe/manifest.ts';
import type { Count } from './redis.ts';
import type { OwnRedis } from './target.ts';

/** Name of the object and of its pods. */
export const NAME = 'api';
export const LABELS = { app: NAME };

/** At the beginning of the file that is written. */
export const HEAD = ` For a cluster, change namespace, selector and redis.serviceName to yours, and create the Secret if
 redis.authSecretName is set: docs/your-limiter.md has both. The comments state how each part is known.`;

interface Facts {
  /** Redis may have more clients than the API. */
  readonly allowOtherClients?: boolean;
  /** Where Redis counts; left out: not known, or not needed. */
  readonly count?: Count | undefined;
  /** A fault proxy is between both. */
  readonly isProxied?: boolean;
}

export function placeOf(
  { password }: Pick<OwnRedis, 'password'> = {},
  { allowOtherClients = false, count, isProxied = false }: Facts = {},
): Place {
  return {
    name: NAME,
    namespace: NAMESPACE,
    matchLabels: LABELS,
    port: 'http',
    redis: {
      serviceName: 'redis',
      ...(password !== undefined && { authSecretName: 'redis-auth' }),
      ...(allowOtherClients && { otherClients: 'Allow' as const }),
      ...(isProxied && { faultProxy: FAULT_PROXY }),
      ...(count && { count }),
    },
  };
}
