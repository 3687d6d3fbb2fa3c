/** How fast 1,000 new objects get their first status, beside the same statuses stored by nothing but a loop. */
import type { Benchmark } from '../benchmark.ts';
import { reconciles } from '../operator-metrics.ts';
import { spanOf } from '../statistics.ts';
import { names, type World } from '../world.ts';

const OBJECTS = 1000;
/** As the operator's --concurrency, its default. */
const CONCURRENCY = 16;
/** Decided on from the object alone, so that neither Redis nor discovery is part of it. */
const SPEC = { suspend: true };

export const throughput: Benchmark = {
  name: 'throughput',
  what: 'reconciles per second for 1,000 new objects, beside raw status applies per second',
  async run({ world: start, say }) {
    const world = await start();
    say(`creating ${OBJECTS} suspended objects without an operator, then starting it`);
    const operator = await byOperator(world);
    say(`storing the same status ${OBJECTS} times by a loop, without an operator`);
    const raw = await byLoop(world, operator.status);
    await world.operator.start();
    await world.untilLeading();
    const note = `${OBJECTS} suspended objects, ${CONCURRENCY} at a time, from the first status seen to the last`;
    return [
      {
        what: 'new objects brought to a first status',
        value: operator.perSecond,
        unit: '/s',
        beside: { what: 'raw status applies by the same client', value: raw },
        note,
      },
      {
        what: 'reconciles for each new object',
        value: operator.reconciles / OBJECTS,
        unit: '',
        note: 'one decides and stores; the other looks at what the watch tells of that',
      },
    ];
  },
};

/** Objects by second, reconciles in all, and the status that one of them got. Leaves no object and no operator. */
async function byOperator(world: World) {
  const all = names('throughput', OBJECTS);
  let moments: number[] = [];
  await world.restartOperator(async () => {
    await world.forEach(all, async (name) => void (await world.create(name, SPEC)));
  });
  moments = await untilStatus(world, all);
  await world.until(
    'the queue to be empty',
    async () => (await world.metrics()).get('chaosdemo_queue_depth') === 0,
  );
  const total = reconciles(await world.metrics());
  const { demo } = await world.demos.until(all[0] as string, 'to be there', () => true);
  await world.operator.stop();
  await world.delete(all);
  return { perSecond: perSecond(moments), reconciles: total, status: demo.status ?? {} };
}

/** Statuses stored by second. Leaves no object. */
async function byLoop(world: World, status: object): Promise<number> {
  const all = names('loop', OBJECTS);
  await world.forEach(all, async (name) => void (await world.create(name, SPEC)));
  const seen = untilStatus(world, all);
  await world.forEach(
    all,
    async (name) => {
      const { demo } = await world.demos.until(name, 'to appear', () => true);
      await world.storeStatus(demo, status);
    },
    CONCURRENCY,
  );
  const moments = await seen;
  await world.delete(all);
  return perSecond(moments);
}

async function untilStatus(world: World, all: readonly string[]): Promise<number[]> {
  const seen = await Promise.all(
    all.map((name) =>
      world.demos.until(
        name,
        'to get its first status',
        (demo) => (demo.status?.observedGeneration ?? -1) > 0,
      ),
    ),
  );
  return seen.map(({ at }) => at);
}

function perSecond(moments: readonly number[]): number {
  return ((moments.length - 1) / spanOf(moments)) * 1000;
}
