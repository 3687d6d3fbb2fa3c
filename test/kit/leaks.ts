/**
 * Finds in evidence, or in what is made of it, what a diagnosis must not get: what the subject is, what was done
 * to it and when, and what components are really called. Pure.
 */
import { type EvidenceBundle, firstObservationMs } from '../../src/evidence/index.ts';

/** Parts of words that give something away, by what they give away. Case does not matter. */
const TELLING: Readonly<Record<string, readonly string[]>> = {
  subject: ['rate.?limit', 'limiter', 'throttl', 'quota', 'token bucket', 'sliding window', 'fixed window'],
  product: ['redis', 'valkey', 'memcached', 'dragonfly', 'keydb', 'kubernetes', '\\bk8s\\b', '\\blua\\b'],
  fault: [
    'fault',
    'inject',
    'chaos',
    'outage',
    '\\bdrift',
    '\\bghosts?\\b',
    '\\bburst',
    '\\bpaus(e|es|ed|ing)\\b',
    'CLIENT (UN)?PAUSE',
    'countdown',
    '\\bsettle\\b',
    'baseline',
    '\\bunpause',
    '\\bprobe\\b',
  ],
  story: ['scenario', 'chapter', 'experiment', '\\bdemo', '\\btrials?\\b', 'expect'],
  place: [
    '\\bpods?\\b',
    'namespace',
    '\\b\\d{1,3}(\\.\\d{1,3}){3}\\b',
    '[0-9a-f]{1,4}::[0-9a-f]',
    '\\b([0-9a-f]{1,4}:){4,7}[0-9a-f]{1,4}\\b',
    '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}',
  ],
};

const PATTERNS = Object.entries(TELLING).flatMap(([what, parts]) =>
  parts.map((part) => ({ what, pattern: new RegExp(part, 'i') })),
);

/** A word, or a time, that reveals too much, and what it reveals. */
export interface Leak {
  readonly word: string;
  /** Of the subject, product, fault, story or place; or a name that was given; or when something was done. */
  readonly reveals: string;
}

/**
 * Each once; none: nothing is given away. Evidence whose times count from anything but the first thing that was
 * seen reveals when that other thing was.
 * @param names that must not stand in it either: of pods, scenarios, faults, keys
 */
export function leaksOf(material: string | EvidenceBundle, names: readonly string[] = []): Leak[] {
  // The letter of an escaped line end would join the word behind it.
  const text = typeof material === 'string' ? material : JSON.stringify(material).replaceAll(/\\[^u]/g, ' ');
  const found = PATTERNS.flatMap(({ pattern, what }) => {
    const word = pattern.exec(text)?.[0];
    return word === undefined ? [] : [{ word, reveals: what }];
  });
  const lower = text.toLowerCase();
  const given = names
    .filter((name) => name !== '' && lower.includes(name.toLowerCase()))
    .map((name) => ({ word: name, reveals: 'name' }));
  const beginsAt = typeof material === 'string' ? undefined : firstObservationMs(material);
  const origin = beginsAt ? [{ word: `the first time is ${beginsAt} ms`, reveals: 'moment' }] : [];
  return [...found, ...given, ...origin];
}
