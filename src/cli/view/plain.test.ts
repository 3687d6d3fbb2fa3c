import { describe, expect, it } from 'vitest';
import { stateWith, statusInFault } from '../../../test/fixtures/cli/view/status.ts';
import { plainLines } from './plain.ts';
import { initialState } from './state.ts';

describe('a run as plain lines', () => {
  it('reports what is new, once', () => {
    const before = initialState('ratelimiter', 'demo');
    const after = stateWith(statusInFault());
    expect(plainLines(before, after)).toContain('Run 3 of ratelimiter/demo');
    expect(plainLines(after, after)).toEqual([]);
  });

  it('plain lines show the next run from its beginning', () => {
    const status = statusInFault();
    const chapters = [{ title: 'Welcome', state: 'Running' as const, startedAt: 'x', message: 'Three pods' }];
    const run = { number: 4, runId: '1', startedAt: '2026-01-01T00:00:00Z' };
    const [old, next] = [stateWith({ ...status, chapters }), stateWith({ ...status, chapters, run })];
    expect(plainLines(old, next)).toEqual(['Run 4 of ratelimiter/demo', '   Three pods']);
  });

  it('plain lines report a lost connection, a new one, and a deleted object', () => {
    const state = stateWith(undefined);
    const lost = { ...state, lost: { sinceMs: 0, why: 'refused' } };
    expect(plainLines(state, lost)).toEqual(['   Connection lost, trying again: refused']);
    const again = { ...lost, lost: undefined };
    expect(plainLines(lost, again)).toEqual(['   Connected again']);
    expect(plainLines(again, { ...again, deleted: true })).toEqual(['   demo was deleted']);
    expect(plainLines(state, stateWith(undefined))).toEqual([]);
  });
});
