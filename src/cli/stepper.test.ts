import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChaosDemoStatus, ChapterStatus } from '../api/index.ts';
import { Stepper, waitingOf } from './stepper.ts';

function statusIn(chapter: number, state: ChapterStatus['state']): ChaosDemoStatus {
  const titles = ['Welcome', 'Cluster Health', 'Setup'];
  return {
    run: { number: 4, runId: '1', startedAt: '2026-01-01T00:00:00Z' },
    chapters: titles.map((title, i) => ({
      number: i + 1,
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

  it('is nowhere while a chapter is at work, or before there is a run', () => {
    expect(waitingOf(statusIn(2, 'Running'))).toBeUndefined();
    expect(waitingOf({})).toBeUndefined();
  });
});

describe('stepping', () => {
  let keyboard: PassThrough;
  let stepper: Stepper;
  const advance = vi.fn<(value: string) => Promise<void>>(async () => undefined);
  const onInterrupt = vi.fn();
  const onError = vi.fn();
  const lines: string[] = [];

  beforeEach(() => {
    for (const mock of [advance, onInterrupt, onError]) mock.mockClear();
    lines.length = 0;
    keyboard = new PassThrough();
    stepper = new Stepper({ keyboard, advance, onInterrupt, onError, say: (line) => lines.push(line) });
    return () => stepper.close();
  });

  const press = async (keys: string): Promise<void> => {
    keyboard.write(keys);
    await new Promise((resolve) => setImmediate(resolve));
  };

  it.each([' ', '\r', '\n'])('leaves the chapter that waits on %j', async (key) => {
    stepper.take(statusIn(2, 'Waiting'));
    await press(key);
    expect(advance.mock.calls).toEqual([['4/2']]);
    expect(lines).toEqual(['   ▸ Press space or enter for Setup']);
  });

  it('says once what to press, and again for the next chapter', () => {
    for (const chapter of [2, 2, 3]) stepper.take(statusIn(chapter, 'Waiting'));
    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain('the verdict');
  });

  it('does nothing by other keys, or while a chapter is at work', async () => {
    stepper.take(statusIn(2, 'Waiting'));
    await press('x');
    stepper.take(statusIn(3, 'Running'));
    await press(' ');
    expect(advance).not.toHaveBeenCalled();
  });

  it('takes Ctrl-C for an interrupt, whatever else was typed', async () => {
    stepper.take(statusIn(2, 'Waiting'));
    await press(' \u0003');
    expect(onInterrupt).toHaveBeenCalledOnce();
    expect(advance).not.toHaveBeenCalled();
  });

  it('tells that nobody can step on when the input ends', async () => {
    keyboard.end();
    keyboard.resume();
    await new Promise((resolve) => keyboard.once('end', resolve));
    expect(onError).toHaveBeenCalledOnce();
  });

  it('tells when the annotation could not be written', async () => {
    advance.mockRejectedValueOnce(new Error('gone'));
    stepper.take(statusIn(2, 'Waiting'));
    await press(' ');
    expect(onError).toHaveBeenCalledWith(new Error('gone'));
  });
});
