/**
 * How fast 1,000 new objects get their first status, compared with the same statuses stored by a loop, and by a
 * controller in Go.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { API_VERSION } from '../../src/api/index.ts';
import { ensureTool } from '../../tools/offline/programs.ts';
import type { Benchmark } from '../benchmark.ts';
import { forEach } from '../for-each.ts';
import { queueDepth, reconciles } from '../operator-metrics.ts';
import { spanOf } from '../statistics.ts';
import { names, type Testbed } from '../testbed.ts';

const OBJECTS = 1000;
/** As the operator's --concurrency, its default. */
const CONCURRENCY = 16;
/** Decided from the object only: without Redis and discovery. */
const SPEC = { suspend: true };

export const throughput: Benchmark = {
  name: 'throughput',
  what: 'first statuses of 1,000 new objects per second, compared with raw status applies and a Go controller',
  async run({ testbed: start, say, signal }) {
    const testbed = await start();
    say(`creating ${OBJECTS} suspended objects without an operator, then starting it`);
    const operator = await byOperator(testbed);
    say(`storing the same status ${OBJECTS} times by a loop, without an operator`);
    const raw = await byLoop(testbed, operator.status);
    const program = await ensureTool('go-controller', { progress: say, signal });
    say(`storing the same status ${OBJECTS} times by a Go controller`);
    const go = await byGoController(testbed, program, operator.status);
    await testbed.operator.start();
    await testbed.untilLeading();
    const note = `${OBJECTS} suspended objects, ${CONCURRENCY} at a time, from the first status seen to the last`;
    return [
      {
        what: 'new objects brought to a first status',
        value: operator.perSecond,
        unit: '/s',
        baseline: { what: 'raw status applies by the same client', value: raw },
        note,
      },
      {
        what: 'new objects brought to a first status',
        value: operator.perSecond,
        unit: '/s',
        baseline: { what: 'a Go controller (controller-runtime)', value: go },
        note,
      },
      {
        what: 'reconciles for each new object',
        value: operator.reconciles / OBJECTS,
        unit: '',
        note: 'one decides and stores; the other only recognises the version that the first has stored',
      },
    ];
  },
};

/** Objects by second, reconciles in all, and the status that one of them got. Leaves no object and no operator. */
async function byOperator(testbed: Testbed) {
  const all = names('throughput', OBJECTS);
  let moments: number[] = [];
  await testbed.restartOperator(async () => {
    await forEach(all, async (name) => void (await testbed.create(name, SPEC)));
  });
  moments = await untilStatus(testbed, all);
  await testbed.until('the queue to be empty', async () => queueDepth(await testbed.metrics()) === 0);
  const total = reconciles(await testbed.metrics());
  const { demo } = await testbed.watch.untilThere(all[0] as string);
  await testbed.operator.stop();
  await testbed.clear(all);
  return { perSecond: perSecond(moments), reconciles: total, status: demo.status ?? {} };
}

/** Statuses stored by second. Leaves no object. */
async function byLoop(testbed: Testbed, status: object): Promise<number> {
  const all = names('loop', OBJECTS);
  await forEach(all, async (name) => void (await testbed.create(name, SPEC)));
  const seen = untilStatus(testbed, all);
  await forEach(
    all,
    async (name) => {
      const { demo } = await testbed.watch.untilThere(name);
      await testbed.storeStatus(demo, status);
    },
    CONCURRENCY,
  );
  const moments = await seen;
  await testbed.clear(all);
  return perSecond(moments);
}

/** Statuses stored by second. The objects are there before the program starts. Leaves no object. */
async function byGoController(testbed: Testbed, program: string, status: object): Promise<number> {
  const all = names('go', OBJECTS);
  await forEach(all, async (name) => void (await testbed.create(name, SPEC)));
  const { controlPlane, supervisor } = testbed.environment;
  const folder = supervisor.temporaryFolder('go-controller');
  const file = join(folder, 'status.json');
  writeFileSync(file, JSON.stringify(status));
  const controller = await supervisor.start({
    name: 'go-controller',
    command: program,
    args: [
      `--kubeconfig=${controlPlane.kubeconfig}`,
      `--namespace=${testbed.namespace}`,
      `--api-version=${API_VERSION}`,
      `--status=${file}`,
      `--concurrency=${CONCURRENCY}`,
    ],
    logFile: join(folder, 'go-controller.log'),
  });
  const moments = await untilStatus(testbed, all);
  await controller.stop();
  await testbed.clear(all);
  return perSecond(moments);
}

async function untilStatus(testbed: Testbed, all: readonly string[]): Promise<number[]> {
  const seen = await Promise.all(all.map((name) => testbed.watch.untilFirstStatus(name)));
  return seen.map(({ at }) => at);
}

function perSecond(moments: readonly number[]): number {
  return ((moments.length - 1) / spanOf(moments)) * 1000;
}
