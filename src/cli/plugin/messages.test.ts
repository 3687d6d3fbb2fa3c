/** The words of `kubectl chaosdemo`, in one snapshot: other tests of the plugin assert reasons, commands and states. */
import { expect, it } from 'vitest';
import {
  conditionWith,
  demoWith,
  statusInFault,
  statusWaiting,
} from '../../../test/fixtures/cli/view/status.ts';
import type { ChaosDemo, ChaosDemoStatus } from '../../api/index.ts';
import { parseManifest } from '../manifest.ts';
import { abortOf, advanceOf, rerunOf } from './commands/steering.ts';
import { kubectlFor } from './connection.ts';
import { findingLines, summaryOf } from './doctor/finding.ts';
import { checkObject } from './doctor/object-checks.ts';
import { PluginError } from './errors.ts';
import { createProgram } from './program.ts';

const program = createProgram({ signal: new AbortController().signal, onExit: () => undefined });
const kubectl = kubectlFor({ context: 'prod' });

const pending = (type: string, status: 'True' | 'False', reason: string): ChaosDemoStatus => ({
  observedGeneration: 1,
  phase: 'Pending',
  conditions: [conditionWith(type, status, reason), conditionWith('Finished', 'False', reason)],
});
const on = statusInFault();
const ended: ChaosDemoStatus = {
  ...on,
  conditions: [conditionWith('Finished', 'True', 'Violated'), conditionWith('Ready', 'True', 'Violated')],
  ...(on.run && { run: { ...on.run, completedAt: '2026-01-01T00:01:00Z' } }),
};

const DEMOS: readonly (readonly [string, ChaosDemo])[] = [
  ['unseen', demoWith(undefined)],
  ['suspended', demoWith(undefined, { suspend: true })],
  ['refused', demoWith(pending('Stalled', 'True', 'UnprovableSpec'))],
  ['pending', demoWith(pending('Ready', 'False', 'RedisInUse'))],
  ['running', demoWith(on)],
  ['paced by hand', demoWith(on, { pace: { mode: 'Manual' } })],
  ['waiting', demoWith(statusWaiting(), { pace: { mode: 'Manual' } })],
  ['ended', demoWith(ended)],
];

/** What a command prints of its outcome: what it does, or why not and what to do. */
function outcomeOf(work: () => { readonly does: string } | object): string {
  try {
    const done = work();
    return 'does' in done ? done.does : 'accepted';
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    return [error.message, error.remedy].filter((line) => line !== undefined).join('\n');
  }
}

it.each(program.commands.map((command) => [command.name(), command] as const))(
  'the help of %s',
  (_, command) => {
    command.configureHelp({ helpWidth: 100 });
    expect(command.helpInformation()).toMatchSnapshot();
  },
);

it.each(DEMOS)('the words for a ChaosDemo that is %s', (_, demo) => {
  const findings = [checkObject(demo, kubectl, [])];
  expect([...findingLines(findings), '', summaryOf(findings)].join('\n')).toMatchSnapshot('doctor');
  expect(outcomeOf(() => advanceOf(demo, kubectl))).toMatchSnapshot('advance');
  expect(outcomeOf(() => abortOf(demo, kubectl))).toMatchSnapshot('abort');
  expect(outcomeOf(() => rerunOf(demo))).toMatchSnapshot('rerun');
});

it.each([
  ['nothing', ''],
  ['two objects', 'kind: A\n---\nkind: B\n'],
  ['another kind', 'kind: Pod\napiVersion: v1\n'],
  ['no YAML', '{'],
])('the words for a file with %s', (_, content) => {
  expect(() => parseManifest('-f file.yaml', content)).toThrowErrorMatchingSnapshot();
});
