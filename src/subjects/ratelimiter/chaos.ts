/** The chaos functions of the rate limiter; importing them opens no connection. */
export { type BurstOptions, type BurstResult, injectBurstTraffic } from './burst.ts';
export { LimiterClient } from './limiter-client.ts';
export { injectRedisPause, type RedisPause, type RedisPauseOptions } from './pause.ts';
export { RedisConnections } from './redis-client.ts';
export { burstTrafficConfig, redisPauseConfig } from './scenarios.ts';
export { type LimitWindow, setupRateLimit } from './setup-limit.ts';
export type { NodeTarget, RedisTarget } from './target.ts';
