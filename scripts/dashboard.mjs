/**
 * The Grafana dashboard of the operator: what it shows, a panel a line. `npm run chart:sync` writes it to
 * helm/chaosdemo-operator/files/dashboard.json, which Grafana imports. Every metric that is named here is held
 * against those of a real operator by test/manifests/monitoring.test.ts.
 */
const datasource = { type: 'prometheus', uid: '${datasource}' };

/** Where the operator runs, and its controller: other programs have metrics of the same names. */
const OURS = '{namespace=~"$namespace"}';
const QUEUE = '{namespace=~"$namespace",controller="chaosdemo"}';
const OF_OPERATOR = `and on (namespace, job, instance) chaosdemo_leader${OURS}`;

/** A query, and what its series are called. */
const query = (expr, legend) => ({ expr, legend });
/** Series that are told apart by labels are called by their values. */
const called = (by) => by.replaceAll(/\w+/g, '{{$&}}').replaceAll(',', '');
/** How often something happened, between two points of the plot and in the whole time shown. */
const often = (metric, by, legend = called(by)) =>
  query(`sum by (${by}) (increase(${metric}${OURS}[$__rate_interval]))`, legend);
const inRange = (metric, by) => query(`sum by (${by}) (increase(${metric}${OURS}[$__range]))`, called(by));
/** So much or less in 99 of 100 cases. */
const mostly = (metric, legend) =>
  query(`histogram_quantile(0.99, sum by (le) (rate(${metric}_bucket${QUEUE}[$__rate_interval])))`, legend);

const red = { color: 'red' };
const green = { color: 'green', value: null };
/** Colours of a single figure: green, and red from `value` on. */
const redFrom = (value) => [green, { ...red, value }];

/** Of figures that are neither good nor bad. */
const NEUTRAL = { color: 'blue', value: null };

const bars = {
  decimals: 0,
  custom: { drawStyle: 'bars', fillOpacity: 80, stacking: { mode: 'normal' } },
};
const whole = { decimals: 0 };

/** Rows of panels: title, what it means, queries; `unit` as Grafana calls it, `steps` make it a single figure. */
const ROWS = [
  {
    title: 'Now',
    panels: [
      {
        title: 'Leaders',
        about: 'One. None: nothing begins or goes on. Two: what runs find is not to be trusted.',
        queries: [query(`sum(chaosdemo_leader${OURS})`, 'leading')],
        steps: [
          { ...red, value: null },
          { ...green, value: 1 },
          { ...red, value: 2 },
        ],
      },
      {
        title: 'Active runs',
        about: 'Of the process that leads.',
        queries: [query(`sum(chaosdemo_runs_active${OURS})`, 'active')],
        steps: [green],
      },
      {
        title: 'Queued runs',
        about: 'ChaosDemos that wait until fewer runs are active.',
        queries: [query(`sum(chaosdemo_runs_waiting${OURS})`, 'waiting')],
        steps: [green, { color: 'orange', value: 1 }],
      },
      {
        title: 'Run overdue',
        about: 'How long the deadline of an active run has passed.',
        queries: [query(`max(chaosdemo_run_overdue_seconds${OURS})`, 'overdue')],
        unit: 's',
        steps: redFrom(180),
      },
      {
        title: 'Fault overdue',
        about: 'How long a fault should have ended that no status calls over.',
        queries: [query(`max(chaosdemo_fault_overdue_seconds${OURS})`, 'overdue')],
        unit: 's',
        steps: redFrom(60),
      },
      {
        title: 'Runs Errored',
        about: 'In the time shown, for any reason.',
        queries: [query(`sum(increase(chaosdemo_runs_errored_total${OURS}[$__range]))`, 'errored')],
        defaults: whole,
        steps: [green, { color: 'orange', value: 1 }],
      },
    ],
  },
  {
    title: 'Runs',
    panels: [
      {
        title: 'ChaosDemos, by phase',
        about: 'In all namespaces that the operator watches.',
        queries: [query(`max by (phase) (chaosdemo_objects${OURS})`, '{{phase}}')],
        defaults: whole,
      },
      {
        title: 'Runs that ended, by verdict',
        about: 'Failed is what a gate is for; Errored says nothing about the subject.',
        queries: [often('chaosdemo_runs_total', 'verdict')],
        defaults: bars,
      },
      {
        title: 'Runs that ended Errored, by reason',
        about: 'docs/troubleshooting.md has a section for each reason.',
        queries: [often('chaosdemo_runs_errored_total', 'reason')],
        defaults: bars,
      },
      {
        title: 'Leader changes',
        about: 'A run that is taken over with a fault on loses what was observed of it.',
        queries: [often('chaosdemo_leader_terms_total', '', 'began to lead')],
        defaults: bars,
      },
      {
        title: 'Results',
        about: 'In the time shown, by type of scenario.',
        queries: [inRange('chaosdemo_scenarios_total', 'type, result')],
        defaults: whole,
      },
      {
        title: 'Faults injected',
        about: 'By type of scenario.',
        queries: [often('chaosdemo_faults_injected_total', 'type')],
        defaults: whole,
      },
      {
        title: 'Diagnoses',
        about:
          'In the time shown, by who made them: rules, a model, or rules because the model gave no valid answer.',
        queries: [inRange('chaosdemo_diagnoses_total', 'by')],
        defaults: whole,
      },
    ],
  },
  {
    title: 'The operator',
    panels: [
      {
        title: 'Reconciles, by result',
        about: 'A second.',
        queries: [
          query(
            `sum by (result) (rate(controller_runtime_reconcile_total${QUEUE}[$__rate_interval]))`,
            '{{result}}',
          ),
        ],
        unit: 'ops',
      },
      {
        title: 'Time of a reconcile, and in the queue',
        about: '99 of 100 took no longer.',
        queries: [
          mostly('controller_runtime_reconcile_time_seconds', 'reconcile'),
          mostly('workqueue_queue_duration_seconds', 'in the queue'),
        ],
        unit: 's',
      },
      {
        title: 'Queue',
        about: 'ChaosDemos that wait for a worker, and that were put off after an error.',
        queries: [
          query(`sum(workqueue_depth${QUEUE})`, 'waiting'),
          query(
            `sum(increase(controller_runtime_reconcile_errors_total${QUEUE}[$__rate_interval]))`,
            'put off',
          ),
        ],
        defaults: whole,
      },
      {
        title: 'Requests to the API server, by code',
        about: 'A second. <error>: no response came.',
        queries: [
          query(
            `sum by (code) (rate(rest_client_requests_total${OURS}[$__rate_interval]) ${OF_OPERATOR})`,
            '{{code}}',
          ),
        ],
        unit: 'reqps',
      },
      {
        title: 'Writes of statuses',
        about: 'Conflicts are no trouble: somebody else wrote first, and the operator looks again.',
        queries: [often('chaosdemo_status_writes_total', 'result')],
        defaults: whole,
      },
      {
        title: 'Resident memory',
        about: 'The chart limits it to 512 MiB where its value resources is not changed.',
        queries: [query(`process_resident_memory_bytes${OURS} ${OF_OPERATOR}`, '{{instance}}')],
        unit: 'bytes',
      },
    ],
  },
];

