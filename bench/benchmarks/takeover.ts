/** From kill -9 of the operator during a run until that run continues: by a restart, and by a standby. */
import { ELECTION_DEFAULTS } from '@chaosdemo/kube-runtime';
import { NO_COOLDOWN, startOperator } from '../../src/local/operator.ts';
import { waitingChapter } from '../../test/kit/status.ts';
import type { Benchmark, Row } from '../benchmark.ts';
import { quantile } from '../statistics.ts';
import type { Testbed } from '../testbed.ts';

const RESTARTS = 7;
const STANDBYS = 20;
/** --lease-duration of the operator, its default. */
const LEASE_MS = ELECTION_DEFAULTS.leaseDurationMs;

/** Waits for a person in chapter 1, so that the successor has something to do at once. */
const SPEC = { pace: { mode: 'Manual' } };

export const takeover: Benchmark = {
  name: 'takeover',
  what: 'kill -9 of the operator to its run going on, by a restart and by a standby',
  async run({ testbed: start, say }) {
    const testbed = await start();
    const starts: number[] = [];
    const restarts: number[] = [];
    for (let round = 0; round < RESTARTS; round++) {
      starts.push(await timeStart(testbed));
      restarts.push(await timeTakeover(testbed, `restart-${round}`, () => testbed.operator.start()));
      say(`restarted: the run continued after ${restarts.at(-1)?.toFixed(0)} ms`);
    }
    const standbys: number[] = [];
    for (let round = 0; round < STANDBYS; round++) {
      standbys.push(await withStandby(testbed, `standby-${round}`));
      say(`standby: the run continued after ${standbys.at(-1)?.toFixed(0)} ms`);
    }
    return [
      ...rowsOf(restarts, 'restarted at once', `${RESTARTS} kills`, (title, share) => ({
        what: `starting the operator until it leads, without a kill, ${title}`,
        value: quantile(starts, share),
      })),
      ...rowsOf(
        standbys,
        'a standby takes over',
        `${STANDBYS} kills; no operator may act between them`,
        () => ({
          what: 'the lease of the leader, which has to run out',
          value: LEASE_MS,
        }),
      ),
    ];
  },
};

/** Kills the operator while a run awaits a hand, lends the hand, and times until the run has gone on. */
async function timeTakeover(testbed: Testbed, name: string, restart: () => Promise<void>): Promise<number> {
  await testbed.create(name, SPEC);
  await testbed.untilStatus(name, `${name} to await a hand`, (status) => waitingChapter(status) === 1);
  const { process } = testbed.operator;
  const killedAt = performance.now();
  process.kill('SIGKILL');
  await process.exited;
  await Promise.all([restart(), testbed.annotate(name, 'advance', '1/1')]);
  const resumed = await testbed.watch.until(
    name,
    `${name} to continue`,
    ({ status }) => status?.chapters?.[1]?.startedAt !== undefined,
  );
  // If this one ended before the successor has the lock, the predecessor's would run out first.
  await testbed.untilStatus(name, `${name} to be taken over`, (status) => waitingChapter(status) === 2);
  await testbed.clear([name]);
  return resumed.at - killedAt;
}

async function withStandby(testbed: Testbed, name: string): Promise<number> {
  const { environment, signal } = testbed;
  const standby = await startOperator(environment, {
    args: ['--identity=standby', NO_COOLDOWN],
    signal,
  });
  try {
    // It stands by once it has seen who leads, which its log shows.
    await testbed.until('the standby to be ready', async () =>
      standby.process.logTail(100).includes('watching ChaosDemos'),
    );
    const took = await timeTakeover(testbed, name, async () => {});
    return took;
  } finally {
    await standby.stop();
    await testbed.operator.start();
    await testbed.untilLeading();
  }
}

/** What any start costs: the program loaded, the caches filled, the lease taken. */
async function timeStart(testbed: Testbed): Promise<number> {
  await testbed.operator.stop();
  const startedAt = performance.now();
  await testbed.operator.start();
  await testbed.untilLeading();
  return performance.now() - startedAt;
}

function rowsOf(
  samples: readonly number[],
  how: string,
  note: string,
  baseline: (title: string, share: number) => NonNullable<Row['baseline']>,
): Row[] {
  return [['median', 0.5] as const, ['slowest', 1] as const].map(([title, share]) => ({
    what: `kill -9 to the run going on, ${how}, ${title}`,
    value: quantile(samples, share),
    unit: 'ms',
    baseline: baseline(title, share),
    note,
  }));
}
