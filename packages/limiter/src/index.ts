/** The rate limiter. Importing it opens no connection. */
export { LIMITER, type LimiterConfig, type LimiterMode } from './config.ts';
export { type RunningNode, startNode } from './start-node.ts';
