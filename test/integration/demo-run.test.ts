/** Whole runs on a whole environment: control plane, Redis, three rate limiters, the operator. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepingTime, withoutRealTime } from './support/pace.ts';
import { World } from './support/world.ts';

describe.skipIf(withoutRealTime)('a demo on an approximate limiter', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start('approximate');
  });
  afterAll(() => world?.stop());

  it(
    'succeeds: eleven chapters, both faults confirmed, both anomalies detected and explained',
    keepingTime(async () => {
      await world.apply('demo.yaml', 'whole');
      const status = await world.ended('whole');
      expect(status.run?.verdict).toMatchObject({ phase: 'Succeeded', reason: 'ExpectationsMet' });
      expect(status.chapters?.map(({ state }) => state)).toEqual(Array(11).fill('Completed'));
      expect(status.scenarios).toMatchObject([
        { type: 'CounterDrift', result: 'Detected', fault: { proof: 'Confirmed' } },
        { type: 'GhostAllowing', result: 'Detected', fault: { proof: 'Confirmed' } },
      ]);
      expect(status.scenarios?.[0]?.measures?.[0]?.value).toBe(30);
      expect(status.scenarios?.[1]?.summary).toMatch(/^(>= )?20\/10$/);
      expect(status.diagnoses).toHaveLength(2);
      expect(JSON.stringify(status).length).toBeLessThan(32_768);
    }),
  );

  it.for([4, 5, 7, 8])(
    'ends rightly with at most one pause, and none left on, when the operator is killed in chapter %i',
    (chapter, context) =>
      keepingTime(async () => {
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
      })(context),
  );
});

describe.skipIf(withoutRealTime)('a pause that a killed operator left on', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start('approximate');
  });
  afterAll(() => world?.stop());

  const pause = '60s';
  const spec = {
    subject: {
      rateLimiter: {
        selector: { matchLabels: { 'app.kubernetes.io/name': 'ratelimiter' } },
        redis: { service: { name: 'redis' }, authSecretRef: { name: 'redis-auth' } },
        limit: { window: '2m' },
      },
    },
    scenarios: [{ name: 'drift', type: 'CounterDrift', counterDrift: { pause } }],
  };
  const label = ['label', 'namespace', 'ratelimiter', '--overwrite'];
  const killSwitch = ['-n', 'chaosdemo-system', 'configmap', 'chaosdemo-kill-switch'];

  it.for([
    {
      reason: 'NamespaceNotEnabled',
      forbid: [...label, 'chaosdemo.dev/enabled=false'],
      allow: [...label, 'chaosdemo.dev/enabled=true'],
    },
    {
      reason: 'KillSwitch',
      forbid: ['create', ...killSwitch, '--from-literal=stop=true'],
      allow: ['delete', ...killSwitch],
    },
  ])(
    'is released by the next one, although nothing may run any more: $reason',
    ({ reason, forbid, allow }, context) =>
      keepingTime(async () => {
        const { kubectl } = world.environment.controlPlane;
        const name = reason.toLowerCase();
        await world.applySpec(name, spec);
        await world.untilStatus(
          name,
          'the pause',
          ({ scenarios }) => scenarios?.[0]?.fault?.proof === 'Confirmed',
        );
        world.operator.process.kill('SIGKILL');
        await world.operator.process.exited;
        await kubectl.run(forbid);
        try {
          await world.operator.start();
          const { run, scenarios } = await world.ended(name);
          expect(run?.verdict).toMatchObject({ phase: 'Aborted', reason });
          expect(run?.verdict?.message).toContain('released the pause of Redis');
          const { endedAt = '', until = '' } = scenarios?.[0]?.fault ?? {};
          expect(Date.parse(endedAt)).toBeLessThan(Date.parse(until));
          expect(await world.takesWrites()).toBe(true);
        } finally {
          await kubectl.run(allow);
        }
        await kubectl.run(['-n', 'ratelimiter', 'delete', 'chaosdemo', name, '--timeout=60s']);
      })(context),
  );
});

describe.skipIf(withoutRealTime)('a demo on a strict limiter', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start('strict');
  });
  afterAll(() => world?.stop());

  it(
    'fails honestly where an anomaly was expected: it is proven absent',
    keepingTime(async () => {
      await world.apply('demo.yaml', 'expecting');
      const status = await world.ended('expecting');
      expect(status.run?.verdict).toMatchObject({ phase: 'Failed', reason: 'AnomalyNotReproduced' });
      expect(status.scenarios).toMatchObject([
        { result: 'NotDetected' },
        { result: 'NotDetected', summary: '10/10' },
      ]);
    }),
  );

  it(
    'passes the gate that expects no anomaly',
    keepingTime(async () => {
      await world.apply('gate.yaml', 'gate');
      const status = await world.ended('gate');
      expect(status.run?.verdict).toMatchObject({ phase: 'Succeeded' });
      expect(status.scenarios).toMatchObject([{ result: 'NotDetected' }, { result: 'NotDetected' }]);
    }),
  );
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
