/** The reference limiter, as a run asks it. */
import { parseDuration } from '../../../../api/index.ts';
import { controlKeys } from '../../controls.ts';
import type { Toolkit } from '../../faults/fault.ts';
import { keysMadeFor } from '../../faults/made-keys.ts';
import type { LimiterInterface } from '../limiter-interface.ts';
import { lookAtLimiter } from './health.ts';
import { measureBaseline, outcomeOf } from './measure-baseline.ts';
import { referenceAccess } from './reference-access.ts';

export function referenceInterface(toolkit: Toolkit): LimiterInterface {
  const { limiter, target } = toolkit;
  return {
    async control({ key, rates }, signal) {
      const { requests: limit, window } = limiter.limit;
      const options = { ...toolkit, keys: controlKeys(key), rates, limit, windowMs: parseDuration(window) };
      const baseline = await measureBaseline(options, signal);
      return { outcome: outcomeOf(baseline), baseline, writeMaxMs: baseline.writeMaxMs };
    },
    access: referenceAccess(toolkit),
    look: async (signal) => await lookAtLimiter({ ...toolkit, nodes: target.nodes }, signal),
    keysOf: keysMadeFor,
  };
}
