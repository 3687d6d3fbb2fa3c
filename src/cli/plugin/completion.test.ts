import { spawnSync } from 'node:child_process';
import { describe, expect, it, vi } from 'vitest';
import { complete, completionLines, completionScript, SHELLS } from './completion.ts';
import type { Place } from './connection.ts';
import { createProgram } from './program.ts';

const program = createProgram({ signal: new AbortController().signal, onExit: () => undefined });
const demos = vi.fn(async ({ namespace }: Place) => (namespace === 'shop' ? ['checkout', 'cart'] : ['demo']));
const values = async (...words: string[]) =>
  (await complete(program, words, { demos })).candidates.map(({ value }) => value);

describe('completion', () => {
  it('knows the commands, with what they are about, and hides its own', async () => {
    expect(await values('')).toEqual([
      'init',
      'run',
      'wait',
      'watch',
      'present',
      'advance',
      'abort',
      'rerun',
      'report',
      'history',
      'ui',
      'doctor',
      'completion',
    ]);
    const lines = completionLines(await complete(program, ['re'], { demos }));
    expect(lines).toEqual([
      'rerun\tRun again, without a change of the spec',
      'report\tWrite a report of the last run, once it has ended',
      ':4',
    ]);
  });

  it('offers nothing that a shell would run, whatever a server calls its objects', async () => {
    const names = { demos: async () => ['$(id)', 'a;id', 'a b', 'fine.2'] };
    const { candidates } = await complete(program, ['watch', ''], names);
    expect(candidates).toEqual([{ value: 'fine.2' }]);
  });

  it.each(SHELLS.map((shell) => [shell, shell === 'kubectl' ? 'sh' : shell] as const))(
    'has a script for %s that its shell can read',
    (shell, program) => {
      const { error, status, stderr } = spawnSync(program, ['-n'], { input: completionScript(shell) });
      // Only where that shell is installed.
      if (!error) expect({ status, stderr: String(stderr) }).toEqual({ status: 0, stderr: '' });
    },
  );

  it('completes in a real bash', () => {
    const script = `
      kubectl-chaosdemo() { printf 'rerun\\tRun again\\n:4\\n'; printf '%s|' "$@" >&2; }
      ${completionScript('bash').replaceAll('2>/dev/null', '')}
      COMP_WORDS=(kubectl-chaosdemo re); COMP_CWORD=1
      _kubectl_chaosdemo
      printf '%s' "\${COMPREPLY[*]}"`;
    const { stderr, stdout } = spawnSync('bash', ['-c', script]);
    expect(String(stdout)).toBe('rerun');
    expect(String(stderr)).toBe('__complete|re|');
  });
});
