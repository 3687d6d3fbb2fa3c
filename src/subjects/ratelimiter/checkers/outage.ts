/**
 * The checkers of a store outage: only accepted outcomes, and no more than the limit unless FailsOpen or Forgets is
 * accepted; afterwards callers are admitted as before, and get their limit back. Pure.
 */
import { service } from './behaviour.ts';
import { code } from './checker.ts';
import { latency } from './latency.ts';
import { limitReturn } from './limit-return.ts';
import { goneOf, type OutageSeen, outageFold, restartedOf } from './outage-seen.ts';
import { overAdmission } from './over-admission.ts';
import { overCounted } from './over-counted.ts';
import { proof, record } from './record.ts';
import { recovery } from './recovery.ts';

/** Pods were there from start to end. */
const pods = {
  ...outageFold,
  name: 'pods',
  finding(seen: OutageSeen) {
    const [gone, restarted] = [[...goneOf(seen)], [...restartedOf(seen)]];
    return {
      unproven: [seen.setup.pods.length === gone.length && code('NoPodLeft')],
      missing: [gone.length > 0 && code('PodsGone', { pods: gone })],
      byPod: [
        restarted.length > 0 && code('PodsRestarted', { pods: restarted }),
        gone.length > 0 && code('PodsLeftOut', { pods: gone }),
      ],
    };
  },
};

export const OUTAGE_CHECKERS = [
  record,
  proof,
  overAdmission,
  service,
  latency,
  recovery,
  limitReturn,
  overCounted,
  pods,
] as const;
