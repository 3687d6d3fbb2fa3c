/** Every sentence about a lock. Its reasons and figures are asserted next to what finds them. */
import { expect, it } from 'vitest';
import { LockHistory } from '../../../test/fixtures/subjects/lock/lock-history.ts';
import { lockSpec } from '../../../test/kit/planted-lock.ts';
import { applying } from '../checkers/checker.ts';
import { subjectOf } from '../subject.ts';
import { lockKind } from './kind.ts';
import { lockWords } from './scenarios/exclusion/words.ts';

const turns = (more: (history: LockHistory) => LockHistory, fence?: (at: number) => number): LockHistory => {
  const history = new LockHistory().fault(10_000, 20_000);
  for (let at = 8000; at < 25_000; at += 500) {
    history.granted({ sentAt: at, from: at + 2, to: at + 60, ...(fence && { fence: fence(at) }) });
    history.asked(at + 10, 'Rejected', { pod: 'b' });
  }
  return more(history).ended(27_000);
};

/** Both pods grant the lock again. */
const returning = (history: LockHistory): LockHistory =>
  history
    .stopped(25_500)
    .granted({ sentAt: 25_600, from: 25_601, to: 25_602, fence: 25_600 })
    .granted({ sentAt: 25_700, from: 25_701, to: 25_702, fence: 25_700, pod: 'b' });

const sentencesOf = (history: LockHistory, setup = {}): string[] => {
  const { findings } = history.judged(setup);
  return [...findings].flatMap(([name, { byPod, evidence, missing, summary, unproven }]) =>
    [summary, ...applying(unproven), ...applying(missing), ...applying(evidence), ...applying(byPod)].flatMap(
      (found) => (found ? `${name}: ${lockWords(found)}` : []),
    ),
  );
};

it.each([
  ['returned', turns(returning), {}],
  ['stuck', turns((history) => history.stopped(25_500).asked(25_600, 'Rejected')), { slots: 3 }],
  ['failing', turns((history) => history.stopped(25_500).asked(25_600, 'Error')), {}],
  ['not tried again', turns((history) => history.stopped(25_500)), {}],
  [
    'granted twice',
    turns((history) => returning(history.granted({ sentAt: 15_010, from: 15_020, to: 15_050, pod: 'b' }))),
    {},
  ],
  ['fenced', turns(returning, (at) => at), { isFenced: true }],
  ['badly fenced', turns(returning, (at) => -at), { isFenced: true }],
  ['without tokens', turns(returning), { isFenced: true }],
  ['not measured', turns(returning), { price: { memory: 2 } }],
  ['hardly used', returning(new LockHistory().fault(10_000, 20_000)).ended(27_000), {}],
])('a lock that is %s', (_, history, setup) => {
  expect(sentencesOf(history, setup)).toMatchSnapshot();
});

it('what will be done', () => {
  const spec = lockSpec({ ttl: '10s' });
  const { definition } = subjectOf(lockKind);
  const [scenario] = definition.scenarios(spec);
  expect([definition.welcome(spec, undefined), scenario?.faultTitle, scenario?.invariant]).toMatchSnapshot();
});
