import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seedOf } from '../../../scenarios/seed.ts';
import { type Draw, type Phase, populationOf } from './population.ts';

const drawOf = (requests: number, more: Partial<Draw> = {}): Draw => ({
  fixture: 'demo-x',
  seed: 1,
  full: requests,
  pods: 3,
  inFault: 405,
  busyNeeds: requests + 15,
  ...more,
});
const draws = fc
  .record({
    requests: fc.constantFrom(1, 2, 10, 100, 5000),
    seed: fc.nat(),
    pods: fc.integer({ min: 1, max: 9 }),
  })
  .map(({ requests, ...more }) => drawOf(requests, more));

/** How many requests each caller sends to each of the pods in turn. */
function dealt(draw: Draw, phase: Phase, seconds: number): Map<string, number> {
  const population = populationOf(draw, () => phase);
  const sent = new Map<string, number>();
  for (let turn = 0; turn < 4 * 5 * seconds; turn += 1) {
    for (let pod = 0; pod < draw.pods; pod += 1) {
      const key = population.turnTo(pod) ?? 'none';
      sent.set(key, (sent.get(key) ?? 0) + 1);
    }
  }
  return sent;
}
const residents = (draw: Draw) => populationOf(draw, () => 'before').residents;

describe('the callers that are drawn', () => {
  it('are the same for a seed, and others for another', () => {
    expect(residents(drawOf(10))).toEqual(residents(drawOf(10)));
    expect(residents(drawOf(10))).not.toEqual(residents(drawOf(10, { seed: 2 })));
    expect(seedOf('demo-a')).not.toBe(seedOf('demo-b'));
  });

  it('are at the limit, one short of it and new, and others in between', () => {
    fc.assert(
      fc.property(draws, (draw) => {
        const { full: requests } = draw;
        const all = residents(draw);
        expect(all.slice(0, 3).map(({ used }) => used)).toEqual([requests, requests - 1, 0]);
        expect(all.every(({ used }) => used >= 0 && used <= requests)).toBe(true);
        // Limits that are large are not used up for each of them.
        expect(all.slice(3).reduce((sum, { used }) => sum + used, 0)).toBeLessThanOrEqual(400);
      }),
    );
  });

  it('send on after the fault if they have used their limits, whatever they did in it', () => {
    fc.assert(
      fc.property(draws, (draw) => {
        const full = residents(draw).filter(({ used, usedLate }) => used + usedLate === draw.full);
        for (const { shares } of full) expect(shares.after + shares.settled).toBeGreaterThan(0);
      }),
    );
  });

  it('have used each part of a limit, and send much in the fault, little or nothing', () => {
    const all = residents(drawOf(10));
    const usedBy = (isOf: (share: number) => boolean) =>
      new Set(all.filter(({ shares }) => isOf(shares.during)).map(({ used }) => Math.round(used / 2)));
    for (const isOf of [
      (share: number) => share >= 1,
      (share: number) => share > 0 && share < 1,
      (share: number) => share === 0,
    ]) {
      expect(usedBy(isOf).size).toBeGreaterThanOrEqual(4);
    }
  });
});

describe('the turns of callers', () => {
  it('go to busy ones often enough to exceed their limits, and to some a few times', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const draw = drawOf(10, { seed });
        const sent = dealt(draw, 'during', 9);
        for (const { key, shares } of residents(draw)) {
          const count = sent.get(key) ?? 0;
          if (shares.during === 0) expect(count).toBe(0);
          else if (shares.during >= 1) expect(count).toBeGreaterThanOrEqual(draw.busyNeeds - 10);
          else expect(count).toBeLessThanOrEqual(draw.full);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('are those of three callers if windows end in the fault', () => {
    const sent = dealt(drawOf(10, { inFault: 405, busyNeeds: 135 }), 'during', 9);
    const busy = [...sent].filter(([key]) => key.includes('-c'));
    expect(busy.map(([key]) => key).toSorted()).toEqual(['demo-x-c0', 'demo-x-c1', 'demo-x-c2']);
    for (const [, count] of busy) expect(count).toBeGreaterThanOrEqual(133);
  });

  it('let no newcomer send more than its limit', () => {
    fc.assert(
      fc.property(draws, (draw) => {
        const sent = dealt(draw, 'during', 6);
        for (const [key, count] of sent) if (key.includes('-w')) expect(count).toBeLessThanOrEqual(draw.full);
      }),
    );
  });

  it('pass by those that stop once they are rejected, and go to their own pods only', () => {
    const draw = drawOf(10, { seed: 3 });
    const population = populationOf(draw, () => 'during');
    const byPod = [0, 1, 2].map((pod) => Array.from({ length: 200 }, () => population.nextTo(pod)));
    for (const { key, pod } of population.residents) {
      const pods = byPod.flatMap((keys, i) => (keys.includes(key) ? [i] : []));
      if (pod !== undefined && pods.length > 0) expect(pods).toEqual([pod]);
    }
    const stopping = population.residents.find(({ shares, stops }) => stops && shares.during > 0);
    population.rejected(stopping?.key ?? '');
    population.rejected('demo-x-c0');
    const after = new Set(Array.from({ length: 600 }, (_, i) => population.nextTo(i % 3)));
    expect([after.has(stopping?.key), after.has('demo-x-c0')]).toEqual([false, true]);
  });

  it('take callers to all pods alike', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(2, 3, 5), (seed, pods) => {
        const draw = drawOf(10, { seed, pods });
        const population = populationOf(draw, () => 'during');
        const met = Array.from({ length: pods }, () => 0);
        for (let turn = 0; turn < 800; turn += 1) {
          for (const pod of met.keys()) {
            if (population.turnTo(pod) === 'demo-x-c0') met[pod] = (met[pod] ?? 0) + 1;
          }
        }
        expect(Math.max(...met)).toBeLessThan(3 * Math.min(...met));
      }),
      { numRuns: 30 },
    );
  });

  it('go to every caller once its limit has returned', () => {
    const returned = (requests: number) => {
      const population = populationOf(drawOf(requests), () => 'waiting');
      const sent = Map.groupBy(population.returned(20, false), ({ key }) => key);
      return population.residents.map((one) => ({ ...one, sent: sent.get(one.key)?.length ?? 0 }));
    };
    const whole = (requests: number) => returned(requests).filter(({ sent }) => sent === requests + 2);
    for (const requests of [1, 2, 10, 50]) {
      const all = returned(requests);
      const few = Math.min(3, requests);
      expect(all.filter(({ sent }) => sent === few).length + whole(requests).length).toBe(24);
      // Some callers their whole limits, within three seconds more.
      expect(all.reduce((sum, { sent }) => sum + sent - few, 0)).toBeLessThanOrEqual(60);
      expect(whole(requests).length).toBeGreaterThan(0);
    }
    const [over, almost, fresh, ...others] = whole(10);
    expect([over, almost, fresh].map((one) => one?.used)).toEqual([10, 9, 0]);
    expect(others.map(({ shares }) => shares.during > 0)).toContain(false);
    expect(others.filter(({ pod }) => pod !== undefined)).toHaveLength(2);
    expect(whole(100)).toEqual([]);
  });
});
