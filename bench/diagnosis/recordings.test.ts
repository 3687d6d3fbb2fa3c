import { expect, it } from 'vitest';
import { readRecordings } from '../../corpus/recording.ts';
import { rulesProvider } from '../../src/diagnosis/index.ts';
import { explain } from './explain.ts';

it('the rules call no real healthy run ill, however slow everything was', async () => {
  const healthy = (await readRecordings()).filter(({ truths }) => truths.length === 0);
  expect(healthy.length).toBeGreaterThanOrEqual(10);
  const said: Record<string, string> = {};
  for (const recording of healthy) {
    const { answer } = await explain(recording, rulesProvider);
    said[recording.name] = `${answer?.anomaly} in ${answer?.component}: ${answer?.action}`;
  }
  expect(said).toEqual(Object.fromEntries(healthy.map(({ name }) => [name, 'none in none: none'])));
});
