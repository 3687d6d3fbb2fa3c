/** The part of docs/reference.md that is generated only from the API. Pure. */
import { printerColumns, schemasOf } from '../../src/api/crd.ts';
import {
  ANNOTATIONS,
  API_VERSION,
  CONDITIONS_BY_STATE,
  DETECTED_AFTER,
  ENABLED_LABEL,
  FINALIZER,
  KIND,
  REASON_GROUPS,
  RECOVERED_AFTER,
  type StateCondition,
  type SubjectApi,
  violationCondition,
} from '../../src/api/index.ts';
import {
  ANOMALY_STATUSES,
  CONDITIONS,
  GROUPS,
  type Meanings,
  OBSERVED_STATUSES,
  STATES,
} from './condition-texts.ts';
import { code, definitions, table } from './markdown.ts';
import { specFields, statusFields } from './reference-fields.ts';

const ANNOTATION_DOCS: Record<keyof typeof ANNOTATIONS, { value: string; effect: string }> = {
  requestedAt: {
    value: 'any text',
    effect:
      'A value that is not empty and differs from `status.lastHandledRunRequest` starts a run. It replaces an active run. Taking the annotation away starts nothing.',
  },
  advance: {
    value: '`<run number>/<number of the chapter that is left>`',
    effect:
      'Lets the run leave that chapter. Set early, it takes effect once the work of the chapter is done. One for another run or chapter does nothing.',
  },
  abort: {
    value: '`<run number>`',
    effect: 'Stops that run, releases its fault and restores. This cannot be undone.',
  },
};

/** Spec, status, conditions, reasons, columns, names and the run key, as Markdown sections. */
export function apiReference(subjects: readonly SubjectApi[]): string[] {
  return [
    specSection(subjects),
    statusSection(subjects),
    measureSection(subjects),
    conditionSection(subjects),
    reasonSection(subjects),
    columnSection(subjects),
    nameSection(subjects),
    runKeySection(subjects),
  ];
}

/** "`a`", "`a` or `b`", "`a`, `b` or `c`". */
function either(names: readonly string[]): string {
  const shown = names.map(code);
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} or ${shown.at(-1)}`;
}

function specSection(subjects: readonly SubjectApi[]): string {
  const members = subjects.flatMap(({ faults }) => faults.map(({ member }) => member));
  return `## Spec

\`${API_VERSION}\`, kind \`${KIND}\`. A duration is up to four numbers, each with \`h\`, \`m\`, \`s\` or \`ms\`: \`10s\`,
\`1m30s\`, \`1.5m\`. If you leave ${either(members)} out of a scenario of its type, the defaults of its fields
apply. Lengths and patterns of strings are in the CRD.

${specFields(schemasOf(subjects).spec, 'spec')}`;
}

function statusSection(subjects: readonly SubjectApi[]): string {
  return `## Status

The operator writes it, on changes only. Times are RFC 3339 with milliseconds; those of conditions have whole
seconds. Text from elsewhere is cut to its bound in the CRD, with \`…\` at the end. The fields of \`journal\` are only
for the operator.

${statusFields(schemasOf(subjects).status, 'status', 'status.journal')}`;
}

function measureSection(subjects: readonly SubjectApi[]): string {
  const lists = subjects
    .flatMap(({ faults }) => faults)
    .map(({ measures, type }) => {
      const list = measures.map(
        ({ meaning, name, unit }) =>
          [unit === 'requests' ? code(name) : `${code(name)} (${unit})`, meaning] as const,
      );
      return `${code(type)}:\n\n${definitions(list)}`;
    });
  return `## Measures

The names in \`status.scenarios[].measures\`, by scenario type, in requests unless a unit is named. The first one of a
type decides whether the invariant holds.

Every type:

${definitions([
  [`${code(DETECTED_AFTER)} (ms)`, 'Time from a violation to its detection, unless judged after the watch.'],
  [
    `${code(RECOVERED_AFTER)} (ms)`,
    'Time from the end of the fault until the Recovery chapter saw that the subject had recovered: an upper bound.',
  ],
])}

${lists.join('\n\n')}`;
}

function cellsOf({ True, False, Unknown }: Meanings): string[] {
  return [True, False, Unknown];
}

