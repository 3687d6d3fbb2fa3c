/** Somebody sets the wall clock in the midst of a run: no judgement changes, and no fault lasts longer or shorter. */
import { describe, expect, it } from 'vitest';
import { simulatedSpec } from './simulated-subject.ts';
import { Simulation } from './simulation.ts';
import { finished, GATE } from './support.ts';

/** Moments of a run, in milliseconds since its object was created: it takes 31 s. */
const MOMENTS = Array.from({ length: 31 }, (_, i) => 250 + i * 1000);

/** How a run ends, and how long its service was held up, with the wall clock set after a while. */
async function play(spec: ReturnType<typeof simulatedSpec>, stepMs: number, afterMs: number) {
  const simulation = new Simulation(spec);
  await simulation.pass(afterMs);
  const begun = simulation.clock.monotonic();
  simulation.clock.step(stepMs);
  await simulation.runUntil(finished);
  const { run, scenarios = [] } = simulation.status;
  return {
    tookMs: Math.round(simulation.clock.monotonic() - begun + afterMs),
    verdict: run?.verdict,
    scenarios: scenarios.map(({ result, reason, message, detectedAfterMs, attempts, fault }) => ({
      result,
      reason,
      message,
      detectedAfterMs,
      attempts,
      proof: fault?.proof,
      faultMs: Date.parse(fault?.endedAt ?? '') - Date.parse(fault?.startedAt ?? ''),
    })),
    stalledBeyondEnd: simulation.stalledBeyondEnd,
  };
}

describe('a wall clock that is set', () => {
  it.each([
    { name: 'a demo', spec: simulatedSpec(), stepMs: -1000 },
    { name: 'a demo', spec: simulatedSpec(), stepMs: 70_000 },
    { name: 'a gate', spec: GATE, stepMs: -1000 },
    { name: 'a gate', spec: GATE, stepMs: 70_000 },
  ])('changes nothing of $name, by $stepMs ms at any moment', async ({ spec, stepMs }) => {
    const undisturbed = await play(spec, 0, 0);
    expect(undisturbed.verdict?.phase).toMatch(/Succeeded|Failed/);
    for (const afterMs of MOMENTS) {
      expect([afterMs, await play(spec, stepMs, afterMs)]).toEqual([afterMs, undisturbed]);
    }
  });
});
