/** From creating a ChaosDemo to its first status, compared with the event of its creation. */
import type { Benchmark, Row } from '../benchmark.ts';
import { quantile } from '../statistics.ts';
import { names, type Testbed } from '../testbed.ts';

const SUSPENDED = 50;
const STARTED = 15;

export const firstStatus: Benchmark = {
  name: 'first-status',
  what: 'create to first status, compared with create to its event at a watch',
  async run({ testbed: start, say }) {
    const testbed = await start();
    say(`creating ${SUSPENDED} suspended objects, one after the other`);
    const suspended = await measure(testbed, 'suspended', SUSPENDED, { suspend: true });
    say(`creating ${STARTED} objects that start a run`);
    const started = await measure(testbed, 'started', STARTED, { pace: { mode: 'Manual' } });
    return [
      ...rowsOf('suspended', 'decided from the object only', suspended),
      ...rowsOf('that starts a run', 'after looking at namespace, pods, Service, Secret and Redis', started),
    ];
  },
};

/** Both times of each object, in milliseconds from sending the request that creates it. */
interface Times {
  readonly event: number[];
  readonly status: number[];
}

async function measure(testbed: Testbed, prefix: string, count: number, spec: object): Promise<Times> {
  const times: Times = { event: [], status: [] };
  for (const name of names(prefix, count)) {
    const event = testbed.watch.untilThere(name);
    const status = testbed.watch.untilFirstStatus(name);
    const sentAt = performance.now();
    const [seen, stored] = await Promise.all([event, status, testbed.create(name, spec)]);
    times.event.push(seen.at - sentAt);
    times.status.push(stored.at - sentAt);
    await testbed.clear([name]);
  }
  return times;
}

function rowsOf(kind: string, note: string, { event, status }: Times): Row[] {
  return [['p50', 0.5] as const, ['p90', 0.9] as const].map(([title, share]) => ({
    what: `an object ${kind}: create to first status, ${title}`,
    value: quantile(status, share),
    unit: 'ms',
    baseline: { what: `create to its event at the same watch, ${title}`, value: quantile(event, share) },
    note: `${status.length} objects; ${note}`,
  }));
}
