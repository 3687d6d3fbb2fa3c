import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { outageHistory } from '../../test/fixtures/subjects/ratelimiter/simulated-outage.ts';
import { HistoryLines } from '../subjects/history/json-lines.ts';

/** `chaosdemo check` of a file on standard input. */
function check(file: string, ...options: string[]) {
  const program = fileURLToPath(new URL('chaosdemo.ts', import.meta.url));
  const { status, stderr, stdout } = spawnSync(process.execPath, [program, 'check', ...options, '-'], {
    input: file,
    encoding: 'utf8',
  });
  return { status, stderr, stdout };
}

describe('chaosdemo check', () => {
  it('prints no control character of a file, as text or as JSON', () => {
    const file = new HistoryLines(outageHistory())
      .take()
      .join('\n')
      .replaceAll('"held"', '"\u009b2J\u202e\\u001b[31m"');
    expect(file).toContain('\u009b');
    for (const options of [[], ['--json']]) {
      const { status, stdout } = check(file, ...options);
      expect(status).toBe(0);
      expect(stdout).toContain('2J');
      expect(stdout.replaceAll('\n', '')).toMatch(/^[^\p{Cc}\p{Bidi_Control}]*$/u);
    }
  });

  it('names a scenario whose fault has no recorded probe', () => {
    const file = new HistoryLines(outageHistory()).take().join('\n');
    expect(check(file)).toMatchObject({ status: 0, stderr: '' });
    expect(check(file.replace('"type":"Stall"', '"type":"Refuse"'))).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/^chaosdemo: outage: no probe .*\n$/),
    });
  });

  it('ends with 65 for a line without an end, as for anything that is no history', () => {
    expect(check('x'.repeat(1_000_000))).toMatchObject({ status: 65, stdout: '' });
    expect(check('')).toMatchObject({
      status: 65,
      stderr: expect.stringMatching(/^chaosdemo: .*no history\n$/),
    });
  });
});
