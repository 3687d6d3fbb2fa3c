/** The rate limiter: a pod of it, and a client. Importing it opens no connection. */
export {
  type CounterAnswer,
  type CounterSample,
  type LimitAnswer,
  LimiterClient,
  sampleCounters,
  setupRateLimit,
} from './client.ts';
export { helpText, type LimiterConfig, type LimiterMode, readConfig, UsageError } from './config.ts';
export { type RunningNode, startNode } from './start-node.ts';
