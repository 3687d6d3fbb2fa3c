/** The Redis of a spec, `rateLimiter.redis`: where it is, and how to log in. */
import { z } from 'zod';
import { REDIS_AUTH_SECRET_TYPE } from './admission/redis-auth.ts';

export const redisSchema = z.object({
  service: z
    .string()
    .min(1)
    .max(63)
    .describe('Name of the Service of that Redis, in this namespace and with a selector.'),
  port: z.int().min(1).max(65535).default(6379).describe('Port of that Service.'),
  authSecretName: z
    .string()
    .min(1)
    .max(253)
    .optional()
    .describe(
      `A Secret of this namespace, of type ${REDIS_AUTH_SECRET_TYPE}, with the keys username, password and, for TLS, ca.crt.`,
    ),
  tls: z
    .boolean()
    .default(false)
    .describe('Connect with TLS. The certificate must be valid for the DNS name of the Service.'),
  allowOtherClients: z
    .boolean()
    .default(false)
    .describe('Pause writes even if clients other than the selected pods use this Redis.'),
});

/** As the API server returns it: with defaults filled in. */
export type RedisSpec = z.output<typeof redisSchema>;
