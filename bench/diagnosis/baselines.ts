/** The score of guesses without evidence: it shows how hard a corpus is. Pure. */
import type { Truth } from '../../src/diagnosis/index.ts';

/** Class and component, as an answer names them. */
export interface Guess {
  readonly anomaly: string;
  readonly component: string;
}

/** A share of recordings, by dimension. */
export interface GuessedShares {
  readonly localization: number;
  readonly identification: number;
}

/** Everything that may be said of a system with these replicas. */
export function possibleGuesses(anomalies: readonly string[], replicas: number): Guess[] {
  const names = Array.from({ length: replicas }, (_, index) => `replica-${index + 1}`);
  return anomalies.flatMap((anomaly) => {
    if (anomaly === 'none') return [{ anomaly, component: 'none' }];
    const components = anomaly.startsWith('store') ? ['store'] : names;
    return components.map((component) => ({ anomaly, component }));
  });
}

/** Whether a guess names the right component, and the right class. */
export function isRight(
  guess: Guess,
  truths: readonly Truth[],
): { localization: boolean; identification: boolean } {
  if (truths.length === 0) {
    return { localization: guess.component === 'none', identification: guess.anomaly === 'none' };
  }
  const there = truths.filter(({ components }) => components.includes(guess.component));
  return {
    localization: there.length > 0,
    identification: there.some(({ anomaly }) => anomaly === guess.anomaly),
  };
}

/** Shares of recordings of which one guess, the same for all, is right. */
export function sharesOf(guess: Guess, recordings: readonly (readonly Truth[])[]): GuessedShares {
  const right = recordings.map((truths) => isRight(guess, truths));
  const share = (of: keyof GuessedShares): number => right.filter((one) => one[of]).length / right.length;
  return { localization: share('localization'), identification: share('identification') };
}

/** The guess that is right most often of the recordings that are not held back; the first of equals. */
export function majorityGuess(guesses: readonly Guess[], recordings: readonly (readonly Truth[])[]): Guess {
  const [best] = guesses
    .map((guess) => ({ guess, share: sharesOf(guess, recordings).identification }))
    .toSorted((a, b) => b.share - a.share);
  if (!best) throw new RangeError('there is nothing to guess');
  return best.guess;
}

/** What guesses by chance reach on average, each as likely as the others. */
export function randomShares(
  guesses: readonly Guess[],
  recordings: readonly (readonly Truth[])[],
): GuessedShares {
  const each = guesses.map((guess) => sharesOf(guess, recordings));
  const mean = (of: keyof GuessedShares): number => each.reduce((sum, one) => sum + one[of], 0) / each.length;
  return { localization: mean('localization'), identification: mean('identification') };
}
