import { expect, it } from 'vitest';
import { demoWith } from '../../../../test/fixtures/cli/view/status.ts';
import { overviewPage, runPage } from './pages.ts';

const kubectl = 'kubectl --context prod';

it('prints commands that lead to the cluster on show', () => {
  const page = runPage({ source: { demo: demoWith(undefined) }, runs: [], now: 0, kubectl });
  expect(page).toContain('<code>kubectl chaosdemo doctor demo -n ratelimiter --context prod</code>');
  const overview = { namespace: 'shop', isCut: true, isOneOfAll: true, rows: [] };
  const all = overviewPage(overview, kubectl);
  expect(all.match(/kubectl chaosdemo ui -n NAMESPACE --context prod/g)).toHaveLength(2);
  expect(all).toContain('kubectl chaosdemo run -f manifests/samples/demo.yaml --context prod');
});
