import { expect, it } from 'vitest';
import { readRecordings } from '../../corpus/recording.ts';
import { rulesProvider } from '../../src/diagnosis/index.ts';
import { explain } from './explain.ts';

it('the rules call no real healthy run ill, however slow everything was', async () => {
  const healthy = (await readRecordings()).filter(({ truths }) => truths.length === 0);
  expect(healthy.length).toBeGreaterThanOrEqual(10);
  for (const recording of healthy) {
    const { answer } = await explain(recording, rulesProvider);
    expect(answer, recording.name).toMatchObject({ anomaly: 'none', component: 'none', action: 'none' });
  }
});
