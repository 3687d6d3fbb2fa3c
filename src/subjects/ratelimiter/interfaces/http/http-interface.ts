/** A limiter behind HTTP, as a run asks it. */
import type { Toolkit } from '../../faults/fault.ts';
import type { LimiterInterface } from '../limiter-interface.ts';
import { controlCallers } from './control-callers.ts';
import { httpAccess } from './http-access.ts';
import { lookAtPods } from './http-health.ts';
import type { HttpInterfaceSpec } from './schema.ts';

export function httpInterface(toolkit: Toolkit, { health }: HttpInterfaceSpec): LimiterInterface {
  return {
    async control(options, signal) {
      const { message, ...rest } = await controlCallers(toolkit, options, signal);
      return { outcome: { ok: true, message }, ...rest };
    },
    access: httpAccess(toolkit),
    look: async (signal) => await lookAtPods({ ...toolkit, health }, signal),
    // It is told of no key, so there is none to take back: its counts run out by themselves.
    keysOf: () => [],
  };
}
