import { describe, expect, it } from 'vitest';
import { Suspects } from './suspects.ts';

const SECOND = 1000;

/** How long a namespace waits after each of these moments at which its thread was ended, in seconds. */
function waitsAfter(moments: readonly number[]): number[] {
  const suspects = new Suspects();
  return moments.map((at) => {
    suspects.add(['one'], 'it stood still', at);
    let seconds = 0;
    while (suspects.waitOf('one', at + seconds * SECOND)) seconds += 1;
    return seconds;
  });
}

describe('a namespace whose thread was ended', () => {
  it('waits from the second time on, each time longer, up to a quarter of an hour', () => {
    const hourly = (count: number): number[] => Array.from({ length: count }, (_, i) => i * 1_000_000);
    expect(waitsAfter(hourly(8))).toEqual([0, 30, 60, 120, 240, 480, 900, 900]);
  });

  it('is trusted again after an hour', () => {
    const later = 3_700_000;
    expect(waitsAfter([0, 1000, later + 1000])).toEqual([0, 30, 0]);
  });

  it('says why it waits, and others do not wait', () => {
    const suspects = new Suspects();
    suspects.add(['one', 'two'], 'it stood still', 0);
    suspects.add(['one'], 'it stood still', 1000);
    expect(suspects.waitOf('one', 2000)).toMatchObject({ state: 'waiting', reason: 'BackOff' });
    expect(['two', 'three'].map((name) => suspects.waitOf(name, 2000))).toEqual([undefined, undefined]);
  });
});
