/** The Redis of a spec, `rateLimiter.redis`: where it is, and how to log in. */
import { z } from 'zod';
import { GROUP, type PrinterColumn } from '../../api/index.ts';
import { secretName, serverName, tlsSchema } from './tls-schema.ts';

/** The type of a Secret that logs in to Redis. */
export const REDIS_AUTH_SECRET_TYPE = `${GROUP}/redis-auth`;

/** A Service of the namespace. @param of what is behind it, for the description */
const service = (of: string, port: number) => ({
  serviceName: z
    .string()
    .min(1)
    .max(63)
    .describe(`Name of the Service of ${of}, in this namespace and with a selector.`),
  port: z.int().min(1).max(65535).default(port).describe('Port of that Service.'),
});

const sentinel = z
  .object({
    ...service('all Sentinels', 26379),
    masterName: z
      .string()
      .max(128)
      .regex(/^[A-Za-z0-9._-]+$/)
      .describe('The name under which the Sentinels watch this Redis, as in sentinel monitor NAME.'),
    authSecretName: secretName
      .optional()
      .describe('A Secret as for Redis, with the user of the Sentinels. Left out: they require no password.'),
  })
  .describe(
    'The Sentinels that watch this Redis, with its tls. Each must reply, and no fault may last longer than the smallest down-after-milliseconds minus 500 ms.',
  );

const faultProxy = z
  .object({
    ...service('its control API', 8474),
    authSecretName: secretName.describe(
      'A Secret as for Redis, whose password is the token of the control API.',
    ),
  })
  .describe(
    'A fault proxy between the rate limiter and this Redis, in a test environment. Fault types that only a proxy can inject need it, and others with via Proxy. redis.serviceName leads to Redis itself.',
  );

export const redisSchema = z.object({
  ...service('that Redis, or of all pods of its Cluster', 6379),
  authSecretName: secretName
    .optional()
    .describe(
      `A Secret of this namespace, of type ${REDIS_AUTH_SECRET_TYPE}, with the keys username and password.`,
    ),
  tls: tlsSchema(
    serverName
      .optional()
      .describe(
        'DNS name that the certificate must be valid for. Default: that of the Service. A Secret with a password needs the same serverName.',
      ),
    REDIS_AUTH_SECRET_TYPE,
    'Connect with TLS, also to Sentinels.',
  ),
  otherClients: z
    .enum(['Reject', 'Allow'])
    .default('Reject')
    .describe(
      'Whether writes may be held back although clients other than the selected pods use this Redis.',
    ),
  failover: z
    .enum(['Forbid', 'Allow'])
    .default('Forbid')
    .describe(
      'Whether this Redis may be failed over, for fault type `Failover`. Roles stay swapped, and writes that were acknowledged can be lost.',
    ),
  sentinel: sentinel.optional(),
  faultProxy: faultProxy.optional(),
});

/** As the API server returns it: with defaults filled in. */
export type RedisSpec = z.output<typeof redisSchema>;

/** Of every subject with a Redis: a spec has one of them. */
export const redisColumn: PrinterColumn = {
  name: 'Redis',
  type: 'string',
  jsonPath: '.spec.*.redis.serviceName',
  description: 'Service of the Redis that runs use',
  priority: 1,
};
