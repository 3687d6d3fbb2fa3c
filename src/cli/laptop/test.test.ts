import { fileURLToPath } from 'node:url';
import { UsageError } from '@chaosdemo/settings';
import type { ProcessExit } from '@chaosdemo/testbed';
import { expect, it } from 'vitest';
import { hintsOf, requireWindow, runTest } from './test.ts';

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

const sample = fileURLToPath(new URL('../../../manifests/samples/refuse.yaml', import.meta.url));
it.each([{ fault: ['Refuse'] }, { file: sample }])(
  'puts no proxy before running instances',
  async (given) => {
    const api = { url: ['http://127.0.0.1:1'], redis: 'redis://127.0.0.1:1', ...given };
    const { signal } = new AbortController();
    await expect(runTest({ method: 'GET', ...api } as never, signal)).rejects.toThrow(UsageError);
  },
);

it('does not run with a window that is a guess, and names the option', () => {
  const found = (source: 'guess' | 'measured') => ({
    findings: [{ what: 'window', source, because: '60s' }],
  });
  expect(() => requireWindow(found('measured'))).not.toThrow();
  expect(() => requireWindow(found('guess'))).toThrow(/: write --window$/);
});
