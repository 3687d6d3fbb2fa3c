import { describe, expect, it } from 'vitest';
import { isRight, majorityGuess, possibleGuesses, randomShares, sharesOf } from './baselines.ts';

const stalled = { anomaly: 'store-writes-stalled', components: ['store'] } as const;
const dead = { anomaly: 'replica-unreachable', components: ['replica-1'] } as const;
const healthy: never[] = [];
const guesses = possibleGuesses(['none', 'store-writes-stalled', 'replica-unreachable'], 2);

describe('a guess', () => {
  it('names each class where it can lie', () => {
    expect(guesses).toEqual([
      { anomaly: 'none', component: 'none' },
      { anomaly: 'store-writes-stalled', component: 'store' },
      { anomaly: 'replica-unreachable', component: 'replica-1' },
      { anomaly: 'replica-unreachable', component: 'replica-2' },
    ]);
  });

  it('may name the right component and the wrong class, and never the reverse', () => {
    expect(isRight({ anomaly: 'store-slow', component: 'store' }, [stalled])).toEqual({
      localization: true,
      identification: false,
    });
    expect(isRight({ anomaly: 'replica-unreachable', component: 'replica-2' }, [dead])).toEqual({
      localization: false,
      identification: false,
    });
    expect(isRight({ anomaly: 'none', component: 'none' }, healthy)).toEqual({
      localization: true,
      identification: true,
    });
  });

  it('of the majority is the one that is right most often', () => {
    expect(majorityGuess(guesses, [[stalled], [stalled], [dead], healthy])).toEqual({
      anomaly: 'store-writes-stalled',
      component: 'store',
    });
    expect(sharesOf({ anomaly: 'none', component: 'none' }, [[dead], healthy]).identification).toBe(0.5);
  });

  it('by chance is right as often as guesses are', () => {
    expect(randomShares(guesses, [[dead]])).toEqual({ localization: 0.25, identification: 0.25 });
  });
});
