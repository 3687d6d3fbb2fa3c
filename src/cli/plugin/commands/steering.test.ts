import { expect, it } from 'vitest';
import { demoWith, statusInFault, statusWaiting } from '../../../../test/fixtures/cli/view/status.ts';
import { abortOf, advanceOf, rerunOf } from './steering.ts';

it('advances from the waiting chapter, aborts the active run, and requests another', () => {
  expect(advanceOf(demoWith(statusWaiting()), 'kubectl').value).toBe('3/4');
  expect(abortOf(demoWith(statusInFault()), 'kubectl').value).toBe('3');
  expect(rerunOf(demoWith(statusInFault())).value).not.toBe(rerunOf(demoWith(statusInFault())).value);
});
