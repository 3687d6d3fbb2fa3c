/**
 * Everything that is installed, on a real node. One file, because the order matters: the audit
 * log is judged after all that the operator did, and the chart comes when the manifests are gone.
 */
import { afterAll, describe } from 'vitest';
import { isNightly } from '../kit/nightly.ts';
import { chart } from './chart.ts';
import { disturbances } from './disturbances.ts';
import { installed } from './installed.ts';
import { modelInAPod } from './model-in-a-pod.ts';
import { rights } from './rights.ts';
import { Cluster } from './support/cluster.ts';
import { earlierRelease, upgrade } from './upgrade.ts';
import { wholeDemo } from './whole-demo.ts';

const cluster = new Cluster();
const earlier = await earlierRelease();
afterAll(() => cluster.close());

describe('installed from the manifests', () => {
  installed(cluster);
});
describe('the whole demo', () => {
  wholeDemo(cluster);
});
describe('pods of the limiter that go away', () => {
  disturbances(cluster);
});
describe.runIf(isNightly)('a model in a pod', () => {
  modelInAPod(cluster);
});
describe.runIf(isNightly && earlier !== '')('an upgrade while a run is under way', () => {
  upgrade(cluster, earlier);
});
describe('what the operator may do', () => {
  rights(cluster);
});
describe('the chart', () => {
  chart(cluster);
});
