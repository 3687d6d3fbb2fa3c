import type { ProcessExit } from '@chaosdemo/testbed';
import { expect, it } from 'vitest';
import { hintsOf } from './test.ts';

/** Instances of which one has ended. */
const started = [0, 1, 2].map((i) => ({
  name: `api-${i}`,
  process: {
    exit: i === 2 ? ({ code: 1, signal: null } satisfies ProcessExit) : undefined,
    logTail: () => `output ${i}`,
  },
}));

it.each([
  ['without any fault GET / to api-1 failed', ['the last output of api-1:', 'output 1']],
  ['redis-0 did not answer', []],
  ['api-2 is not ready', []],
])('prints the output of the instance that the message is about: %s', (message, lines) => {
  expect(hintsOf({ status: { phase: 'Errored', message } }, started)).toEqual(lines);
});
