import { describe, expect, it } from 'vitest';
import { Context } from './context.ts';
import type { HealthSnapshot } from './health.ts';
import { iso } from './time.ts';
import { awaitHealthy, HEALTH_TIMEOUT_MS } from './work.ts';

const BEGUN = Date.parse('2026-01-01T00:00:00Z');

/** A session that began to look at `BEGUN`, with this last look, at `now`. */
function contextWith(health: Partial<HealthSnapshot> | undefined, now: number): Context {
  const parts = { now, demo: { status: {} }, observed: { health, since: BEGUN, gone: [] } };
  return new Context(parts as unknown as Context);
}

describe('the wait for a healthy subject', () => {
  const later = BEGUN + 10 * HEALTH_TIMEOUT_MS;

  it('is over with a look that shows it', () => {
    const well = { hasIssues: false, validUntil: later };
    expect(awaitHealthy(contextWith(well, later), BEGUN)).toBeUndefined();
  });

  it('ends the run if nothing ever answered', () => {
    const work = awaitHealthy(contextWith(undefined, BEGUN + HEALTH_TIMEOUT_MS), BEGUN);
    expect(work).toMatchObject({
      fail: 'TargetUnhealthy',
      message: expect.stringContaining('no pod has answered'),
    });
  });

  it('counts from when the last look came to be too old, however long the run is on', () => {
    const stale = { hasIssues: false, validUntil: later };
    const waiting = awaitHealthy(contextWith(stale, later + 1), BEGUN);
    expect(waiting).toMatchObject({
      done: false,
      message: expect.stringMatching(/too old/),
    });
    expect(waiting?.fail).toBeUndefined();
    const ended = awaitHealthy(contextWith(stale, later + HEALTH_TIMEOUT_MS), BEGUN);
    expect(ended).toMatchObject({ fail: 'TargetUnhealthy' });
  });

  it('counts from when it became unhealthy', () => {
    const unwell = { hasIssues: true, issues: ['a is stale'], validUntil: later + HEALTH_TIMEOUT_MS };
    const context = contextWith(unwell, later + 1);
    expect(awaitHealthy(context, BEGUN)?.fail).toBeUndefined();
    const since = { type: 'Healthy', status: 'False', lastTransitionTime: iso(later) };
    Object.assign(context.demo.status, { conditions: [since] });
    expect(awaitHealthy(context, BEGUN)?.fail).toBeUndefined();
    Object.assign(context, { now: later + HEALTH_TIMEOUT_MS });
    expect(awaitHealthy(context, BEGUN)?.fail).toBe('TargetUnhealthy');
  });
});
