/** What becomes of a pause where its proof is broken by a real cause, as it stands in the status at the end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { behindGateways, startGateways } from './support/gateways.ts';
import { asAdmin, drift, expectInconclusive, undoPauses, untilPaused } from './support/outcome.ts';
import { keepingTime, withoutRealTime } from './support/pace.ts';
import { until } from './support/until.ts';
import { World } from './support/world.ts';

/** Longer than a watch may have a gap, much shorter than the pause. */
const STANDSTILL_MS = 2500;

// A strict limiter never drifts, so that nothing but the cause decides.
describe.skipIf(withoutRealTime)('a pause on a strict limiter', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start('strict');
  });
  afterAll(() => world?.stop());
  afterEach(async () => {
    await world.kubectl('delete', 'chaosdemo', '--all', '--timeout=60s');
  });

  it(
    'is proven to change nothing, which is what was expected',
    keepingTime(async () => {
      await world.applySpec('held', { scenarios: [drift({ expect: 'NotDetected' })] });
      const status = await world.ended('held');
      expect(status.scenarios).toMatchObject([{ result: 'NotDetected', observed: 0 }]);
      expect(status.run?.verdict).toMatchObject({ phase: 'Succeeded' });
    }),
  );

  it(
    'meets the expectation Any where it is proven to change nothing',
    keepingTime(async () => {
      await world.applySpec('any', { scenarios: [drift({ expect: 'Any' })] });
      expect(await world.ended('any')).toMatchObject({
        phase: 'Succeeded',
        asExpected: '1/1',
        scenarios: [{ result: 'NotDetected' }],
      });
    }),
  );

  it(
    'does not bite where the user of Redis has no right to it',
    keepingTime(async () => {
      const { operator } = world.environment.redisUsers;
      await asAdmin(world, async (redis) => {
        const rights = [
          '+client|unpause',
          '+client|list',
          '+ping',
          '+info',
          '+time',
          '+set',
          '+get',
          '+hgetall',
        ];
        const keys = ['~chaosdemo:probe:*', '%R~rl:*', 'resetchannels'];
        await redis.call(
          'ACL',
          'SETUSER',
          'helpless',
          'on',
          `>${operator.password}`,
          '-@all',
          ...rights,
          ...keys,
        );
      });
      const { controlPlane, namespace } = world.environment;
      await controlPlane.kubectl.apply([
        {
          apiVersion: 'v1',
          kind: 'Secret',
          type: 'chaosdemo.dev/redis-auth',
          metadata: { name: 'helpless', namespace },
          stringData: { username: 'helpless', password: operator.password },
        },
      ]);
      const pauses = await world.pauses();
      const rateLimiter = {
        selector: { matchLabels: { 'app.kubernetes.io/name': 'ratelimiter' } },
        redis: { service: { name: 'redis' }, authSecretRef: { name: 'helpless' } },
      };
      await world.applySpec('helpless', { subject: { rateLimiter }, scenarios: [drift()] });
      const { fault } = await expectInconclusive(world, 'helpless', 'FaultNotProven', /NOPERM.*grant it/);
      expect(fault).toMatchObject({ proof: 'Mismatch' });
      expect(fault?.startedAt).toBeUndefined();
      expect(await world.pauses()).toBe(pauses);
    }),
  );

  it(
    'does not bite where somebody releases Redis as soon as it is paused',
    keepingTime(async () => {
      await world.applySpec('undone', { scenarios: [drift({ countdown: '2s' })] });
      await world.untilStatus('undone', 'the countdown', ({ chapter }) => /countdown/.test(chapter ?? ''));
      const stop = undoPauses(world);
      onTestFinished(stop);
      const { fault } = await expectInconclusive(
        world,
        'undone',
        'FaultNotProven',
        /said OK to CLIENT PAUSE and took a write.*somebody else sends CLIENT UNPAUSE/,
      );
      expect(fault).toMatchObject({ proof: 'Mismatch' });
    }),
  );

  it(
    'proves nothing where somebody releases Redis in mid-pause, whatever was expected',
    keepingTime(async () => {
      await world.applySpec('released', { scenarios: [drift({ expect: 'Any' })] });
      await untilPaused(world, 'released');
      await asAdmin(world, (redis) => redis.call('CLIENT', 'UNPAUSE'));
      const { fault } = await expectInconclusive(
        world,
        'released',
        'EvidenceIncomplete',
        /the fault ended \d+ ms before its time/,
      );
      expect(fault?.message).toMatch(/before its planned end: somebody sent CLIENT UNPAUSE/);
    }),
  );

  it(
    'proves nothing where Redis is restarted in mid-pause, and says that it was',
    keepingTime(async () => {
      await world.applySpec('restarted', { scenarios: [drift()] });
      await untilPaused(world, 'restarted');
      await world.environment.redis.restart();
      const { evidence } = await expectInconclusive(
        world,
        'restarted',
        'EvidenceIncomplete',
        /the fault ended \d+ ms before its time/,
      );
      expect(evidence?.join('\n')).toMatch(/connection of the held write was lost: Redis was restarted/);
    }),
  );

  it(
    'proves nothing where a pod refuses the traffic, and says which',
    keepingTime(async () => {
      const gateways = await startGateways(world, (pod, _, path) =>
        pod === 1 && path === '/check' ? 'refuse' : 'pass',
      );
      onTestFinished(() => gateways.stop());
      await world.applySpec('refusing', { subject: behindGateways(gateways), scenarios: [drift()] });
      const missing = /gateway-[0-9a-f]+-1 answered 0 checks within the fault, 10 are needed/;
      const { message } = await expectInconclusive(world, 'refusing', 'EvidenceIncomplete', missing);
      expect(message).not.toMatch(/gateway-[0-9a-f]+-0 answered/);
    }),
  );

  it(
    'proves nothing where a pod holds back its answers once it has given enough of them',
    keepingTime(async () => {
      let checks = 0;
      const gateways = await startGateways(world, (pod, _, path) =>
        pod === 1 && path === '/check' && (checks += 1) > 30 ? 'never' : 'pass',
      );
      onTestFinished(() => gateways.stop());
      // Longer than pause and settle together: when it is judged, nothing was given up yet.
      const subject = behindGateways(gateways, { health: { pollInterval: '500ms', timeout: '10s' } });
      await world.applySpec('holding', { subject, scenarios: [drift({ expect: 'NotDetected' })] });
      const missing = /\d+ requests without a proper answer could tip it/;
      const { message } = await expectInconclusive(world, 'holding', 'EvidenceIncomplete', missing);
      expect(message).not.toMatch(/are needed|no complete counter sample/);
    }),
  );

  it(
    'proves nothing where the watch has a gap since a limiter stood still',
    keepingTime(async () => {
      await world.applySpec('frozen', { scenarios: [drift()] });
      await untilPaused(world, 'frozen');
      const [limiter] = world.environment.limiters;
      limiter?.process.kill('SIGSTOP');
      await sleep(STANDSTILL_MS);
      limiter?.process.kill('SIGCONT');
      const missing = /no complete counter sample for \d+ ms \(ratelimiter-0: .*not answered/;
      await expectInconclusive(world, 'frozen', 'EvidenceIncomplete', missing);
    }),
  );

  it(
    'proves nothing where the watch has a gap since the operator stood still',
    keepingTime(async () => {
      await world.applySpec('blind', { scenarios: [drift()] });
      await untilPaused(world, 'blind');
      world.operator.process.kill('SIGSTOP');
      await sleep(STANDSTILL_MS);
      world.operator.process.kill('SIGCONT');
      const missing = /no complete counter sample for \d+ ms/;
      await expectInconclusive(world, 'blind', 'EvidenceIncomplete', missing);
    }),
  );

  it(
    'proves nothing where the operator was restarted meanwhile',
    keepingTime(async () => {
      await world.applySpec('forgotten', { scenarios: [drift()] });
      await untilPaused(world, 'forgotten');
      world.operator.process.kill('SIGKILL');
      await world.operator.process.exited;
      await world.operator.start();
      const missing = /The operator was restarted while the invariant had to be watched/;
      await expectInconclusive(world, 'forgotten', 'ObservationLost', missing);
    }),
  );

  it(
    'proves nothing where the window of its key ended during the watch',
    keepingTime(async () => {
      const counterDrift = { pause: '4s', requestsPerSecond: 60, settle: '3s' };
      await world.applySpec('rolled', { scenarios: [drift({ counterDrift })] });
      await untilPaused(world, 'rolled');
      const key = (await world.status('rolled')).journal?.faults?.[0]?.fixture;
      // Somebody sets the same limit anew, which starts another window as soon as Redis takes writes.
      const [limiter] = world.environment.limiters;
      const body = JSON.stringify({ key, limit: 10, window_sec: 60 });
      const headers = { 'content-type': 'application/json' };
      await until(async () => (await fetch(`${limiter?.url}/limit`, { method: 'POST', headers, body })).ok, {
        what: 'the limit to be set anew',
      });
      const missing = /the key's window ended, or a node lost the key, during the watch/;
      await expectInconclusive(world, 'rolled', 'EvidenceIncomplete', missing);
    }),
  );

  // The last one: the pod does not come back.
  it(
    'proves nothing where a pod vanished in mid-pause, and says which',
    keepingTime(async () => {
      await world.applySpec('vanished', { scenarios: [drift()] });
      await untilPaused(world, 'vanished');
      await world.environment.pods[2]?.delete();
      world.environment.limiters[2]?.process.kill('SIGKILL');
      const missing = /no complete counter sample|the watch broke off before its end/;
      const { message } = await expectInconclusive(world, 'vanished', 'EvidenceIncomplete', missing);
      expect(message).toContain('ratelimiter-2');
    }),
  );
});
