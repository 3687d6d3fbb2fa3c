/** Finds a path for health checks that has no limiter. */
import { UsageError } from '../../settings/settings.ts';
import type { Header } from './options.ts';
import { reportsQuota } from './quota.ts';
import type { ApiClient } from './request.ts';

const HEALTH_PATHS = [
  '/healthz',
  '/health',
  '/healthcheck',
  '/livez',
  '/readyz',
  '/ready',
  '/status',
  '/ping',
  '/api/health',
  '/',
];

/**
 * @param paths the one of the user, or those to try before the usual ones
 * @param headers of a caller that is being rejected, if there is one: then a path with a limiter rejects it as well
 * @throws UsageError with what to write
 */
export async function findHealth(
  client: ApiClient,
  { given, usual }: { readonly given: string | undefined; readonly usual: readonly string[] },
  headers: readonly Header[],
): Promise<{ readonly path: string; readonly because: string }> {
  const paths = given === undefined ? [...new Set([...usual, ...HEALTH_PATHS])] : [given];
  for (const path of paths) {
    const { headers: answered, status } = await client.send({ method: 'GET', path, headers });
    if (status >= 200 && status < 400 && !reportsQuota(answered)) {
      const seen =
        headers.length > 0 ? 'for a caller that is being rejected' : 'without a header of a limiter';
      return { path, because: `GET ${path} answered ${status} ${seen}` };
    }
    if (given === undefined) continue;
    const seen = status < 400 ? `${status} with the headers of a limiter` : status;
    throw new UsageError(
      `GET ${given} answered ${seen}: write a path in --health that answers 200 and has no limiter`,
    );
  }
  throw new UsageError(
    `none of ${paths.join(', ')} answers 200 without a limiter: write a path that has none in --health, or add one in front of the limiter`,
  );
}
