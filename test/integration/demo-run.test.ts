/** Whole runs on a whole environment: control plane, Redis, three rate limiters, the operator. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { ChaosDemo, ChaosDemoStatus } from '../../src/api/index.ts';
import { type Environment, startEnvironment } from '../../src/local/environment.ts';
import { type OperatorProcess, startOperator } from '../../src/local/operator.ts';
import { withoutRealTime } from './support/pace.ts';
import { until } from './support/until.ts';

const RUN_MS = 600_000;
const samples = new URL('../../manifests/samples/', import.meta.url);

class World {
  readonly environment: Environment;
  readonly operator: OperatorProcess;
  readonly redis: Redis;

  constructor(environment: Environment, operator: OperatorProcess) {
    this.environment = environment;
    this.operator = operator;
    const { host, port } = environment.redis;
    // Looks from outside, as the user of the limiters; connects only between runs, or it would be a stranger.
    const { username, password } = environment.redisUsers.limiter;
    this.redis = new Redis({ host, port, username, password, lazyConnect: true });
  }

  static async start(mode: 'approximate' | 'strict'): Promise<World> {
    const environment = await startEnvironment({ mode, onProgress: () => {} });
    return new World(environment, await startOperator(environment));
  }

  async stop(): Promise<void> {
    this.redis.disconnect();
    await this.operator.stop();
    await this.environment.stop();
  }

  async apply(file: string, name: string): Promise<void> {
    const demo = parse(await readFile(fileURLToPath(new URL(file, samples)), 'utf8')) as ChaosDemo;
    await this.environment.controlPlane.kubectl.apply([{ ...demo, metadata: { ...demo.metadata, name } }]);
  }

  async status(name: string): Promise<ChaosDemoStatus> {
    const { controlPlane, namespace } = this.environment;
    const demo = await controlPlane.kubectl.json<ChaosDemo>(['-n', namespace, 'get', 'chaosdemo', name]);
    return demo.status ?? {};
  }

  async untilStatus(name: string, what: string, holds: (status: ChaosDemoStatus) => boolean) {
    return await until(
      async () => {
        const status = await this.status(name);
        return holds(status) ? status : undefined;
      },
      { deadlineMs: RUN_MS, what },
    );
  }

  ended(name: string): Promise<ChaosDemoStatus> {
    return this.untilStatus(name, `the verdict of ${name}`, ({ run }) => run?.completedAt !== undefined);
  }
}

describe.skipIf(withoutRealTime)('a demo on an approximate limiter', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start('approximate');
  });
  afterAll(() => world?.stop());

  it('succeeds: eleven chapters, both faults confirmed, both anomalies detected and explained', async () => {
    await world.apply('demo.yaml', 'whole');
    const status = await world.ended('whole');
    expect(status.run?.verdict).toMatchObject({ phase: 'Succeeded', reason: 'ExpectationsMet' });
    expect(status.chapters?.map(({ state }) => state)).toEqual(Array(11).fill('Completed'));
    expect(status.scenarios).toMatchObject([
      { type: 'CounterDrift', result: 'Detected', fault: { proof: 'Confirmed' } },
      { type: 'GhostAllowing', result: 'Detected', fault: { proof: 'Confirmed' }, summary: '20/10' },
    ]);
    expect(status.scenarios?.[0]?.observed).toBe(30);
    expect(status.diagnoses).toHaveLength(2);
    expect(JSON.stringify(status).length).toBeLessThan(32_768);
  });

  it.each([4, 5, 7, 8])(
    'ends rightly with at most one pause, and none left on, when the operator is killed in chapter %i',
    async (chapter) => {
      const name = `killed-in-${chapter}`;
      const pauses = await pausesOf(world);
      await world.apply('demo.yaml', name);
      await world.untilStatus(name, `chapter ${chapter}`, ({ progress }) => progress === `${chapter}/11`);
      world.operator.process.kill('SIGKILL');
      await world.operator.process.exited;
      await world.operator.start();
      const status = await world.ended(name);
      expect(status.phase).toMatch(/Succeeded|Errored/);
      if (chapter > 5) expect(status.phase).toBe('Succeeded');
      expect((await pausesOf(world)) - pauses).toBe(1);
      expect(
        await world.environment.controlPlane.kubectl.run(['-n', 'ratelimiter', 'get', 'leases']),
      ).not.toContain(name);
    },
  );
});

describe.skipIf(withoutRealTime)('a demo on a strict limiter', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start('strict');
  });
  afterAll(() => world?.stop());

  it('fails honestly where an anomaly was expected: it is proven absent', async () => {
    await world.apply('demo.yaml', 'expecting');
    const status = await world.ended('expecting');
    expect(status.run?.verdict).toMatchObject({ phase: 'Failed', reason: 'AnomalyNotReproduced' });
    expect(status.scenarios).toMatchObject([
      { result: 'NotDetected' },
      { result: 'NotDetected', summary: '10/10' },
    ]);
  });

  it('passes the gate that expects no anomaly', async () => {
    await world.apply('gate.yaml', 'gate');
    const status = await world.ended('gate');
    expect(status.run?.verdict).toMatchObject({ phase: 'Succeeded' });
    expect(status.scenarios).toMatchObject([{ result: 'NotDetected' }, { result: 'NotDetected' }]);
  });
});

/** How often Redis was paused since it started, by its own statistics; proves with a write that it is not paused now. */
async function pausesOf({ redis }: World): Promise<number> {
  await redis.connect();
  try {
    await redis.hset('rl:test:probe', 'x', '1');
    await redis.del('rl:test:probe');
    const [, calls = '0'] = /cmdstat_client\|pause:calls=(\d+)/.exec(await redis.info('commandstats')) ?? [];
    return Number(calls);
  } finally {
    redis.disconnect();
  }
}
