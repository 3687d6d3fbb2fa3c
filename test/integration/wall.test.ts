/**
 * Servers of one namespace send what takes long to read, and then a thread of that namespace hardly ever runs. During
 * that, the lease of the leader is renewed as that of another operator, its memory fits into the shipped pod, and runs of
 * another namespace end. The servers are in this process, the operators are not.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { LEASES, type Lease, resourcePath } from '@chaosdemo/kube-runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callsOf } from '../kit/calls-of.ts';
import { ONE_BURST } from '../kit/demo.ts';
import { Demos } from '../kit/demos.ts';
import { type Disturbance, DisturbedCells } from '../kit/disturbed-cells.ts';
import { folderOfFile } from '../kit/folder.ts';
import { ATTACKS, plantAttacks } from '../kit/hostile-tenant.ts';
import { isNightly, rows } from '../kit/nightly.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { isConfirmed, scenarioOf } from '../kit/status.ts';
import { until } from '../kit/until.ts';
import { World } from '../kit/world.ts';
import { asAdmin } from './support/outcome.ts';

/** Of the shipped pod. */
const LIMIT_MIB = 512;

const roundOf = (title: string, attacks: readonly string[]) => ({
  title,
  attacks,
  namespace: `wall-attacker-${title.replaceAll(' ', '-')}`,
});
const ALL = roundOf('all at once', Object.keys(ATTACKS));
const ONE_BY_ONE = rows(ALL.attacks, 0).map((title) => roundOf(title, [title]));

const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);

function leasePath(system: string): string {
  return resourcePath(LEASES, { namespace: system, name: 'chaosdemo-operator' });
}

describe.skipIf(withoutRealTime)('attacks of another namespace', () => {
  let world: World;
  /** With an operator that is not attacked: the machine delays it as much. */
  let control: World;
  /** Memory of the operator before any attack; MiB. */
  let restingMib: number;
  const cells = new DisturbedCells(folderOfFile());
  beforeAll(async () => {
    const otherNamespaces = [ALL, ...ONE_BY_ONE].map(({ namespace }) => namespace);
    [world, control] = await Promise.all([
      World.start('strict', { otherNamespaces, program: cells.program }),
      World.start('strict'),
    ]);
    // It loads code, and takes the first cell.
    await runTimes('before', 1);
    restingMib = (await memory()).now;
  });
  afterAll(() => Promise.all([world?.stop(), control?.stop()]));

  /** The longest time between two renewals of the lease of an operator until `over` is aborted; milliseconds. */
  async function longestGap({ client, environment }: World, over: AbortSignal): Promise<number> {
    const path = leasePath(environment.system);
    const renewals = new Set<number>();
    for (; !over.aborted; await sleep(50)) {
      const { spec } = await client.request<Lease>({ method: 'GET', path });
      renewals.add(Date.parse(spec?.renewTime ?? ''));
    }
    const at = [...renewals];
    return Math.max(...at.slice(1).map((time, i) => time - (at[i] ?? 0)));
  }

  /** How long runs take, one after another, of the operator that is attacked, and of the other at the same time; ms. */
  async function runTimes(name: string, count: number): Promise<{ attacked: number; usual: number }> {
    const timesOf = async (where: World): Promise<number[]> => {
      const took: number[] = [];
      for (let i = 0; i < count; i += 1) {
        const from = performance.now();
        await where.applySpec(`${name}-${i}`, ONE_BURST);
        await where.ended(`${name}-${i}`);
        took.push(performance.now() - from);
      }
      return took;
    };
    const [attacked = [], usual = []] = await Promise.all([world, control].map(timesOf));
    return { attacked: sum(attacked), usual: sum(usual) };
  }

  /** Memory of the operator that is attacked, now and at most so far; MiB. */
  async function memory(): Promise<{ now: number; most: number }> {
    const text = await readFile(`/proc/${world.operator.process.pid}/status`, 'utf8');
    const of = (field: string): number =>
      Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(text)?.[1]) / 1024;
    return { now: of('VmRSS'), most: of('VmHWM') };
  }

  const withstand = ({ attacks, namespace }: typeof ALL) =>
    keepingTime(async ({ onTestFinished }) => {
      const { kubectl } = world.environment.controlPlane;
      const { demos, stop } = await plantAttacks({ client: world.client, kubectl, namespace }, attacks);
      onTestFinished(stop);
      const over = new AbortController();
      const gaps = Promise.all([world, control].map((where) => longestGap(where, over.signal)));
      await runTimes(namespace, 3);
      over.abort();
      const [gap = 0, usualGap = 0] = await gaps;
      for (const service of attacks) {
        expect((await demos.status(`${service}-1`)).conditions?.[0]?.reason).toBeDefined();
      }
      // How long the runs take is not compared: an attacked process has more to do on a busy machine.
      expect(gap).toBeLessThan(usualGap + 300);
      expect((await memory()).most).toBeLessThan(LIMIT_MIB);
    }, Number.POSITIVE_INFINITY);

  it('delay no renewal of the lease, and runs of others end: all at once', withstand(ALL));

  it(
    'delay no runs of others if they stop their own thread again and again',
    keepingTime(async () => {
      let isOver = false;
      const stopping = (async () => {
        let stops = 0;
        for (; !isOver; stops += 1) expect(await cells.disturb('freeze 900', 1)).toBe(true);
        return stops;
      })();
      const { attacked, usual } = await runTimes('beside', 3).finally(() => {
        isOver = true;
      });
      expect(await stopping).toBeGreaterThan(1);
      // In that thread, they would not end.
      expect(attacked).toBeLessThan(usual * 3);
    }, Number.POSITIVE_INFINITY),
  );

  it.runIf(isNightly)('leave the memory at rest a minute after their end', async () => {
    await new Demos(world.client, ALL.namespace).deleteAll();
    const isAtRest = async (): Promise<boolean> => (await memory()).now < restingMib * 1.2;
    await until(isAtRest, { what: 'memory to be at rest', deadlineMs: 60_000, everyMs: 1000 });
  });

  it.for(ONE_BY_ONE)(
    'delay no renewal of the lease, and runs of others end: $title',
    async (round, context) => {
      await withstand(round)(context);
      await new Demos(world.client, round.namespace).deleteAll();
    },
  );
});

