/** Which keys stand behind the name of a fixture, whoever has made it. Pure. */
import { isControl } from '../../../demo/context.ts';
import { controlKeys } from '../controls.ts';
import { SCENARIO_TYPES } from './index.ts';

/**
 * Every key that may have been set up for a fixture, whatever its spec said then: that may have been edited since.
 * To remove one that was never made does no harm.
 */
export function keysMadeFor(fixture: string): string[] {
  if (isControl(fixture)) {
    const { counting, denying } = controlKeys(fixture);
    return [counting, denying];
  }
  return [...new Set([fixture, ...SCENARIO_TYPES.flatMap(({ keysOf }) => keysOf?.(fixture) ?? [])])];
}
