/** A few seeds of the torture of store outages: limiters behind HTTP, without and with a fault proxy. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { adminKubectl } from '../kit/control-plane.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { planOf } from '../torture/plan.ts';
import { playRound } from '../torture/round.ts';
import { Stage } from '../torture/stage.ts';
import { lineOf } from '../torture/step.ts';

/** Chosen for their faults, and so that the leader is killed, frozen and restarted, and the fault proxy is killed. */
const SEEDS = [
  [7, 'Break and Blackhole'],
  [26, 'Lose and StaleMaster'],
  [27, 'Slow and Latency'],
  [39, 'Lose and Refuse'],
] as const;

describe.skipIf(withoutRealTime)('an outage that is disturbed', () => {
  let stage: Stage;
  beforeAll(async () => {
    const { caFile, kubeconfig, url } = inject('controlPlane');
    const apiServer = { caFile, kubeconfig, url, kubectl: adminKubectl() };
    stage = await Stage.start({ modes: ['http', 'proxied'], apiServer });
  });
  afterAll(() => stage?.stop());

  it.for(SEEDS)('by the plan of seed %i does and says nothing wrong: %s', ([seed], context) =>
    keepingTime(async ({ signal }) => {
      const plan = planOf(seed, { lanes: 0, ownApiServer: false, http: true });
      const { ends, wrong } = await playRound({ stage, plan, signal, say: () => {} });
      const said = wrong.map(({ check, message }) => `${check}: ${message}`);
      const steps = plan.steps.map(lineOf);
      expect({ said, steps, ends }).toEqual({ said: [], steps, ends });
    })(context),
  );
});
