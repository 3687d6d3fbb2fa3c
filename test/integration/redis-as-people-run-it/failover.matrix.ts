/** Real failovers by real Sentinels, begun by an operator: the results for limiters, and runs that end early. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChaosDemoStatus } from '../../../src/api/index.ts';
import { keepingTime, withoutRealTime } from '../../kit/pace.ts';
import { conditionText, isConfirmed, scenarioOf } from '../../kit/status.ts';
import { World } from '../../kit/world.ts';
import { FailingOver } from './support/failing-over.ts';

const names = ['one', 'other'].map((name) => `failover-${name}-${randomBytes(4).toString('hex')}`);

let world: World;
let one: FailingOver;
let other: FailingOver;
beforeAll(async () => {
  world = await World.start('strict', { otherNamespaces: names });
  const { supervisor } = world.environment;
  const start = (namespace = ''): Promise<FailingOver> => FailingOver.start(world, namespace, supervisor);
  [one, other] = await Promise.all([start(names[0]), start(names[1])]);
});
afterAll(async () => {
  one?.close();
  other?.close();
  await world?.stop();
});

/** Waits for this refusal, since Sentinels may not agree yet after the last failover; no run begins. */
async function expectRefusal(name: string, spec: object, refusal: RegExp): Promise<void> {
  await one.applySpec(name, spec);
  const status = await one.untilStatus(name, String(refusal), (now) =>
    refusal.test(`${conditionText(now, 'Stalled')}: ${now.message}`),
  );
  expect(status.run).toBeUndefined();
  await one.remove(name);
}

/** Waits until it is proven that the failover has begun. @throws if the run ends without that */
async function untilFailover(of: FailingOver, name: string): Promise<void> {
  const status = await of.untilStatus(
    name,
    'the failover',
    (now) => isConfirmed(now) || now.run?.completedAt !== undefined,
  );
  if (!isConfirmed(status)) throw new Error(status.message);
}

const isAnnounced = ({ scenarios }: ChaosDemoStatus): boolean => scenarios?.[0]?.fault !== undefined;

describe.skipIf(withoutRealTime)('a failover by an operator', () => {
  it('loses counts of a limiter that follows; one with a fixed address stays stale', (context) =>
    keepingTime(async () => {
      await Promise.all([one.startLimiter('BySentinel'), other.startLimiter('ToAddress')]);
      await one.applySpec('run', one.spec({ accept: ['Enforces', 'Forgets'] }));
      await other.applySpec('run', other.spec());
      const [follows, stays] = (await Promise.all([one.ended('run'), other.ended('run')])).map((status) =>
        scenarioOf(status),
      );
      expect(follows).toMatchObject({
        result: 'Held',
        summary: expect.stringMatching(/^Forgets, 20 of 10 /),
        fault: { proof: 'Confirmed' },
      });
      expect(follows?.measures).toMatchObject({ overAdmission: 10 });
      expect(follows?.evidence?.join()).toMatch(/For at least \d{4,5} ms, .* took writes; .*redis-0 .*lost/);
      expect(stays).toMatchObject({
        result: 'Violated',
        summary: 'Enforces; no recovery in 2s',
        fault: {
          proof: 'Confirmed',
          message: expect.stringMatching(/redis-1 .* took a write .* redis-0 .*replica/),
        },
      });
      for (const each of [one, other]) {
        expect(await each.failovers()).toBe(1);
        expect(await each.roles()).toEqual(['slave', 'master']);
      }
    })(context));

  it('is prevented by an abort before it, and neither undone nor repeated after it', (context) =>
    keepingTime(async () => {
      await Promise.all([one.startLimiter('BySentinel'), other.startLimiter('BySentinel')]);
      await one.applySpec('killed', one.spec({ fault: { type: 'Failover', duration: '15s' } }));
      await untilFailover(one, 'killed');
      await world.killOperator();
      await world.operator.start();

      await other.applySpec('early', other.spec({}, { countdown: '20s' }));
      await other.untilStatus('early', 'the announcement', isAnnounced);
      await other.annotate('early', 'abort', '1');
      expect((await other.ended('early')).phase).toBe('Aborted');
      expect(await other.failovers()).toBe(1);

      await other.applySpec('late', other.spec());
      await untilFailover(other, 'late');
      await other.annotate('late', 'abort', '1');
      const late = await other.ended('late');
      const { message, phase } = late;
      // The former primary is no replica yet.
      expect(scenarioOf(late).fault?.endedAt).toBeUndefined();
      expect(phase).toBe('Aborted');
      expect(message).toMatch(/a real write was accepted.* failover of redis-1 .* cannot be undone/);
      // Of its own failovers, a process knows more than their claims.
      expect(message).not.toContain('earlier process');
      expect(await other.failovers()).toBe(2);

      const over = (now: ChaosDemoStatus): boolean =>
        conditionText(now, 'FaultActive')?.startsWith('False') ?? false;
      await other.untilStatus('late', 'no active fault', over);

      const killed = await one.ended('killed');
      expect(killed.phase).toBe('Errored');
      expect(killed.message).toMatch(/earlier process may have begun a failover .*cannot be undone/);
      const { result = 'Inconclusive', retries } = scenarioOf(killed);
      expect({ result, retries }).toEqual({ result: 'Inconclusive' });
      expect(await one.failovers()).toBe(2);
    })(context));
});

describe('a spec with a failover', () => {
  it('is rejected without permission, Sentinels, rights or time, with what to change', async () => {
    await one.startLimiter('BySentinel');
    const before = await one.failovers();
    const unpermitted = one.spec({ redis: { failover: 'Forbid' } });
    await expect(one.applySpec('unpermitted', unpermitted)).rejects.toThrow(/redis\.failover to Allow/);
    const first = { ...one.spec(), scenarios: [...one.scenarios(), ...one.scenarios({ name: 'second' })] };
    await expectRefusal('first', first, /True UnprovableSpec: scenario failover .*the last scenario/);
    const short = one.spec({ fault: { type: 'Failover', duration: '10s' } });
    await expectRefusal('short', short, /True UnprovableSpec: .*duration to at least 15s/);
    const blind = one.spec({ sentinel: { authSecretName: 'reading-auth' } });
    await expectRefusal(
      'blind',
      blind,
      /True RedisUnreachable: Sentinel sentinel-81 .*ACL SETUSER <username> \+sentinel\|failover/,
    );
    expect(await one.failovers()).toBe(before);
  });
});
