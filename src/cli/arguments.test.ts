import { describe, expect, it } from 'vitest';
import { parseDemoArguments } from './arguments.ts';
import { UsageError } from './program.ts';

describe('the arguments of the demo', () => {
  it('default to the approximate limiter and the sample', () => {
    expect(parseDemoArguments([], 'demo.yaml')).toEqual({
      mode: 'approximate',
      file: 'demo.yaml',
      pace: undefined,
      keep: false,
      report: undefined,
    });
  });

  it('take every option', () => {
    const args = ['--mode', 'strict', '--file=mine.yaml', '--pace=manual', '--keep', '--report', 'out.json'];
    expect(parseDemoArguments(args, 'demo.yaml')).toEqual({
      mode: 'strict',
      file: 'mine.yaml',
      pace: 'Manual',
      keep: true,
      report: 'out.json',
    });
  });

  it('ask for help', () => {
    expect(parseDemoArguments(['--help'], 'x')).toBeUndefined();
    expect(parseDemoArguments(['-h'], 'x')).toBeUndefined();
  });

  it.each([
    [['--mode', 'exact'], /approximate or strict/],
    [['--pace', 'slow'], /auto or manual/],
    [['--modus'], /modus/],
    [['demo.yaml'], /demo.yaml/],
    [['--file'], /file/],
  ])('refuse %j and say why', (args, message) => {
    expect(() => parseDemoArguments(args, 'x')).toThrow(UsageError);
    expect(() => parseDemoArguments(args, 'x')).toThrow(message);
  });
});
