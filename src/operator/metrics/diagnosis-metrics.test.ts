import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { diagnosisWith } from '../../../test/fixtures/api/diagnosis.ts';
import { seriesOf } from '../../../test/fixtures/operator/metrics/series.ts';
import { createDiagnosisMetrics } from './diagnosis-metrics.ts';
import { MetricTable } from './metric-table.ts';

const diagnosis = diagnosisWith();

it('counts diagnoses of a run by profile, and invents no label', async () => {
  const registry = new Registry();
  const runEnded = createDiagnosisMetrics(new MetricTable(registry), ['small']);
  const before = (await seriesOf(registry)).size;
  runEnded({
    diagnoses: [
      { ...diagnosis, message: 'These are the rules: profile "small" failed: no' },
      { ...diagnosis, profile: 'small' },
    ],
  });
  const series = await seriesOf(registry);
  expect(series.size).toBe(before);
  expect(Object.fromEntries(series)).toMatchObject({
    'chaosdemo_diagnoses_total{profile="rules",by="rules-instead"}': 1,
    'chaosdemo_diagnoses_total{profile="rules",by="profile"}': 0,
    'chaosdemo_diagnoses_total{profile="small",by="profile"}': 1,
  });
  runEnded({
    diagnoses: Array.from({ length: 50 }, (_, i) => ({ ...diagnosis, profile: `forged-${i}` })),
  });
  runEnded({ diagnoses: [{ ...diagnosis, profile: 'small', message: 'forged' }] });
  const after = await seriesOf(registry);
  expect(after.size).toBe(before);
  expect(after.get('chaosdemo_diagnoses_total{profile="other",by="profile"}')).toBe(50);
});
