import { describe, expect, it } from 'vitest';
import { helpText, readSettings, UsageError } from '../settings/settings.ts';
import { demoProgram } from './arguments.ts';

const DEMO = demoProgram(['express-rate-limit', 'koa-ratelimit']);

const read = (...args: string[]) => readSettings(DEMO, args, {});

describe('the arguments of the demo', () => {
  it('default to the approximate limiter and the sample', () => {
    expect(read()).toEqual({
      mode: 'approximate',
      file: 'manifests/samples/demo.yaml',
      keep: false,
      plain: false,
      ui: false,
    });
  });

  it('take every option', () => {
    const args = [
      '--mode',
      'strict',
      '--file=mine.yaml',
      '--pace=manual',
      '--keep',
      '--diagnosis=local',
      '--diagnosis-profiles',
      'p.yaml',
      '--plain',
      '--report',
      'out.json',
      '--ui',
    ];
    expect(read(...args)).toEqual({
      mode: 'strict',
      file: 'mine.yaml',
      pace: 'manual',
      plain: true,
      keep: true,
      report: 'out.json',
      ui: true,
      diagnosis: 'local',
      diagnosisProfiles: 'p.yaml',
    });
  });

  it('take another limiter, and how it is configured', () => {
    expect(read('--limiter=koa-ratelimit', '--variant', 'timeout')).toMatchObject({
      limiter: 'koa-ratelimit',
      variant: 'timeout',
    });
  });

  it('ask for help, which names the limiters', () => {
    expect(helpText(DEMO)).toContain('koa-ratelimit');

    expect(read('--help')).toBe('help');
    expect(read('-h')).toBe('help');
  });

  it.each([
    [['--mode', 'exact'], /approximate, strict/],
    [['--pace', 'slow'], /auto, manual/],
    [['--modus'], /modus/],
    [['demo.yaml'], /demo.yaml/],
    [['--file'], /file/],
    [['--limiter', 'koa'], /one of .*koa-ratelimit/],
    [['--variant', 'timeout'], /--variant belongs to --limiter/],
    [['--limiter=koa-ratelimit', '--file=mine.yaml'], /--file does not go with --limiter/],
    [['--limiter=koa-ratelimit', '--mode=strict'], /--mode is of the reference rate limiter/],
  ])('refuse %j and say why', (args, message) => {
    expect(() => read(...args)).toThrow(UsageError);
    expect(() => read(...args)).toThrow(message);
  });
});
