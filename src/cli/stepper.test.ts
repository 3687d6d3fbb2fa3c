import { PassThrough } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import type { ChaosDemoStatus, ChapterStatus } from '../api/index.ts';
import { listenToKeys, waitingOf } from './stepper.ts';

function statusIn(chapter: number, state: ChapterStatus['state']): ChaosDemoStatus {
  const titles = ['Welcome', 'Cluster Health', 'Setup'];
  return {
    run: { number: 4, runId: '1', startedAt: '2026-01-01T00:00:00Z' },
    chapters: titles.map((title, i) => ({
      title,
      state: i + 1 === chapter ? state : i + 1 < chapter ? 'Completed' : 'Pending',
    })),
  };
}

describe('where a run waits', () => {
  it('is the chapter that is done and awaits a hand', () => {
    expect(waitingOf(statusIn(2, 'Waiting'))).toEqual({ advance: '4/2', next: 'Setup' });
    expect(waitingOf(statusIn(3, 'Waiting'))).toEqual({ advance: '4/3', next: undefined });
  });
});

describe('keys', () => {
  const press = async (keys: string) => {
    const keyboard = new PassThrough();
    const actions = { advance: vi.fn(), onInterrupt: vi.fn(), onEnd: vi.fn() };
    const close = listenToKeys(keyboard, actions);
    keyboard.write(keys);
    await new Promise((resolve) => setImmediate(resolve));
    keyboard.end();
    await new Promise((resolve) => keyboard.once('end', resolve));
    close();
    return Object.values(actions).map((action) => action.mock.calls.length);
  };

  it.each([
    [' ', [1, 0, 1]],
    ['\r', [1, 0, 1]],
    ['\n', [1, 0, 1]],
    ['x', [0, 0, 1]],
    [' \u0003', [0, 1, 1]],
  ])('%j goes on, interrupts, and reports the end %j times', async (keys, calls) => {
    expect(await press(keys)).toEqual(calls);
  });
});
