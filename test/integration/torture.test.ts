/** A small fixed set of the torture, for each kind of lane, on the API server that all tests share. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedControlPlane } from '../kit/control-plane.ts';
import { rows } from '../kit/nightly.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { type PlanOptions, planOf } from '../torture/plan.ts';
import { playRound } from '../torture/round.ts';
import { Stage, type StageOptions } from '../torture/stage.ts';
import { lineOf } from '../torture/step.ts';

interface Disturbed extends Pick<StageOptions, 'modes'> {
  readonly what: string;
  readonly lanes: Omit<PlanOptions, 'ownApiServer'>;
  readonly seeds: readonly number[];
}

const DISTURBED: readonly Disturbed[] = [
  {
    what: 'a run',
    modes: ['approximate'],
    lanes: { lanes: 1 },
    // Chosen so that nodes, the leader at two boundaries, its API server and the way to Redis are disturbed.
    seeds: [31, 34, 50, 55, 87],
  },
  {
    what: 'an outage',
    modes: ['http', 'proxied'],
    lanes: { lanes: 0, http: true },
    // Disconnect and Blackhole, DataLoss and StalePrimary, Disconnect and Latency, DataLoss and Refuse: chosen so that
    // the leader is killed, frozen and restarted, and the fault proxy is killed.
    seeds: [7, 26, 14, 39],
  },
  {
    what: 'a failover',
    modes: ['failover'],
    lanes: { lanes: 0, failover: true },
    // Aborted once it is announced; then the leader is killed as it sends the command. The longer one comes last:
    // Sentinels need a while until the next failover.
    seeds: [5, 14],
  },
];

describe.skipIf(withoutRealTime).each(rows(DISTURBED))(
  '$what that is disturbed',
  ({ lanes, modes, seeds }) => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await Stage.start({ modes, apiServer: sharedControlPlane() });
    });
    afterAll(() => stage?.stop());

    it.for(rows(seeds))('by the plan of seed %i passes every check', (seed, context) =>
      keepingTime(async ({ signal }) => {
        const plan = planOf(seed, { ...lanes, ownApiServer: false });
        const { ends, wrong } = await playRound({ stage, plan, signal, say: () => {} });
        const said = wrong.map(({ check, message }) => `${check}: ${message}`);
        // The plan and the ends are compared too, so that the output of a failure shows them.
        const steps = plan.steps.map(lineOf);
        expect({ said, steps, ends }).toEqual({ said: [], steps, ends });
      })(context),
    );
  },
);
