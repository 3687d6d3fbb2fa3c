import { describe, expect, it } from 'vitest';
import { FairGate } from './fair-gate.ts';

const never = new AbortController().signal;
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Work that goes on until it is told to end; in the order in which it began. */
function setup(most: number, mostByGroup: number) {
  const gate = new FairGate({ most, mostByGroup });
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const run = (name: string, signal = never): Promise<string> =>
    gate.run(name.slice(0, 1), signal, async () => {
      begun.push(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
      return name;
    });
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await settle();
  };
  return { begun, end, gate, run };
}

describe('FairGate', () => {
  it('has no more at work than it may, in all and of one group', async () => {
    const { begun, end, gate, run } = setup(3, 2);
    for (const name of ['a1', 'a2', 'a3', 'b1', 'c1']) void run(name);
    await settle();
    expect([begun, gate.atWork]).toEqual([['a1', 'a2', 'b1'], 3]);
    await end('b1');
    expect(begun.at(-1)).toBe('c1');
    await end('a1');
    expect(begun.at(-1)).toBe('a3');
    for (const name of ['a2', 'a3', 'c1']) await end(name);
    expect(gate.atWork).toBe(0);
  });

  it('lets groups take turns, however many of one wait', async () => {
    const { begun, end, run } = setup(1, 1);
    for (let i = 0; i < 50; i += 1) void run(`a${i}`);
    void run('b0');
    await settle();
    for (const name of ['a0', 'a1', 'b0']) await end(name);
    expect(begun).toEqual(['a0', 'a1', 'b0', 'a2']);
  });

  it('gives the turn of work that failed, or that nobody waits for any more, to the next', async () => {
    const { begun, end, gate, run } = setup(1, 1);
    const failing = gate.run('a', never, async () => {
      await settle();
      throw new Error('failed');
    });
    const stop = new AbortController();
    const givenUp = run('b1', stop.signal);
    void run('b2');
    stop.abort(new Error('enough'));
    await expect(givenUp).rejects.toThrow('enough');
    await expect(failing).rejects.toThrow('failed');
    await settle();
    expect(begun).toEqual(['b2']);
    await end('b2');
    await expect(run('b3', stop.signal)).rejects.toThrow('enough');
    expect(gate.atWork).toBe(0);
  });
});
