import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LimitDefinition, supersedes, windowAt } from './window.ts';

const definition = fc.record({
  key: fc.constant('k'),
  limit: fc.nat(),
  windowMs: fc.integer({ min: 100, max: 86_400_000 }),
  startsAt: fc.integer({ min: 1_500_000_000_000, max: 3_000_000_000_000 }),
  generation: fc.stringMatching(/^[0-9a-f]{1,12}$/),
});

describe('windowAt', () => {
  it('holds every moment in exactly one window of the right length', () => {
    fc.assert(
      fc.property(definition, fc.nat(10_000_000_000), (limit, later) => {
        const now = limit.startsAt + later;
        const window = windowAt(limit, now);
        expect(window.startsAt).toBeLessThanOrEqual(now);
        expect(window.endsAt).toBeGreaterThan(now);
        expect(window.endsAt - window.startsAt).toBe(limit.windowMs);
        expect(windowAt(limit, window.startsAt)).toEqual(window);
        expect(windowAt(limit, window.endsAt - 1)).toEqual(window);
      }),
    );
  });

  it('leaves no gap: where one window ends the next one begins, under another name', () => {
    fc.assert(
      fc.property(definition, fc.nat(10_000_000_000), (limit, later) => {
        const window = windowAt(limit, limit.startsAt + later);
        const next = windowAt(limit, window.endsAt);
        expect([next.startsAt, next.index]).toEqual([window.endsAt, window.index + 1]);
        expect(next.id).not.toBe(window.id);
      }),
    );
  });

  it('reads a moment before the start as window 0', () => {
    const limit: LimitDefinition = { key: 'k', limit: 1, windowMs: 1_000, startsAt: 5_000, generation: 'a' };
    expect(windowAt(limit, 4_998)).toEqual({ id: 'a-0', index: 0, startsAt: 5_000, endsAt: 6_000 });
  });
});

describe('supersedes', () => {
  it('leaves the definition that began last, in whatever order they arrive', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(definition, { minLength: 1, selector: ({ startsAt }) => startsAt }),
        (arrivals) => {
          let known: LimitDefinition | undefined;
          for (const candidate of arrivals) if (supersedes(candidate, known)) known = candidate;
          expect(known?.startsAt).toBe(Math.max(...arrivals.map(({ startsAt }) => startsAt)));
        },
      ),
    );
  });
});
