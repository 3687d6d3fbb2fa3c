import { expect, it } from 'vitest';
import { stopEach } from './stop-each.ts';

it('stops one after the other', async () => {
  const log: string[] = [];
  const part = (name: string) => async (): Promise<void> => {
    log.push(`${name} begins`);
    await Promise.resolve();
    log.push(`${name} has stopped`);
  };
  await stopEach([part('watch'), part('operator')]);
  expect(log).toEqual(['watch begins', 'watch has stopped', 'operator begins', 'operator has stopped']);
});

it('stops the rest if a part fails, and throws the first failure', async () => {
  const stopped: string[] = [];
  const stopping = stopEach([
    async () => {
      throw new Error('the watch hangs');
    },
    async () => void stopped.push('operator'),
    async () => {
      throw new Error('the API server hangs');
    },
    async () => void stopped.push('Redis'),
  ]);
  await expect(stopping).rejects.toThrow('the watch hangs');
  expect(stopped).toEqual(['operator', 'Redis']);
});
