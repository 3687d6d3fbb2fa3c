import { describe, expect, it } from 'vitest';
import { LockHistory } from '../../../../test/fixtures/subjects/lock/lock-history.ts';
import type { Behaviour } from './holds.ts';

const FAULT = [10_000, 20_000] as const;
const END = 26_000;

/** Two contenders take turns outside of the fault; in it, they get this, again and again. */
function around(
  inFault: (history: LockHistory, at: number) => void,
  fence?: (at: number) => number,
): LockHistory {
  const history = new LockHistory().fault(...FAULT);
  for (let at = 5000; at < 25_000; at += 100) {
    if (at >= FAULT[0] && at < FAULT[1]) {
      inFault(history, at);
      continue;
    }
    history.granted({ sentAt: at, from: at + 2, to: at + 60, ...(fence && { fence: fence(at) }) });
    history.asked(at + 10, 'Rejected', { pod: 'b' });
  }
  return history;
}

/** Every slot is granted again in the end, by both pods. */
const returning = (history: LockHistory): LockHistory =>
  history
    .stopped(25_500)
    .granted({ sentAt: 25_600, from: 25_601, to: 25_610 })
    .granted({ sentAt: 25_620, from: 25_621, to: 25_630, pod: 'b' })
    .ended(END);

const asBefore = (history: LockHistory, at: number): void => {
  history.granted({ sentAt: at, from: at + 2, to: at + 60 }).asked(at + 10, 'Rejected', { pod: 'b' });
};

describe('what contenders get in the fault', () => {
  it.each<[Behaviour, string, (history: LockHistory, at: number) => void]>([
    ['Excludes', 'as before', asBefore],
    ['Denies', 'errors', (history, at) => history.asked(at, 'Error')],
    ['Denies', 'denials', (history, at) => history.asked(at, 'Rejected')],
    ['Hangs', 'no answer', (history, at) => history.asked(at, 'Timeout', { endedAt: at + 100 })],
    [
      'Mixed',
      'errors now and then',
      (history, at) => (at % 300 === 0 ? history.asked(at, 'Error') : asBefore(history, at)),
    ],
  ])('is %s if they get %s', (word, _, inFault) => {
    const { detectedAt, shortfalls, summary } = returning(around(inFault)).judged();
    expect(summary).toBe(word);
    expect(detectedAt !== undefined).toBe(word === 'Hangs' || word === 'Mixed');
    expect(shortfalls).toEqual([]);
  });

  it('is DoubleGrants if two hold at once, and proven whatever else is missing', () => {
    const history = around((history, at) => {
      asBefore(history, at);
      if (at === 15_000) history.granted({ sentAt: at + 3, from: at + 5, to: at + 50, pod: 'b' });
    });
    const { brokenAt, findings, provenAlone, summary } = returning(history).judged();
    expect(summary).toBe('DoubleGrants; 2 > 1 at once');
    expect({ brokenAt, provenAlone }).toEqual({ brokenAt: 15_005, provenAlone: true });
    expect(findings.get('exclusion')?.evidence).toMatchObject([
      { code: 'DoubleGranted', first: { hold: { pod: 'b' } }, held: 2, before: 0 },
    ]);
  });

  it('is not judged if contenders were too few', () => {
    const { shortfalls } = returning(around(() => undefined)).judged();
    expect(shortfalls).toMatchObject([{ code: 'TooFewAcquires', have: 0 }]);
  });

  it('states what was excluded, of requests while the lock was held for certain', () => {
    const { findings } = returning(around(asBefore)).judged();
    const [power] = findings.get('exclusion')?.evidence ?? [];
    expect(power).toMatchObject({ code: 'NotDoubleGranted', contended: 200, inFault: 100 });
  });
});

describe('after the fault', () => {
  it.each([
    ['denied', 'Rejected', 'NotReturned'],
    ['answered with an error', 'Error', 'NotRecovered'],
  ] as const)('a key that is still %s is a violation', (_, outcome, code) => {
    const history = around(asBefore).stopped(25_500).asked(25_600, outcome).ended(END);
    const { detectedAt, findings } = history.judged();
    expect(detectedAt).toBe(END);
    expect(findings.get('slotsReturn')?.evidence).toMatchObject([{ code, keys: 1, have: 0, slots: 1 }]);
  });

  it('a lock that only one pod gets again has not returned', () => {
    const history = around(asBefore)
      .stopped(25_500)
      .granted({ sentAt: 25_600, from: 25_601, to: 25_610 })
      .asked(25_700, 'Rejected', { pod: 'b' })
      .ended(END);
    expect(history.judged().findings.get('slotsReturn')).toMatchObject({ isBroken: true });
  });

  it('a semaphore that grants fewer slots than before has not returned', () => {
    const history = around(asBefore)
      .stopped(25_500)
      .granted({ sentAt: 25_600, from: 25_601, to: 25_650 })
      .granted({ sentAt: 25_660, from: 25_661, to: 25_690, pod: 'b' })
      .asked(25_665, 'Rejected')
      .ended(END);
    const { findings } = history.judged({ slots: 2 });
    expect(findings.get('slotsReturn')?.evidence).toMatchObject([{ code: 'NotReturned', have: 1, slots: 2 }]);
  });
});

describe('fencing tokens', () => {
  const nothing = (): void => undefined;
  const growing = () => around(nothing, (at) => at);

  it('that grow are as they should be', () => {
    const { findings } = returning(growing()).judged({ isFenced: true });
    expect(findings.get('fencing')).toMatchObject({ isBroken: false, evidence: [{ code: 'TokensGrew' }] });
  });

  it.each([
    ['shrinks', 5],
    ['is repeated', 24_900],
  ])('one that %s is a violation', (_, fence) => {
    const history = growing().granted({ sentAt: 25_000, from: 25_001, to: 25_100, fence });
    const { findings, provenAlone } = returning(history).judged({ isFenced: true });
    expect(findings.get('fencing')).toMatchObject({ isBroken: true, brokenAt: 25_001 });
    expect(provenAlone).toBe(true);
  });
});
