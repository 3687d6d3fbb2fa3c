/** Alerts and dashboard: looked at by Prometheus' own tool, and held against the metrics of a real operator. */

import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Supervisor, writeKubeconfig } from '@chaosdemo/testbed';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { adminKubectl } from '../kit/control-plane.ts';
import { folderOfTest } from '../kit/folder.ts';
import { metricsOf, prepareOperator, startOperatorIn } from '../kit/operator.ts';
import { runProgram, tool } from '../kit/program.ts';
import { metricsIn } from './support/promql.ts';
import { root } from './support/render.ts';

const ALERTS = `${root}manifests/monitoring/alerts.yaml`;
const TESTS = `${root}test/manifests/alerts.test.yaml`;

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
}
interface RuleFile {
  readonly groups: { readonly name: string; readonly rules: Rule[] }[];
}
interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: {
    readonly expr: string;
    readonly instant: boolean;
    readonly legendFormat: string;
  }[];
}

let promtool: string;
let rules: Rule[];
let panels: Panel[];
/** What a real operator serves that has nothing to do. */
let page: string;
const supervisor = new Supervisor();

beforeAll(async () => {
  promtool = await tool('promtool');
  rules = ((await yamlOf(ALERTS)) as RuleFile).groups.flatMap((group) => group.rules);
  const dashboard = await readFile(`${root}helm/chaosdemo-operator/files/dashboard.json`, 'utf8');
  ({ panels } = JSON.parse(dashboard) as { panels: Panel[] });
  page = await pageOfOperator();
});
afterAll(() => supervisor.close());

async function pageOfOperator(): Promise<string> {
  const { caFile, url } = inject('controlPlane');
  const kubectl = adminKubectl();
  const namespace = `monitored-${randomBytes(4).toString('hex')}`;
  const place = { system: `${namespace}-system`, namespaces: [namespace] };
  await prepareOperator(kubectl, place);
  const folder = supervisor.temporaryFolder('monitored');
  const kubeconfigFor = (name: string, token: string, of?: string) =>
    writeKubeconfig(join(folder, `${name}.kubeconfig`), { url, caFile }, token, of);
  return await metricsOf(await startOperatorIn(place, { kubectl, kubeconfigFor }, supervisor));
}

async function yamlOf(path: string): Promise<unknown> {
  return parse(await readFile(path, 'utf8'));
}

/** What promtool has to say; empty: nothing. */
async function complaints(args: readonly string[], input = ''): Promise<string> {
  const { status, stdout, stderr } = await runProgram(promtool, args, { input });
  return status === 0 ? '' : `${stdout}${stderr}`;
}

/** Every series that the operator has, by name. */
function served(): Set<string> {
  return new Set(page.match(/^[a-z]\w*/gm));
}

