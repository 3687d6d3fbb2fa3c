/** Assembles one node: HTTP server, limiter, and the order in which they start and stop. */
import { within } from '@chaosdemo/redis-faults/waiting';
import type { Logger } from 'pino';
import type { LimiterConfig } from './config.ts';
import { createHttpServer } from './http-server.ts';
import { Limiter } from './limiter.ts';

/** How long requests under way may take to finish when the node stops. */
const CLOSE_TIMEOUT_MS = 5_000;

/** A running Redis gets this long to answer, so that the first request does not come too early. */
const REDIS_HEAD_START_MS = 2_000;

export type RunningNode = Awaited<ReturnType<typeof startNode>>;

/**
 * Starts one node and returns once it listens. Redis need not be there yet: see GET /health.
 * @throws the error of listening, e.g. EADDRINUSE; of reading the CA file
 */
export async function startNode(config: LimiterConfig, log: Logger) {
  const limiter = new Limiter(config, log);
  const app = createHttpServer(config, limiter, log);
  try {
    await limiter.awaitRedis(REDIS_HEAD_START_MS);
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    await limiter.stop();
    throw error;
  }
  const bound = app.server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : config.port;
  limiter.start();
  log.info({ port, mode: config.mode }, 'listening');

  return {
    port,
    /** Takes no more requests, lets those in progress finish (5 s), delivers the last counts (10 s) and closes. */
    stop: async () => {
      await within(app.close(), CLOSE_TIMEOUT_MS);
      app.server.closeAllConnections();
      await limiter.stop();
    },
  };
}
