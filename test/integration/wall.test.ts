/**
 * What servers of one namespace send that takes long to read, all of it at once, and then a thread of that namespace
 * that hardly ever runs: meanwhile the lease of the leader is renewed as that of another operator, and runs of another
 * namespace end. The servers are in this process, the operators are not.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Lease, resourcePath } from '@chaosdemo/kube-runtime';
import { type PodSpec, registerPods, serviceObject } from '@chaosdemo/testbed';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Answers,
  bulk,
  INFO,
  serverWith,
} from '../../packages/redis-faults/src/testing/answering-redis.fixture.ts';
import { limiterPods } from '../../src/local/target.ts';
import { ONE_BURST, rateLimiterOf } from '../kit/demo.ts';
import { Demos } from '../kit/demos.ts';
import { type Disturbance, DisturbedCells } from '../kit/disturbed-cells.ts';
import { folderOfFile } from '../kit/folder.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { isConfirmed, scenarioOf } from '../kit/status.ts';
import { World } from '../kit/world.ts';
import { asAdmin } from './support/outcome.ts';

const ATTACKER = 'wall-attacker';
const SERVERS = 16;

const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);
const times = (count: number, part: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => part(i)).join('');
const clients = (rest: string) => (address: string) => bulk(`addr=${address} ${rest}`);
const ofCluster = (slots: string, flags = ''): Answers => ({
  INFO: bulk(INFO.replace('standalone', 'cluster')),
  CLUSTER: bulk(`${'a'.repeat(40)} 127.0.0.1:1@2 myself,master${flags} - 0 0 1 connected${slots}\n`),
});
const client = (i: number): string =>
  `id=${i} addr=10.9.${i >> 8}.${i & 255}:1 name=worker-${i} flags=N cmd=get user=${'u'.repeat(180)}\n`;

const ATTACKS: Readonly<Record<string, Answers>> = {
  'many-clients': { CLIENT: clients(`\n${times(4000, client)}`) },
  'many-fields': { CLIENT: clients(times(110_000, (i) => `f${i}=1 `)) },
  'many-lines': { CLIENT: clients(`\n${'a\n'.repeat(500_000)}`) },
  'long-address': { CLIENT: clients(`\naddr=[${':'.repeat(1_000_000)}]:1 cmd=get`) },
  'many-ranges': ofCluster(times(50_000, () => ' 1 [1->-x]')),
  'all-slots': ofCluster(' 0-16383'.repeat(4000)),
  'many-flags': ofCluster('', ',fail'.repeat(50_000)),
  'many-facts': { INFO: bulk(INFO + times(90_000, (i) => `f${i}:1\n`)) },
  'empty-lines': { INFO: bulk(INFO + '\n'.repeat(1_000_000)) },
  'long-role': { INFO: bulk(INFO.replace('role:master', `role:${'é'.repeat(400_000)}`)) },
};

function leasePath(system: string): string {
  const lease = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };
  return resourcePath(lease, { namespace: system, name: 'chaosdemo-operator' });
}

describe.skipIf(withoutRealTime)('attacks of another namespace', () => {
  let world: World;
  /** With an operator that is not attacked: the machine delays it as much. */
  let control: World;
  const cells = new DisturbedCells(folderOfFile());
  beforeAll(async () => {
    [world, control] = await Promise.all([
      World.start('strict', { otherNamespaces: [ATTACKER], program: cells.program }),
      World.start('strict'),
    ]);
    // It loads code, and takes the first cell.
    await runTimes('before', 1);
  });
  afterAll(() => Promise.all([world?.stop(), control?.stop()]));

  /** A Service and a ChaosDemo for each attack, over so many servers. */
  async function attack(): Promise<Demos> {
    const { controlPlane, limiters } = world.environment;
    const { kubectl } = controlPlane;
    const pods: PodSpec[] = [];
    const services: object[] = [];
    for (const [name, answers] of Object.entries(ATTACKS)) {
      const labels = { attack: name };
      const target = { namespace: ATTACKER, name, selector: labels, port: 6379, targetPort: 'redis' };
      services.push(serviceObject(target));
      for (let i = 0; i < SERVERS; i += 1) {
        const { host: ip, port: number } = await serverWith(answers);
        const image = { container: 'redis', image: 'local/redis:8', imageId: 'local/redis@sha256:8' };
        const port = { name: 'redis', number };
        pods.push({
          namespace: ATTACKER,
          name: `${name}-${i}`,
          labels,
          ...image,
          port,
          ip,
          pid: process.pid,
        });
      }
    }
    await Promise.all([
      registerPods(kubectl, [...pods, ...limiterPods(ATTACKER, limiters)]),
      kubectl.apply(services),
    ]);
    const demos = new Demos(world.client, ATTACKER);
    for (const service of Object.keys(ATTACKS)) {
      for (const nth of [1, 2]) {
        const redis = { serviceName: service, otherClients: 'Allow' };
        const rateLimiter = { ...rateLimiterOf(), redis };
        await demos.applySpec(`${service}-${nth}`, { ...ONE_BURST, rateLimiter });
      }
    }
    return demos;
  }

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

  it(
    'delay no renewal of the lease, and runs of others end',
    keepingTime(async () => {
      const demos = await attack();
      const over = new AbortController();
      const gaps = Promise.all([world, control].map((where) => longestGap(where, over.signal)));
      await runTimes('attacked', 3);
      over.abort();
      const [gap = 0, usualGap = 0] = await gaps;
      for (const service of Object.keys(ATTACKS)) {
        expect((await demos.status(`${service}-1`)).conditions?.[0]?.reason).toBeDefined();
      }
      // How long the runs take is not compared: an attacked process has more to do on a busy machine.
      expect(gap).toBeLessThan(usualGap + 300);
    }, Number.POSITIVE_INFINITY),
  );

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
        const pauses = () =>
          asAdmin(world, async (redis) =>
            Number(/client\|pause:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0),
          );
        const before = await pauses();
        const storeOutage = { fault: { type: 'Stall', duration: '6s' }, callerTimeout: '1s', settle: '2s' };
        await world.applySpec(name, { scenarios: [{ name: 'outage', type: 'StoreOutage', storeOutage }] });
        await world.untilStatus(name, 'the fault', isConfirmed);
        expect(await cells.disturb(what)).toBe(true);
        const status = await world.ended(name);
        expect(await readFile(world.operator.process.logFile, 'utf8')).toMatch(logged);
        expect(scenarioOf(status)).toMatchObject({ result: 'Inconclusive', attempts: 1 });
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
