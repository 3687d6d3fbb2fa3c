import { expect, it } from 'vitest';
import { GroupLimit } from './group-limit.ts';

const never = new AbortController().signal;
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Work that runs until it is ended by its name, which begins with its group; in the order in which it began. */
function setup(max: number, maxPerGroup: number) {
  const limit = new GroupLimit({ max, maxPerGroup });
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const run = (name: string, signal = never): Promise<void> =>
    limit.run(name.slice(0, 1), signal, async () => {
      begun.push(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
    });
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await settle();
  };
  return { begun, end, limit, run };
}

it('runs no more at the same time than it may, in all and of one group', async () => {
  const { begun, end, run } = setup(3, 2);
  for (const name of ['a1', 'a2', 'a3', 'b1', 'c1']) void run(name);
  await settle();
  expect(begun).toEqual(['a1', 'a2', 'b1']);
  await end('b1');
  expect(begun.at(-1)).toBe('c1');
  await end('a1');
  expect(begun.at(-1)).toBe('a3');
});

it('lets a group wait for one of another group, however many of that wait', async () => {
  const { begun, end, run } = setup(1, 1);
  for (let i = 0; i < 50; i += 1) void run(`a${i}`);
  void run('b0');
  await settle();
  for (const name of ['a0', 'b0', 'a1']) await end(name);
  expect(begun).toEqual(['a0', 'b0', 'a1', 'a2']);
});

it('gives the turn of work that failed or was given up to the next', async () => {
  const { begun, limit, run } = setup(1, 1);
  const failing = limit.run('a', never, async () => {
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
});
