/** A few seeds of the torture of store outages: limiters behind HTTP, without and with a fault proxy, or Sentinels. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { adminKubectl } from '../../kit/control-plane.ts';
import { keepingTime, withoutRealTime } from '../../kit/pace.ts';
import { planOf } from '../../torture/plan.ts';
import { playRound } from '../../torture/round.ts';
import { Stage, type StageOptions } from '../../torture/stage.ts';
import { lineOf } from '../../torture/step.ts';

const OUTAGES = {
  modes: ['http', 'proxied'],
  lanes: { http: true },
  /** Chosen for their faults, and so that the leader is killed, frozen and restarted, and the fault proxy is killed. */
  seeds: [
    [7, 'Disconnect and Blackhole'],
    [26, 'DataLoss and StalePrimary'],
    [14, 'Disconnect and Latency'],
    [39, 'DataLoss and Refuse'],
  ],
} as const;

const FAILOVERS = {
  modes: ['failover'],
  lanes: { failover: true },
  /** The longer one comes last: Sentinels need a while until the next failover. */
  seeds: [
    [5, 'aborted once it is announced'],
    [14, 'the leader is killed as it sends the command'],
  ],
} as const;

describe.skipIf(withoutRealTime).each([
  ['an outage', OUTAGES],
  ['a failover', FAILOVERS],
] as const)('%s that is disturbed', (_, { lanes, modes, seeds }) => {
  let stage: Stage;
  beforeAll(async () => {
    const { caFile, kubeconfig, url } = inject('controlPlane');
    const apiServer = { caFile, kubeconfig, url, kubectl: adminKubectl() };
    stage = await Stage.start({ modes: modes satisfies StageOptions['modes'], apiServer });
  });
  afterAll(() => stage?.stop());

  it.for<readonly [number, string]>(seeds)(
    'by the plan of seed %i does and says nothing wrong: %s',
    ([seed], context) =>
      keepingTime(async ({ signal }) => {
        const plan = planOf(seed, { lanes: 0, ownApiServer: false, ...lanes });
        const { ends, wrong } = await playRound({ stage, plan, signal, say: () => {} });
        const said = wrong.map(({ check, message }) => `${check}: ${message}`);
        const steps = plan.steps.map(lineOf);
        expect({ said, steps, ends }).toEqual({ said: [], steps, ends });
      })(context),
  );
});