describe('the alerts', () => {
  it('are rules by which nothing is wrong', async () => {
    expect(await complaints(['check', 'rules', '--lint=all', '--lint-fatal', ALERTS])).toBe('');
  });

  it('fire when they should with the right labels, and are silent otherwise', async () => {
    expect(await complaints(['test', 'rules', TESTS])).toBe('');
  });

  it('are each seen firing and silent by a test', async () => {
    const { tests } = (await yamlOf(TESTS)) as {
      tests: { alert_rule_test?: { alertname: string; exp_alerts?: unknown[] }[] }[];
    };
    const looks = tests.flatMap(({ alert_rule_test }) => alert_rule_test ?? []);
    const seen = (firing: boolean) =>
      new Set(looks.filter(({ exp_alerts }) => firing === Boolean(exp_alerts)).map((look) => look.alertname));
    const names = rules.map(({ alert }) => alert).sort();
    expect([...seen(true)].sort()).toEqual(names);
    expect([...seen(false)].sort()).toEqual(names);
  });

  it('have a severity, a summary and a link to troubleshooting', async () => {
    const sections = new Set(
      (await readFile(`${root}docs/troubleshooting.md`, 'utf8')).match(/(?<=^#+ ).*/gm) ?? [],
    );
    for (const { alert, annotations, labels } of rules) {
      expect([alert, labels['severity']]).toEqual([alert, expect.stringMatching(/^(critical|warning)$/)]);
      expect([alert, annotations]).toEqual([
        alert,
        {
          summary: expect.stringMatching(/\.$/),
          description: expect.stringMatching(/\.$/),
          runbook_url: `docs/troubleshooting.md#${alert.toLowerCase()}`,
        },
      ]);
      expect(sections).toContain(alert);
    }
  });

  it('come in docs/troubleshooting.md with the critical ones first, as it states', async () => {
    const [, text = ''] = (await readFile(`${root}docs/troubleshooting.md`, 'utf8')).split('\n## Alerts\n');
    const severityOf = new Map(rules.map(({ alert, labels }) => [alert, labels['severity']]));
    const listed = (text.match(/(?<=^### ).*/gm) ?? []).map((alert) => severityOf.get(alert));
    expect(listed).toEqual(listed.map((_, i) => (i < 6 ? 'critical' : 'warning')));
    expect(text).toContain('The first six are critical.');
  });

  it('read nothing but metrics that a real operator has', () => {
    const names = rules.flatMap(({ expr }) => metricsIn(expr));
    expect(new Set(names).size).toBeGreaterThan(8);
    expect(names.filter((name) => !served().has(name))).toEqual([]);
  });
});

describe('the dashboard', () => {
  const queries = () =>
    panels.flatMap(({ targets = [], title }) => targets.map((each) => ({ title, ...each })));

  it('has only queries that Prometheus accepts', async () => {
    // As Grafana fills them in.
    const filled = (expr: string) =>
      expr.replaceAll('$__rate_interval', '2m').replaceAll('$__range', '6h').replaceAll('$namespace', '.*');
    const asRules = queries().map(({ expr }, index) => ({ record: `query_${index}`, expr: filled(expr) }));
    const file = join(folderOfTest(), 'queries.yaml');
    await writeFile(file, stringify({ groups: [{ name: 'dashboard', rules: asRules }] }));
    expect(asRules.filter(({ expr }) => expr.includes('$'))).toEqual([]);
    expect(await complaints(['check', 'rules', file])).toBe('');
  });

  it('queries metrics that a real operator has, and each that it counts itself', () => {
    const names = new Set(queries().flatMap(({ expr }) => metricsIn(expr)));
    expect([...names].filter((name) => !served().has(name))).toEqual([]);
    const own = [...page.matchAll(/^# TYPE (chaosdemo_\w+) /gm)].map(([, name]) => name as string);
    const shown = (name: string) =>
      [...names].some((each) => each.replace(/_(bucket|sum|count)$/, '') === name);
    expect(own.length).toBeGreaterThan(10);
    expect(own.filter((name) => !shown(name))).toEqual([]);
  });

  it('names its series by labels that they have', () => {
    const labels = new Set([...page.matchAll(/[{,](\w+)="/g)].map(([, label]) => label as string));
    for (const { legendFormat } of queries()) {
      for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
        // Prometheus adds this one when it scrapes.
        if (label !== 'instance') expect(labels).toContain(label);
      }
    }
  });

  it('draws no course of a figure that is of the whole time shown', () => {
    const ofRange = panels.filter(({ targets = [] }) =>
      targets.some(({ expr }) => expr.includes('$__range')),
    );
    expect(ofRange.length).toBeGreaterThan(2);
    expect(ofRange.filter(({ type }) => type === 'timeseries')).toEqual([]);
    expect(ofRange.flatMap(({ targets = [] }) => targets).every(({ instant }) => instant)).toBe(true);
  });
});

describe('the metrics of an operator', () => {
  it('are named and described as Prometheus would have it', async () => {
    // Those of the process are named by prom-client.
    const own = page.replaceAll(/^(?:# (?:HELP|TYPE) )?(?:nodejs|process)_.*\n/gm, '');
    expect(own).toContain('chaosdemo_leader');
    expect(await complaints(['check', 'metrics'], own)).toBe('');
  });

  it('name no namespace and no object, and no pod', () => {
    const labels = new Set([...page.matchAll(/[{,](\w+)="/g)].map(([, label]) => label));
    for (const label of ['namespace', 'object', 'pod', 'uid', 'run']) expect(labels).not.toContain(label);
    // The queue has the label name, of one value.
    expect(new Set(page.match(/[{,]name="[^"]*"/g)?.map((each) => each.slice(1)))).toEqual(
      new Set(['name="chaosdemo"']),
    );
  });
});
