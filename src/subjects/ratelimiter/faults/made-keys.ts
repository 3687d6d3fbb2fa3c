/** Which keys stand behind the name of a fixture that another process has made. Pure. */
import type { ScenarioSpec } from '../../../api/index.ts';
import { faultOf } from './index.ts';

/**
 * Every key that may have been set up for a fixture, the fixture among them. Its name ends with that of its scenario,
 * and from the second attempt on with a number; so it may be of several scenarios, and then the keys of all are
 * named: to remove one that was never made does no harm.
 */
export function keysMadeFor(fixture: string, scenarios: readonly ScenarioSpec[]): string[] {
  const names = [fixture, fixture.replace(/-\d+$/, '')];
  const keys = scenarios
    .filter(({ name }) => names.some((made) => made.endsWith(`-${name}`)))
    .flatMap((scenario) => faultOf(scenario.type).keysOf?.(scenario, fixture) ?? []);
  return [...new Set([fixture, ...keys])];
}
