/** A small fixed set of the torture: a few seeds, one lane, on the API server that all tests share. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { adminKubectl } from '../kit/control-plane.ts';
import { rows } from '../kit/nightly.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { planOf } from '../torture/plan.ts';
import { playRound } from '../torture/round.ts';
import { Stage } from '../torture/stage.ts';
import { lineOf } from '../torture/step.ts';

/** Chosen so that nodes, the leader at two boundaries, its API server and the way to Redis are disturbed. */
const SEEDS = [31, 34, 50, 55, 87];

describe.skipIf(withoutRealTime)('a run that is disturbed', () => {
  let stage: Stage;
  beforeAll(async () => {
    const { caFile, kubeconfig, url } = inject('controlPlane');
    const apiServer = { caFile, kubeconfig, url, kubectl: adminKubectl() };
    stage = await Stage.start({ modes: ['approximate'], apiServer });
  });
  afterAll(() => stage?.stop());

  it.for(rows(SEEDS))('by the plan of seed %i passes every check', (seed, context) =>
    keepingTime(async ({ signal }) => {
      const plan = planOf(seed, { lanes: 1, ownApiServer: false });
      const { wrong } = await playRound({ stage, plan, signal, say: () => {} });
      const said = wrong.map(({ check, message }) => `${check}: ${message}`);
      // The plan is compared too, so that the output of a failure shows it.
      const steps = plan.steps.map(lineOf);
      expect({ said, steps }).toEqual({ said: [], steps });
    })(context),
  );
});
