/** Starts a limiter of the survey in place of the bundled rate limiter. */
import {
  launchRedis,
  limiterCount,
  NAMESPACE,
  type StageStart,
  type StartedLimiters,
} from '../../src/local/environment.ts';
import { configuredOf } from './demo.ts';
import { install } from './install.ts';
import type { SurveyedLimiter, Variant } from './limiter.ts';
import { startLimiter } from './start.ts';
import { surveyedTarget } from './target.ts';

/** Installs the limiter where it is not yet, and starts it. Throws RUNTIME_MISSING, GO_MISSING or COMMAND_FAILED. */
export async function launchSurveyed(
  start: StageStart,
  limiter: SurveyedLimiter,
  variant: Variant,
): Promise<StartedLimiters> {
  const { onProgress, signal, supervisor } = start;
  const { name, package: packaged, version } = limiter;
  const app = await install(limiter, {
    progress: (message) => onProgress('limiters', message),
    signal,
  });
  const server = await launchRedis(start);
  onProgress('limiters', `starting ${limiterCount} processes of ${packaged} ${version}: ${variant.what}`);
  const limiters = await startLimiter({
    supervisor,
    limiter,
    variant,
    app,
    signal,
    ...configuredOf(limiter),
    count: limiterCount,
    redisUrl: `redis://${server.host}:${server.port}`,
    folder: supervisor.temporaryFolder(`limiter-${name}`),
  });
  onProgress('limiters', `they answer at ${limiters.map(({ url }) => url).join(', ')}`);
  return {
    server,
    limiters,
    target: surveyedTarget({ namespace: NAMESPACE, limiter, processes: limiters, redis: server }),
  };
}
