/** Everything that the operator uses of the rate limiter subject. */
export * from './chaos.ts';
export { rateLimiterDefinition } from './definition.ts';
export { createRateLimiterDriver, type RateLimiterDriverOptions } from './driver.ts';
export { redisConnection } from './redis-connection.ts';
export { parseInfoFields } from './redis-info.ts';
export type { NodeTarget, RateLimiterTarget, RedisTarget } from './target.ts';
