import { describe, expect, it } from 'vitest';
import { demoWith, statusInFault } from '../../../test/fixtures/cli/view/status.ts';
import type { ChaosDemoStatus } from '../../api/index.ts';
import { abortOf, advanceOf, rerunOf } from './steer.ts';

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

describe('steering a run', () => {
  it('advances from the chapter that waits, and aborts the run that is active', () => {
    expect(advanceOf(demoWith(waiting()), 'kubectl').value).toBe('3/4');
    expect(abortOf(demoWith(statusInFault()), 'kubectl').value).toBe('3');
  });

  it('names the run that another one replaces', () => {
    expect(rerunOf(demoWith(statusInFault()), 'request').does).toContain('in place of run 3');
    expect(rerunOf(demoWith(ended()), 'request')).toEqual({
      value: 'request',
      does: 'runs again',
    });
  });
});
