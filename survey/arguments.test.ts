import { describe, expect, it } from 'vitest';
import { readArguments } from './arguments.ts';

describe('the arguments of the survey', () => {
  it('take names and flags', () => {
    expect(
      readArguments([
        'koa-ratelimit',
        'slowapi',
        '--times',
        '3',
        '--resume',
        '--variant=timeout',
        '--at-once=5',
      ]),
    ).toMatchObject({
      names: ['koa-ratelimit', 'slowapi'],
      variants: ['timeout'],
      times: 3,
      resume: true,
      atOnce: 5,
      first: false,
      out: 'docs',
    });
  });

  it('ask for help', () => {
    expect(readArguments(['--help'])).toBe('help');
  });

  it.each([
    [['--times=0'], /--times 0: write a whole number from 1 to 20/],
    [['--at-once=many'], /--at-once many/],
    [['--twice'], /--twice/],
  ])('refuse %j', (args, message) => {
    expect(() => readArguments(args)).toThrow(message);
  });
});
