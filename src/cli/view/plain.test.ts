import { describe, expect, it } from 'vitest';
import { conditionWith, NOW, stateWith, statusInFault } from '../../../test/fixtures/cli/view/status.ts';
import { plainLines } from './plain.ts';
import { header, row } from './rows.ts';
import { initialState, type LiveState } from './state.ts';

describe('a run as plain lines', () => {
  it('reports what is new, once', () => {
    const before = initialState('ratelimiter', 'demo');
    const after = stateWith(statusInFault());
    expect(plainLines(before, after, NOW)).toContain('Run 3 of ratelimiter/demo');
    expect(plainLines(after, after, NOW)).toEqual([]);
  });

  it('show the next run from its beginning, with a row for each chapter and no more', () => {
    const chapter = (title: string, message: string) => ({ title, message, startedAt: 'x' });
    const stateOf = (number: number, ...chapters: ReturnType<typeof chapter>[]) =>
      stateWith({
        ...statusInFault(),
        chapters,
        run: { number, runId: '1', startedAt: '2026-01-01T00:00:00Z' },
      });
    const old = stateOf(3, chapter('Welcome', 'Three pods'));
    const next = stateOf(4, chapter('Welcome', 'Three pods'));
    const rowOf = ({ demo }: LiveState) => demo && row(demo, NOW);
    expect(plainLines(old, next, NOW)).toEqual([
      'Run 4 of ratelimiter/demo',
      header('demo'),
      rowOf(next),
      '   Three pods',
    ]);
    const health = stateOf(4, chapter('Welcome', 'Done'), chapter('Health', 'None'));
    expect(plainLines(next, health, NOW)).toEqual(['   Done', rowOf(health), '   None']);
    const ready = stateOf(4, chapter('Welcome', 'Done'), chapter('Health', 'All'));
    expect(plainLines(health, ready, NOW)).toEqual(['   All']);
  });

  it('have no row of an object before its first run', () => {
    const pending = stateWith({ phase: 'Pending', conditions: [conditionWith('Ready', 'False', 'Pending')] });
    expect(plainLines(initialState('ratelimiter', 'demo'), pending, NOW)).toEqual([
      '   Pending: the message of Pending',
    ]);
  });

  it('plain lines report a lost connection, a new one, and a deleted object', () => {
    const state = stateWith(undefined);
    const lost = { ...state, lost: { sinceMs: 0, why: 'refused' } };
    expect(plainLines(state, lost, NOW)).toEqual(['   Connection lost, trying again: refused']);
    const again = { ...lost, lost: undefined };
    expect(plainLines(lost, again, NOW)).toEqual(['   Connected again']);
    expect(plainLines(again, { ...again, deleted: true }, NOW)).toEqual(['   demo was deleted']);
    expect(plainLines(state, stateWith(undefined), NOW)).toEqual([]);
  });
});
