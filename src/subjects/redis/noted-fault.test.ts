import { expect, it } from 'vitest';
import type { FaultReport } from '../../engine/observed.ts';
import { type FaultSpan, injectNoted } from './noted-fault.ts';

const never = new AbortController().signal;
const fault: FaultSpan = { from: 1000, until: 2000 };
const report = { message: '', evidence: [] };

/** The notes that are left after such an injection, and what was noted when it began. */
async function noted(inject: () => Promise<FaultReport>) {
  const left: FaultSpan[] = [];
  let atInjection: FaultSpan[] | undefined;
  const note = async (span: FaultSpan) => {
    left.push(span);
    return async () => void left.splice(left.indexOf(span), 1);
  };
  const injecting = async (): Promise<FaultReport> => {
    atInjection = [...left];
    return await inject();
  };
  const outcome = await injectNoted(note, fault, injecting, never).catch((error: unknown) => error);
  return { atInjection, left, outcome };
}

it.each([
  ['that was proven', { startedAt: 1, endedAt: 2, proof: 'Confirmed' }, [fault]],
  ['that is active', { startedAt: 1, proof: 'Confirmed' }, [fault]],
  // The command was sent, and its answer was lost.
  ['that may have begun', { proof: 'Inconclusive' }, [fault]],
  ['that is over without a start', { endedAt: 2, proof: 'Inconclusive' }, []],
] as const)('the note on a fault %s is kept only if it may have begun', async (_, rest, left) => {
  expect(await noted(async () => ({ ...report, ...rest }))).toMatchObject({ atInjection: [fault], left });
});

it('the note on a fault that was not sent is taken back', async () => {
  const error = new Error('not permitted');
  expect(await noted(() => Promise.reject(error))).toEqual({
    atInjection: [fault],
    left: [],
    outcome: error,
  });
});
