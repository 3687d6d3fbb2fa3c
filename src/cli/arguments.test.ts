import { describe, expect, it } from 'vitest';
import { readSettings, UsageError } from '../settings/settings.ts';
import { DEMO } from './arguments.ts';

const read = (...args: string[]) => readSettings(DEMO, args, {});

describe('the arguments of the demo', () => {
  it('default to the approximate limiter and the sample', () => {
    expect(read()).toEqual({ mode: 'approximate', file: 'manifests/samples/demo.yaml', keep: false });
  });

  it('take every option', () => {
    const args = [
      '--mode',
      'strict',
      '--file=mine.yaml',
      '--pace=manual',
      '--keep',
      '--report',
      'out.json',
      '--diagnosis=local',
      '--diagnosis-profiles',
      'p.yaml',
    ];
    expect(read(...args)).toEqual({
      mode: 'strict',
      file: 'mine.yaml',
      pace: 'manual',
      keep: true,
      report: 'out.json',
      diagnosis: 'local',
      diagnosisProfiles: 'p.yaml',
    });
  });

  it('ask for help', () => {
    expect(read('--help')).toBe('help');
    expect(read('-h')).toBe('help');
  });

  it.each([
    [['--mode', 'exact'], /approximate, strict/],
    [['--pace', 'slow'], /auto, manual/],
    [['--modus'], /modus/],
    [['demo.yaml'], /demo.yaml/],
    [['--file'], /file/],
  ])('refuse %j and say why', (args, message) => {
    expect(() => read(...args)).toThrow(UsageError);
    expect(() => read(...args)).toThrow(message);
  });
});
