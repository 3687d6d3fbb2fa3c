/** The wall clock is set during a run: no result changes, and no fault lasts longer or shorter. */

import { describe, expect, it } from 'vitest';
import { DETECTED_AFTER, endOf } from '../../src/api/index.ts';
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
  const { scenarios = [] } = simulation.status;
  return {
    tookMs: Math.round(simulation.clock.monotonic() - begun + afterMs),
    verdict: endOf(simulation.status),
    scenarios: scenarios.map(({ result, reason, measures, message, retries, fault }) => ({
      result,
      reason,
      message,
      detectedAfter: measures?.[DETECTED_AFTER],
      retries,
      proof: fault?.proof,
      faultMs: Date.parse(fault?.endedAt ?? '') - Date.parse(fault?.startedAt ?? ''),
    })),
    stalledBeyondEnd: simulation.stalledBeyondEnd,
  };
}

describe('a wall clock that is set', () => {
  it.each([-3_600_000, 3_600_000])(
    'set by %i ms while an object waits delays no check of it',
    async (stepMs) => {
      const simulation = new Simulation();
      simulation.target.admission = { state: 'refused', reason: 'NoSuchPods', message: 'no pod has app=x' };
      await simulation.pass(5000);
      simulation.clock.step(stepMs);
      simulation.target.admission = { state: 'granted' };
      expect(await simulation.runUntil(({ status }) => status.run !== undefined, 15_000)).toBe(true);
    },
  );

  it('set back by an hour delays no check of the pod template', async () => {
    const simulation = new Simulation(simulatedSpec({ rerun: 'OnPodTemplateChange' }));
    simulation.target.podTemplate = 'a';
    await simulation.runUntil(finished);
    await simulation.pass(5000);
    simulation.clock.step(-3_600_000);
    simulation.target.podTemplate = 'b';
    expect(await simulation.runUntil(({ status }) => status.run?.number === 2, 30_000)).toBe(true);
  });

  it('the clock is not followed before a taken-over run ends, openable or not', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(({ target }) => target.isStalled);
    simulation.target.admission = { state: 'waiting', reason: 'TargetInUse', message: 'in use' };
    await simulation.crash(1000);
    await simulation.pass(2000);
    expect(simulation.activeRuns).toBe(0);
    simulation.clock.step(-3_600_000);
    simulation.target.admission = { state: 'granted' };
    await simulation.runUntil(finished);
    expect(simulation.status.run?.number).toBe(1);
  });

  it('is followed only once what a run had made is undone', async () => {
    const simulation = new Simulation(simulatedSpec(), { effectMs: 2000, releases: false });
    await simulation.runUntil(({ target }) => target.isStalled);
    // What a deleted object has left is undone outside the workers.
    simulation.server.edit('ns/demo', ({ metadata }) => {
      metadata.finalizers = [];
    });
    simulation.delete();
    await simulation.pass(1000);
    expect([simulation.activeRuns, simulation.isQuiet]).toEqual([0, false]);
    await simulation.pass(60_000);
    expect(simulation.isQuiet).toBe(true);
  });

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