const DISTURBANCES: { how: string; what: Disturbance; logged: RegExp }[] = [
  { how: 'stands still', what: 'hang', logged: /ended a thread .*did not handle its events/ },
  { how: 'ends', what: 'end', logged: /ended a thread .*: it ended/ },
];

describe.skipIf(withoutRealTime)('a thread of runs that goes down in a fault', () => {
  let world: World;
  const cells = new DisturbedCells(folderOfFile());
  beforeAll(async () => {
    world = await World.start('strict', { program: cells.program });
  });
  afterAll(() => world?.stop());

  it.for(DISTURBANCES)(
    'since it $how: the lease stays, and its fault ends in time and is not repeated',
    ({ how, what, logged }, context) =>
      keepingTime(async () => {
        const name = how.replace(' ', '-');
        const pauses = () => asAdmin(world, (redis) => callsOf(redis, 'client|pause'));
        const before = await pauses();
        const storeOutage = { fault: { type: 'Stall', duration: '6s' }, callerTimeout: '1s', settle: '2s' };
        await world.applySpec(name, { scenarios: [{ name: 'outage', type: 'StoreOutage', storeOutage }] });
        await world.untilStatus(name, 'the fault', isConfirmed);
        expect(await cells.disturb(what)).toBe(true);
        const status = await world.ended(name);
        expect(await readFile(world.operator.process.logFile, 'utf8')).toMatch(logged);
        expect(scenarioOf(status)).toMatchObject({ result: 'Inconclusive' });
        expect(scenarioOf(status)).not.toHaveProperty('retries');
        expect((await pauses()) - before).toBe(1);
        expect(await world.takesWrites()).toBe(true);
        await world.untilNoLeases();
        // The process never stopped to lead.
        const { spec } = await world.client.request<Lease>({
          method: 'GET',
          path: leasePath(world.environment.system),
        });
        expect(spec?.leaseTransitions).toBe(0);
      })(context),
  );
});
