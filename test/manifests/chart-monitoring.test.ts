/** What the chart brings for Prometheus and Grafana, and that these get at the operator. */
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { tool } from '../kit/program.ts';
import { CHART_VALUES, chart, helmTemplate, objectsOf, root } from './support/render.ts';

const ALERTS = `${root}manifests/monitoring/alerts.yaml`;

let helm: string;

beforeAll(async () => {
  helm = await tool('helm');
});

describe('monitoring by the chart', () => {
  type Rendered = Record<string, unknown> & { kind: string; spec: Record<string, unknown> };
  const find = async (
    kind: string,
    values: object = CHART_VALUES.everything,
  ): Promise<Rendered | undefined> =>
    objectsOf(await helmTemplate(helm, values)).find(
      (object) => object.kind === kind && object.metadata.name.startsWith('chaosdemo'),
    ) as Rendered | undefined;

  it('has none of it by default', async () => {
    for (const kind of ['ServiceMonitor', 'PrometheusRule', 'ConfigMap']) {
      expect(await find(kind, {})).toBeUndefined();
    }
  });

  it('the PrometheusRule of the chart has the same alerts, with links to the docs', async () => {
    const { docsUrl } = CHART_VALUES.everything.metrics.prometheusRule;
    const text = (await readFile(ALERTS, 'utf8')).replaceAll('runbook_url: ', `runbook_url: ${docsUrl}/`);
    expect((await find('PrometheusRule'))?.spec).toEqual(parse(text));
    const plain = await find('PrometheusRule', { metrics: { prometheusRule: { enabled: true } } });
    expect(plain?.spec).toEqual(parse(await readFile(ALERTS, 'utf8')));
  });

  it('lets Prometheus find the Service, and its NetworkPolicy lets it in', async () => {
    const monitor = (await find('ServiceMonitor'))?.spec as {
      selector: { matchLabels: Record<string, string> };
      endpoints: { port: string; path: string }[];
    };
    const service = (await find('Service')) as unknown as {
      metadata: { labels: Record<string, string> };
      spec: { ports: { name: string; targetPort: string }[] };
    };
    expect(service.metadata.labels).toMatchObject(monitor.selector.matchLabels);
    expect(monitor.endpoints).toMatchObject([{ port: service.spec.ports[0]?.name, path: '/metrics' }]);
    const policy = (await find('NetworkPolicy'))?.spec as { ingress: object[] };
    // From anywhere: an entry without `from`.
    expect(policy.ingress).toEqual([
      { ports: [{ protocol: 'TCP', port: service.spec.ports[0]?.targetPort }] },
    ]);
  });

  it('has the dashboard in a ConfigMap as it is', async () => {
    const dashboard = await readFile(`${chart}/files/dashboard.json`, 'utf8');
    const { data } = (await find('ConfigMap')) as unknown as { data: Record<string, string> };
    expect(JSON.parse(data['chaosdemo.json'] ?? '')).toEqual(JSON.parse(dashboard));
  });
});
