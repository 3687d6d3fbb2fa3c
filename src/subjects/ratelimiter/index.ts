/** Everything that the operator uses of the rate limiter subject. */
export * from './chaos.ts';
export { rateLimiterDefinition } from './definition.ts';
export { createRateLimiterDriver, type RateLimiterDriverOptions } from './driver.ts';
export { REDIS_ACL } from './redis-acl.ts';
export { redisConnection } from './redis-connection.ts';
export { parseInfoFields } from './redis-info.ts';
export type { RateLimiterTarget } from './target.ts';
