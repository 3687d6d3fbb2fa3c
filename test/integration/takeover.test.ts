/** Two operators: one leads and is frozen in the midst of a fault it has announced, the other takes over. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NO_COOLDOWN, type OperatorProcess, spawnOperator } from '../../src/local/operator.ts';
import { drift } from '../kit/demo.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { scenarioOf } from '../kit/status.ts';
import { until } from '../kit/until.ts';
import { World } from '../kit/world.ts';

describe.skipIf(withoutRealTime)('a leader that is frozen and wakes', () => {
  let world: World;
  let standby: OperatorProcess;
  beforeAll(async () => {
    world = await World.start('approximate');
    const { controlPlane, supervisor, system } = world.environment;
    await until(() => world.operator.process.logTail(100).includes('started leading'), { what: 'a leader' });
    standby = await spawnOperator({
      controlPlane,
      supervisor,
      account: { namespace: system, name: 'chaosdemo-operator' },
      args: [`--watch-namespaces=${world.namespace}`, '--identity=standby', NO_COOLDOWN],
    });
  });
  afterAll(async () => {
    await standby?.stop();
    await world?.stop();
  });

  it(
    'a thawed leader pauses and writes nothing, and leaves the lease',
    keepingTime(async () => {
      const pauses = await world.pauses();
      await world.applySpec('frozen', { scenarios: [drift({ countdown: '3s' })] });
      await world.untilStatus(
        'frozen',
        'an announcement',
        ({ scenarios }) => scenarios?.[0]?.fault !== undefined,
      );
      const { process: leader } = world.operator;
      leader.kill('SIGSTOP');
      await until(() => standby.process.logTail(1000).includes('started leading'), { what: 'a successor' });
      // The moment of the fault is over, and its successor has planned another; that is when the first one wakes.
      await world.untilStatus('frozen', 'another attempt', (status) => scenarioOf(status).attempts === 2);
      leader.kill('SIGCONT');
      await until(() => leader.logTail(1000).includes('stopped leading'), { what: 'the first to find out' });

      const status = await world.ended('frozen');
      expect(status.phase).toBe('Succeeded');
      expect((await world.pauses()) - pauses).toBe(1);
      expect(await world.takesWrites()).toBe(true);
      const lease = await world.environment.controlPlane.kubectl.json<{ spec: { holderIdentity: string } }>([
        '-n',
        world.environment.system,
        'get',
        'lease',
        'chaosdemo-operator',
      ]);
      expect(lease.spec.holderIdentity).toBe('standby');
      // Its last word on the run is from before it was frozen.
      const lines = leader.logTail(1000).split('\n');
      const woke = lines.findIndex((line) => line.includes('stopped leading'));
      expect(lines.slice(woke).filter((line) => line.includes('"chapter"'))).toEqual([]);
      await world.untilNoLeases();
    }),
  );
});
