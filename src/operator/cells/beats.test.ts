import { describe, expect, it } from 'vitest';
import { Beats, LOOK_MS } from './beats.ts';

/** Looks `count` times, at a cell whose beats are `beatsAt` that look. */
function look(beats: Beats, count: number, beatsAt: (look: number) => number, start = 0): void {
  for (let i = 1; i <= count; i += 1) beats.look(beatsAt(i), (start + i) * LOOK_MS);
}

describe('the beats of a cell', () => {
  it('keep it as long as they come', () => {
    const beats = new Beats(0);
    look(beats, 1000, (i) => i);
    expect([beats.responds, beats.isLost]).toEqual([true, false]);
  });

  it('are missed: no permits after 1 s, and the end after 3 s', () => {
    const beats = new Beats(0);
    look(beats, 1, () => 7);
    look(beats, 3, () => 7, 1);
    expect(beats.responds).toBe(true);
    look(beats, 1, () => 7, 4);
    expect([beats.responds, beats.isLost]).toEqual([false, false]);
    look(beats, 8, () => 7, 5);
    expect(beats.isLost).toBe(true);
  });

  it('come again in time, and all is as before', () => {
    const beats = new Beats(0);
    look(beats, 11, () => 7);
    look(beats, 1, () => 8, 11);
    expect([beats.responds, beats.isLost]).toEqual([true, false]);
  });

  it('may take 20 s for the first', () => {
    const beats = new Beats(0);
    look(beats, 79, () => 0);
    expect(beats.isLost).toBe(false);
    look(beats, 1, () => 0, 79);
    expect(beats.isLost).toBe(true);
  });

  it('say nothing where this thread stood still itself', () => {
    const beats = new Beats(0);
    look(beats, 10, () => 7);
    beats.look(7, 60_000);
    expect(beats.responds).toBe(true);
    look(beats, 11, () => 7, 240);
    expect(beats.isLost).toBe(false);
  });
});
