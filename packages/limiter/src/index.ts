/** The rate limiter. Importing it opens no connection. */
export { type LimiterConfig, type LimiterMode, readConfig } from './config.ts';
export { type RunningNode, startNode } from './start-node.ts';
