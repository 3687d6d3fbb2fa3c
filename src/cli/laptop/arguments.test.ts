import { describe, expect, it } from 'vitest';
import { parsed } from '../../../test/kit/command.ts';
import { type TestOptions, testCommand } from './arguments.ts';

const read = (...args: string[]) => parsed(testCommand(), args).opts<TestOptions>();

describe('the options of a test', () => {
  it('have few defaults, since the rest is found', () => {
    expect(read()).toEqual({ method: 'GET' });
  });

  it('take headers, outcomes and durations as they are written', () => {
    const args = ['--header', 'X-Api-Key: $(key)', '--header', 'A:b: c', '--window=90s'];
    args.push('--fault', 'Stall, Refuse,Stall', '--duration', '90s');
    expect(read(...args, '--accept', 'FailsOpen', 'Enforces')).toMatchObject({
      header: [
        { name: 'X-Api-Key', value: '$(key)' },
        { name: 'A', value: 'b: c' },
      ],
      window: '1m30s',
      accept: ['FailsOpen', 'Enforces'],
      fault: ['Stall', 'Refuse'],
      duration: '1m30s',
    });
  });

  it.each([
    [['--limit', '0'], 'commander.invalidArgument'],
    [['--limit', '5001'], 'commander.invalidArgument'],
    [['--window', '500ms'], 'commander.invalidArgument'],
    [['--window', '2h'], 'commander.invalidArgument'],
    [['--window', 'minute'], 'commander.invalidArgument'],
    [['--header', 'X-Api-Key'], 'commander.invalidArgument'],
    [['--header', 'X Api: 1'], 'commander.invalidArgument'],
    [['--key-header', 'a b'], 'commander.invalidArgument'],
    [['--instances', '11'], 'commander.invalidArgument'],
    [['--accept', 'Crashes'], 'commander.invalidArgument'],
    [['--fault', 'Stall,Crash'], 'commander.invalidArgument'],
    [['--seed', '4294967296'], 'commander.invalidArgument'],
    [['--file=api.yaml', '--quick'], 'commander.conflictingOption'],
    [['--identity', 'key'], 'commander.invalidArgument'],
    [['--algorithm', 'Magic'], 'commander.invalidArgument'],
    [['--url=http://127.0.0.1', '--start=x'], 'commander.conflictingOption'],
    [['--url=http://127.0.0.1', '--path=/x'], 'commander.conflictingOption'],
    [['--key-header=a', '--identity=address'], 'commander.conflictingOption'],
    [['--file=api.yaml', '--limit=10'], 'commander.conflictingOption'],
    [['http://127.0.0.1:3000'], 'commander.excessArguments'],
  ])('reject %j', (args, code) => {
    expect(() => read(...args)).toThrow(expect.objectContaining({ code }));
  });
});
