import { describe, expect, it } from 'vitest';
import { type CommandCounts, grown, OTHERS, parseCommandCounts, summed } from './command-counts.ts';

const line = (name: string, calls: number) =>
  `cmdstat_${name}:calls=${calls},usec=12,usec_per_call=1.00,rejected_calls=7,failed_calls=3`;
const stats = (...lines: string[]) => ['# Commandstats', ...lines, ''].join('\r\n');

describe('the counts of commands', () => {
  it('are the calls of those that touch data', () => {
    const { data } = parseCommandCounts(stats(line('evalsha', 12), line('incrby', 12), line('Get', 2)));
    expect([...data]).toEqual([
      ['evalsha', 12],
      ['incrby', 12],
      ['get', 2],
    ]);
  });

  it('take no memory for names that a server invents', async () => {
    const invented = (look: number) =>
      stats(...Array.from({ length: 13_000 }, (_, i) => `cmdstat_c${i}:calls=${look}`));
    const texts = [invented(1), invented(2)];
    const [before, after] = texts.map(parseCommandCounts);
    const names = [...grown(before as CommandCounts, after as CommandCounts).keys()];
    expect(names).toHaveLength(65);
    expect(names.at(-1)).toBe(OTHERS);
  });

  it('leave out what probes, exporters and connections send, by whatever subcommand', () => {
    const none = [
      'ping',
      'client|list',
      'client|setinfo',
      'config|get',
      'slowlog|get',
      'hello',
      'script|load',
    ];
    expect(parseCommandCounts(stats(...none.map((name) => line(name, 5)), line('info', 9)))).toEqual({
      data: new Map(),
      info: 9,
    });
  });

  it('grow, and a count that was reset has not grown', () => {
    const before = parseCommandCounts(stats(line('get', 5), line('set', 9)));
    const after = parseCommandCounts(stats(line('get', 7), line('set', 1), line('del', 2)));
    expect([...grown(before, after)]).toEqual([
      ['get', 2],
      ['del', 2],
    ]);
  });

  it('of several servers are the sum, and INFO is what each has counted', () => {
    const [first, second] = [stats(line('get', 5), line('info', 9)), stats(line('get', 1), line('info', 7))];
    expect(summed([parseCommandCounts(first), parseCommandCounts(second)])).toEqual({
      data: new Map([['get', 6]]),
      info: 7,
    });
  });
});
