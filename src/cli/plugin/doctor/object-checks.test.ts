import { describe, expect, it } from 'vitest';
import { conditionWith, demoWith, statusInFault } from '../../../../test/fixtures/cli/view/status.ts';
import type { ChaosDemo } from '../../../api/index.ts';
import type { Finding } from './finding.ts';
import { exitOf, summaryOf } from './finding.ts';
import { checkObject } from './object-checks.ts';

const check = (demo: ChaosDemo, others: readonly Finding[] = []) => checkObject(demo, 'kubectl', others);

const EDIT = 'kubectl -n ratelimiter edit chaosdemo demo';
const RERUN = 'kubectl chaosdemo rerun demo -n ratelimiter';

describe('what doctor makes of an object', () => {
  it('is wrong if a run waits for pods that are not healthy', () => {
    const { scenarios, ...status } = statusInFault();
    const waiting = { ...status, conditions: [conditionWith('Healthy', 'False', 'PodsNotReady')] };
    expect(check(demoWith(waiting))).toMatchObject({ state: 'wrong', reason: 'PodsNotReady' });
    expect(check(demoWith({ ...waiting, ...(scenarios && { scenarios }) })).state).toBe('ok');
  });

  it('names commands of which a shell takes no part of a name for more than a name', () => {
    const { metadata, ...demo } = demoWith(undefined, { suspend: true });
    const hostile = { ...demo, metadata: { ...metadata, name: 'a;id', namespace: '$(id)' } };
    expect(check(hostile).fixCommands?.[0]).toMatch(
      /^kubectl -n '\$\(id\)' patch chaosdemo 'a;id' --type=merge /,
    );
  });

  it.each([
    ['BaselineFailed', 'Errored', [EDIT, RERUN]],
    ['UnexpectedViolation', 'Failed', [EDIT, RERUN]],
  ] as const)('is wrong after a run that ended %s', (reason, phase, fixCommands) => {
    const { run, ...status } = statusInFault();
    const conditions = [conditionWith('Finished', 'True', reason)];
    const ended = { ...run, number: 3, startedAt: '', phase, reason };
    const finding = check(demoWith({ ...status, phase, conditions, run: ended }));
    expect(finding).toMatchObject({ state: 'wrong', reason, fixCommands });
    expect(finding.message).toContain(`${phase} (${reason})`);
  });
});

it.each([
  [['ok', 'note'], 0],
  [['ok', 'unknown'], 2],
  [['unknown', 'wrong', 'ok'], 1],
] as const)('ends with the status of the worst of %j', (states, status) => {
  const findings = states.map((state) => ({ check: 'CRD', state, message: '' }));
  expect(exitOf(findings)).toBe(status);
  expect(summaryOf(findings) === 'No problem found.').toBe(status === 0);
});
