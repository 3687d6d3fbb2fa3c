import { describe, expect, it } from 'vitest';
import { parsed } from '../../test/kit/command.ts';
import { type DemoOptions, demoCommand } from './arguments.ts';

const read = (...args: string[]) =>
  parsed(demoCommand(['express-rate-limit', 'koa-ratelimit']), args).opts<DemoOptions>();

describe('the options of a demo', () => {
  it('have defaults', () => {
    expect(read()).toEqual({ mode: 'approximate', file: 'manifests/samples/demo.yaml' });
  });

  it('take a limiter of the survey and its variant', () => {
    expect(read('--limiter=koa-ratelimit', '--variant', 'timeout')).toMatchObject({
      limiter: 'koa-ratelimit',
      variant: 'timeout',
    });
  });

  it.each([
    [['--mode', 'exact'], 'commander.invalidArgument'],
    [['--pace', 'slow'], 'commander.invalidArgument'],
    [['--diagnosis', 'No Name'], 'commander.invalidArgument'],
    [['--limiter', 'koa'], 'commander.invalidArgument'],
    [['--modus'], 'commander.unknownOption'],
    [['demo.yaml'], 'commander.excessArguments'],
    [['--file'], 'commander.optionMissingArgument'],
    [['--limiter=koa-ratelimit', '--file=mine.yaml'], 'commander.conflictingOption'],
    [['--limiter=koa-ratelimit', '--mode=strict'], 'commander.conflictingOption'],
  ])('reject %j', (args, code) => {
    expect(() => read(...args)).toThrow(expect.objectContaining({ code }));
  });
});
