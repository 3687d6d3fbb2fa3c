/** Three processes of a rate limiter that people run, over one Redis, and a driver of a run on them. */

import type { RedisTarget } from '@chaosdemo/redis-faults';
import { type RedisServer, type RedisServerOptions, Supervisor, startRedis } from '@chaosdemo/testbed';
import type { PodsTarget } from '../../../src/subjects/targets/target.ts';
import { install } from '../../../survey/runner/install.ts';
import { loadLimiter } from '../../../survey/runner/limiters.ts';
import { rateLimiterSpec } from '../../../survey/runner/rate-limiter-spec.ts';
import { startLimiter, stopLimiter } from '../../../survey/runner/start.ts';
import { DrivenLimiter, limiterSpec } from '../../kit/driven-limiter.ts';

export const CONFIGURED = { limit: 10, windowSeconds: 60 };

/** A scenario with a stall of so long, under traffic that shows what callers get. */
export const stallOf = (duration: string, settle: string, callerTimeout = '500ms') => [
  {
    name: 'outage',
    type: 'StoreOutage',
    storeOutage: {
      fault: { duration },
      callerTimeout,
      requestsPerSecond: 10,
      settle,
      accept: ['Enforces'],
    },
  },
];

/** With its one Redis. */
export type SurveyedTarget = Omit<PodsTarget, 'redis'> & { readonly redis: RedisTarget };

/** What is driven, and as whom. */
export interface DriveOptions {
  readonly scenarios: readonly object[];
  /** Changes of `spec.rateLimiter`. */
  readonly change?: object;
  /** Of a token bucket: requests that a full one admits at once. */
  readonly burst?: number;
  /** The limit that it is configured with; default: `CONFIGURED`. */
  readonly configured?: typeof CONFIGURED;
  /** Variables for the program, besides those of its variant. */
  readonly env?: Readonly<Record<string, string>>;
  /** The target for requests, if that differs from the one that was started. */
  readonly target?: (target: SurveyedTarget) => Promise<SurveyedTarget> | SurveyedTarget;
}

/** A Redis, and what was started over it. */
export class SurveyedLimiters {
  readonly redis: RedisServer;
  readonly supervisor: Supervisor;
  #keys = 0;

  private constructor(supervisor: Supervisor, redis: RedisServer) {
    this.supervisor = supervisor;
    this.redis = redis;
  }

  static async start(options: Partial<RedisServerOptions> = {}): Promise<SurveyedLimiters> {
    const supervisor = new Supervisor();
    return new SurveyedLimiters(supervisor, await startRedis({ supervisor, ...options }));
  }

  async close(): Promise<void> {
    await this.supervisor.close();
  }

  /** What the survey knows of a limiter, in the words of the API. */
  async specOf(
    name: string,
    variantName: string,
    bucket: Partial<typeof CONFIGURED> & { burst?: number } = {},
  ): Promise<ReturnType<typeof rateLimiterSpec>> {
    const { limiter, variant } = await this.#surveyed(name, variantName);
    return rateLimiterSpec(limiter, variant, { ...CONFIGURED, ...bucket });
  }

  async drive(name: string, variantName: string, options: DriveOptions) {
    const { burst, change = {}, configured = CONFIGURED, env = {}, scenarios } = options;
    const { target = (found) => found } = options;
    const bucket = { ...configured, ...(burst !== undefined && { burst }) };
    const { limiter, variant } = await this.#surveyed(name, variantName);
    const app = await install(limiter, { progress: () => undefined });
    const started = await startLimiter({
      supervisor: this.supervisor,
      limiter,
      variant: { ...variant, env: { ...variant.env, ...env } },
      app,
      ...bucket,
      count: 3,
      redisUrl: `redis://${this.redis.host}:${this.redis.port}`,
      folder: this.supervisor.temporaryFolder(`${name}-${variantName}`),
    });
    const mapped = await this.specOf(name, variantName, bucket);
    const health = { ...mapped.health, timeout: '5s' };
    const found: SurveyedTarget = {
      pods: started.map(({ name: pod, ip: host, port }) => ({ name: pod, host, port })),
      redis: { podName: 'redis-0', host: this.redis.host, port: this.redis.port, tls: false },
    };
    const driver = new DrivenLimiter({
      ...(await target(found)),
      spec: limiterSpec({ ...mapped, health, ...change }, scenarios),
    });
    const close = async (): Promise<void> => {
      await driver.close();
      await stopLimiter(started);
    };
    return { driver, close, key: `demo-http-${process.pid}-${(this.#keys += 1)}` };
  }

  async #surveyed(name: string, variantName: string) {
    const limiter = await loadLimiter(name);
    const variant = limiter.variants.find((candidate) => candidate.name === variantName);
    if (!variant) throw new Error(`the survey has no ${name} ${variantName}`);
    return { limiter, variant };
  }
}
