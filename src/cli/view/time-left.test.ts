import { expect, it } from 'vitest';
import { demoWith, NOW, statusInFault } from '../../../test/fixtures/cli/view/status.ts';
import { limiterSpec } from '../../../test/kit/driven-limiter.ts';
import type { ChaosDemoStatus } from '../../api/index.ts';
import { rateLimiterKind } from '../../subjects/ratelimiter/kind.ts';
import { plansOf } from '../../subjects/scenarios/scenario-type.ts';
import { timePart } from './parts.ts';
import { leftOf } from './time-left.ts';

const status = statusInFault();
const spec = limiterSpec({}, status.scenarios);
const [drift = 0, burst = 0] = plansOf(rateLimiterKind, spec).map((plan) => plan.faultMs + plan.settleMs);
const leftWith = (change: Partial<ChaosDemoStatus>, of: object = spec) =>
  leftOf(demoWith({ ...status, ...change }, of), NOW);

it('what is left of a run are its faults without a result, since they were planned', () => {
  const texts = timePart(demoWith(status, spec), NOW).map(({ text }) => text);
  expect(texts).toEqual(['0:10', expect.stringMatching(/^, up to about \d:\d\d left$/)]);
  expect(leftWith({ scenarios: [] })).toBe(3000 + drift + 3000 + burst);
  expect(leftWith({})).toBe(drift - 4000 + 3000 + burst);
});

it('no time is left of a run that has ended, or of a type of another version', () => {
  const run = { ...status.run, completedAt: '2026-01-01T00:00:09Z' } as NonNullable<typeof status.run>;
  expect(leftWith({ run })).toBe(0);
  expect(leftWith({}, { ...spec, scenarios: [{ name: 'x', type: 'Unheard' }] })).toBe(0);
});
