import { describe, expect, it } from 'vitest';
import { demoWith, statusInFault } from '../../../test/fixtures/cli/view/status.ts';
import type { ChaosDemoStatus } from '../../api/index.ts';
import { PluginError } from './errors.ts';
import { abortOf, advanceOf, requestOf, rerunOf } from './steer.ts';

const ended = (): ChaosDemoStatus => {
  const { run, ...status } = statusInFault();
  return { ...status, ...(run && { run: { ...run, completedAt: '2026-01-01T00:01:00Z' } }) };
};
const waiting = (): ChaosDemoStatus => {
  const status = statusInFault();
  const chapters = status.chapters?.map((chapter, i) =>
    i === 3 ? { ...chapter, state: 'Waiting' as const } : chapter,
  );
  return { ...status, ...(chapters && { chapters }) };
};

function remedyOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    if (error instanceof PluginError) return error.remedy;
  }
  return undefined;
}

describe('steering a run', () => {
  it('advances from the chapter that waits, and aborts the run that is active', () => {
    expect(advanceOf(demoWith(waiting()), 'kubectl').value).toBe('3/4');
    expect(abortOf(demoWith(statusInFault()), 'kubectl').value).toBe('3');
  });

  it('reports why there is nothing to advance', () => {
    expect(() => advanceOf(demoWith(statusInFault(), { pace: { mode: 'Manual' } }), 'kubectl')).toThrow(
      'Counter Drift Chaos (fault confirmed)',
    );
    expect(() => advanceOf(demoWith(statusInFault(), { pace: { mode: 'Auto' } }), 'kubectl')).toThrow(
      'continues automatically',
    );
    for (const steer of [advanceOf, abortOf]) {
      expect(() => steer(demoWith(ended()), 'kubectl')).toThrow('no active run');
      expect(() => steer(demoWith(undefined), 'kubectl')).toThrow('no active run');
    }
  });

  it('names commands that lead to the same cluster and namespace', () => {
    expect(remedyOf(() => abortOf(demoWith(ended()), 'kubectl --context stage'))).toContain(
      'kubectl chaosdemo rerun demo -n ratelimiter --context stage',
    );
  });

  it('names the run that another one replaces', () => {
    expect(rerunOf(demoWith(statusInFault()), 0, 'x').does).toContain('in place of run 3');
    expect(rerunOf(demoWith(ended()), 0, 'x')).toEqual({
      value: '1970-01-01T00:00:00.000Z-x',
      does: 'runs again',
    });
    expect(requestOf(0, 'a')).not.toBe(requestOf(0, 'b'));
  });
});