function conditionSection(subjects: readonly SubjectApi[]): string {
  const anomalies = subjects.flatMap(({ faults }) => faults);
  const meanings = [
    ...Object.entries(CONDITIONS).map(([type, meaning]) => [code(type), meaning] as const),
    ...anomalies.map(
      ({ conditionMeaning, type }) => [code(violationCondition(type)), conditionMeaning] as const,
    ),
  ];
  const rows = [
    [code('Healthy'), ...cellsOf(OBSERVED_STATUSES.Healthy)],
    [code('FaultActive'), ...cellsOf(OBSERVED_STATUSES.FaultActive)],
    [anomalies.map(({ type }) => code(violationCondition(type))).join(', '), ...cellsOf(ANOMALY_STATUSES)],
  ];
  const columns = Object.keys(CONDITIONS) as StateCondition[];
  const names = Object.keys(CONDITIONS_BY_STATE) as (keyof typeof CONDITIONS_BY_STATE)[];
  const states = names.map((name) => [
    STATES[name],
    ...columns.map((type) => CONDITIONS_BY_STATE[name][type] ?? 'absent'),
  ]);
  return `## Conditions

${definitions(meanings)}

${table(['Condition', 'True', 'False', 'Unknown'], rows)}

Until an operator has seen the object, only Ready is there. These conditions show the state of the object:

${table(['State', ...columns], states)}

\`spec.suspend\` after a run, and an edit that starts no run, leave them as they are. While the next run is blocked or
waits, \`Healthy\` and the conditions of scenario types are Unknown; \`status.run\` and \`status.scenarios\` keep the last
run until it begins.`;
}

function reasonSection(subjects: readonly SubjectApi[]): string {
  const names = Object.keys(REASON_GROUPS) as (keyof typeof REASON_GROUPS)[];
  const groups = names.map((name) => {
    const { conditions, title } = GROUPS[name];
    const own = name === 'refusal' ? subjects.flatMap(({ refusals }) => refusals) : [];
    const links = [...REASON_GROUPS[name], ...own].map(
      (reason) => `[${code(reason)}](troubleshooting.md#${reason.toLowerCase()})`,
    );
    return `**${title}**, on ${conditions}:\n${links.join(',\n')}.`;
  });
  return [
    '## Reasons',
    '[Troubleshooting](troubleshooting.md) explains each, and what to do about it.',
    ...groups,
  ].join('\n\n');
}

function columnSection(subjects: readonly SubjectApi[]): string {
  const list = printerColumns(subjects).map(
    ({ name, jsonPath, description = 'Time since it was made', priority }) =>
      [
        `${code(name.toUpperCase())} (${code(jsonPath)}${priority === undefined ? '' : ', `-o wide`'})`,
        description,
      ] as const,
  );
  return `## Columns of \`kubectl get chaosdemo\`

${definitions(list)}`;
}

function nameSection(subjects: readonly SubjectApi[]): string {
  const annotations = Object.entries(ANNOTATION_DOCS).map(
    ([name, { value, effect }]) =>
      [`${code(ANNOTATIONS[name as keyof typeof ANNOTATIONS])}, ${value}`, effect] as const,
  );
  const secrets = subjects
    .flatMap((subject) => subject.secrets)
    .map(({ meaning, type }) => [code(type), meaning] as const);
  return `## Annotations

${definitions(annotations)}

## Label of a namespace

The operator touches a namespace only while it carries \`${ENABLED_LABEL}=true\`. Taking the label away aborts an active
run.

## Types of Secrets

The operator reads a Secret only if its type is one of these.

${definitions(secrets)}

## Finalizer

\`${FINALIZER}\` is on the object while a fault is announced or active that can be ended early. If you delete the
object during that time, the operator first releases the fault. The finalizer is removed when the release is proven, at
most 5 s after \`fault.until\`.`;
}

function runKeySection(subjects: readonly SubjectApi[]): string {
  const left = subjects.flatMap(({ fieldsThatStartNoRun, member }) =>
    fieldsThatStartNoRun.map((field) => code(`${member}.${field}`)),
  );
  return `## Run key

A spec whose run key differs from that of the last run starts another run, which replaces an active one.

- These fields take part: \`runId\`, \`scenarios\`, and ${subjects.map(({ member }) => code(member)).join(', ')} without ${left.join(' and ')}.
- All other fields start no run; with \`rerun: OnPodTemplateChange\` a rollout does. \`pace\`, \`suspend\`, \`activeDeadline\` and \`historyLimit\` apply to an active run.
- A field with its default value counts as left out, so writing a default out starts no run.`;
}