/** The dashboard as JSON, a panel a line. */
export function dashboardJson() {
  const lines = [];
  let y = 0;
  const put = (panel) => lines.push(JSON.stringify({ id: lines.length + 1, ...panel }));
  for (const { panels, title } of ROWS) {
    put({ type: 'row', title, collapsed: false, gridPos: { x: 0, y, w: 24, h: 1 }, panels: [] });
    y += 1;
    let x = 0;
    for (const panel of panels) {
      const [w, h] = panel.steps ? [4, 4] : [8, 8];
      put({ ...drawn(panel), gridPos: { x, y, w, h } });
      x = (x + w) % 24;
      if (x === 0) y += h;
    }
    if (x > 0) y += 8;
  }
  const head = JSON.stringify(HEAD, null, 2).replace(/\n}$/, '');
  return `${head},\n  "panels": [\n    ${lines.join(',\n    ')}\n  ]\n}\n`;
}

const HEAD = {
  title: 'ChaosDemo',
  uid: 'chaosdemo',
  description: 'What the ChaosDemo operator does, and what its runs find: see docs/install.md.',
  tags: ['chaosdemo'],
  schemaVersion: 39,
  refresh: '30s',
  time: { from: 'now-6h', to: 'now' },
  templating: {
    list: [
      { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' },
      {
        name: 'namespace',
        label: 'Namespace of the operator',
        type: 'query',
        datasource,
        query: 'label_values(chaosdemo_leader, namespace)',
        refresh: 2,
        includeAll: true,
        allValue: '.*',
        current: { text: 'All', value: '$__all' },
      },
    ],
  },
};

function drawn({ about, defaults = {}, queries, steps, title, unit = 'short' }) {
  const single = steps !== undefined;
  // A figure of the whole time shown has no course over that time.
  const isOfRange = queries.some(({ expr }) => expr.includes('$__range'));
  const instant = single || isOfRange;
  return {
    type: single ? 'stat' : isOfRange ? 'bargauge' : 'timeseries',
    title,
    description: about,
    datasource,
    ...(instant && {
      options: {
        reduceOptions: { calcs: ['lastNotNull'] },
        ...(single
          ? { colorMode: 'value', graphMode: 'none' }
          : { orientation: 'horizontal', displayMode: 'basic', showUnfilled: true }),
      },
    }),
    fieldConfig: {
      defaults: {
        unit,
        // A figure that is never negative starts at the bottom.
        min: 0,
        ...defaults,
        ...(instant && { thresholds: { mode: 'absolute', steps: steps ?? [NEUTRAL] } }),
      },
      overrides: [],
    },
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCodePoint(65 + index),
      expr,
      legendFormat: legend,
      instant,
      range: !instant,
    })),
  };
}
