/** An API server that stands still again and again: whether the leader goes on leading. And what the election costs where nothing happens. */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ELECTION_DEFAULTS } from '@chaosdemo/kube-runtime';
import { writeKubeconfig } from '@chaosdemo/testbed';
import { type OperatorProcess, spawnOperator } from '../../src/local/operator.ts';
import { startDelayingProxy } from '../../test/kit/delaying-proxy.ts';
import type { Benchmark } from '../benchmark.ts';
import type { Testbed } from '../testbed.ts';

const STALL_MS = 2000;
const STALLS = 24;
/** Between two stalls, so that each begins at another phase of the renewals. */
const APART_MS = { least: 1500, most: 3500 };
const REST_MS = 20_000;
const STARTED = 'started leading';

export const stalls: Benchmark = {
  name: 'stalls',
  what: 'leads lost to an API server that answers nothing for 2 s, and requests of the election without a stall',
  async run({ testbed: start, say, signal }) {
    const testbed = await start();
    const proxy = await startDelayingProxy({
      host: '127.0.0.1',
      port: Number(new URL(testbed.environment.controlPlane.url).port),
    });
    // The one that leads is behind the proxy; the standby is not, and takes over from a leader that is late.
    await testbed.operator.stop();
    const leader = await operatorAt(testbed, 'leader', proxy.port);
    await testbed.until('the leader to lead', async () => linesOf(leader, STARTED) === 1);
    const standby = await operatorAt(testbed, 'standby');
    try {
      const before = await leaseRequests(testbed);
      await sleep(REST_MS, undefined, { signal });
      const perSecond = ((await leaseRequests(testbed)) - before) / (REST_MS / 1000);
      for (let round = 1; round <= STALLS; round++) {
        const apart = APART_MS.least + Math.random() * (APART_MS.most - APART_MS.least);
        await sleep(apart, undefined, { signal });
        proxy.stall(STALL_MS);
        await sleep(STALL_MS, undefined, { signal });
        say(`${round} stalls: ${linesOf(leader, 'stopped leading')} leads lost`);
      }
      const lost = linesOf(leader, 'stopped leading') + linesOf(standby, STARTED);
      return [
        {
          what: 'leads lost to stalls of the API server of 2 s',
          value: lost,
          unit: '' as const,
          note: `${STALLS} stalls at random moments, ${APART_MS.least} to ${APART_MS.most} ms apart, with a standby`,
        },
        {
          what: 'requests for the lease of a leader and a standby, without a stall',
          value: perSecond,
          unit: '/s' as const,
          baseline: { what: 'renewals by the retry period', value: 1000 / ELECTION_DEFAULTS.retryPeriodMs },
          note: `${REST_MS / 1000} s, as the API server counts them`,
        },
      ];
    } finally {
      await Promise.all([leader.stop(), standby.stop()]);
      await proxy.stop();
      await testbed.operator.start();
      await testbed.untilLeading();
    }
  },
};

/** An operator with the rights that ship; behind the proxy where a port is given. */
async function operatorAt(testbed: Testbed, identity: string, port?: number): Promise<OperatorProcess> {
  const { controlPlane, supervisor } = testbed.environment;
  const { caFile, kubectl, url } = controlPlane;
  const server = port === undefined ? url : `https://127.0.0.1:${port}`;
  return await spawnOperator({
    controlPlane: {
      kubectl,
      kubeconfigFor: (name, token, namespace) =>
        writeKubeconfig(
          join(controlPlane.folder, `${name}-${identity}.kubeconfig`),
          { url: server, caFile },
          token,
          namespace,
        ),
    },
    supervisor,
    account: { namespace: 'chaosdemo-system', name: 'chaosdemo-operator' },
    args: [`--identity=${identity}`],
  });
}

function linesOf({ process }: OperatorProcess, text: string): number {
  return process.logTail(100_000).split(text).length - 1;
}

/** Reads and writes of Leases since the API server started, by its own count. */
async function leaseRequests({ environment }: Testbed): Promise<number> {
  const text = await environment.controlPlane.kubectl.run(['get', '--raw', '/metrics']);
  const counts = text.matchAll(/^apiserver_request_total\{[^}]*resource="leases"[^}]*\} (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}
