/** The part of docs/reference.md that follows from the API alone. Pure. */
import { CONDITION_MEANINGS, CONDITION_TYPES, CONDITIONS_BY_STATE, REASON_GROUPS } from './conditions.ts';
import { buildCrd, PRINTER_COLUMNS } from './crd.ts';
import { ANNOTATIONS, API_VERSION, ENABLED_LABEL, FINALIZER, KIND, REDIS_AUTH_SECRET_TYPE } from './group.ts';
import { code, table } from './markdown.ts';
import { type FieldSchema, fieldTable, ruleTable } from './reference-fields.ts';
import { RUN_KEY_VERSION } from './run-key.ts';

interface AnnotationDoc {
  value: string;
  effect: string;
}

const ANNOTATION_DOCS: Record<keyof typeof ANNOTATIONS, AnnotationDoc> = {
  requestedAt: {
    value: 'any text',
    effect:
      'A value that is not empty and differs from `status.lastHandledRunRequest` starts a run. While a run is on it replaces that run. Taking the annotation away starts nothing.',
  },
  advance: {
    value: '`<run number>/<number of the chapter that is left>`',
    effect:
      'Lets the story leave that chapter. Set early, it takes effect once the work of the chapter is done. One for another run or chapter does nothing.',
  },
  abort: {
    value: '`<run number>`',
    effect: 'Stops that run, releases its fault and restores. It cannot be taken back.',
  },
};

/** Spec, status, conditions, reasons, columns, names and the run key, as Markdown sections. */
export function apiReference(): string[] {
  return [
    specSection(),
    statusSection(),
    conditionSection(),
    reasonSection(),
    columnSection(),
    nameSection(),
    runKeySection(),
  ];
}

function fields(part: 'spec' | 'status'): FieldSchema {
  const { versions } = buildCrd()['spec'] as { versions: { schema: { openAPIV3Schema: FieldSchema } }[] };
  return versions[0]?.schema.openAPIV3Schema.properties?.[part] ?? {};
}

function specSection(): string {
  const spec = fields('spec');
  return `## Spec

\`${API_VERSION}\`, kind \`${KIND}\`. A duration is up to four whole numbers, each with \`h\`, \`m\`, \`s\` or \`ms\`: \`10s\`,
\`1m30s\`, \`250ms\`. Where \`counterDrift\` or \`ghostAllowing\` is left out of a scenario of its type, the defaults of
its fields apply.

${fieldTable(spec, 'spec')}

The API server refuses a ChaosDemo that breaks one of these rules:

${ruleTable(spec, 'spec')}`;
}

function statusSection(): string {
  return `## Status

Written by the operator, on changes only. Times are RFC 3339 with milliseconds; those of conditions have whole
seconds. Text from elsewhere is cut to its bound, with \`…\` at the end.

${fieldTable(fields('status'), 'status')}`;
}

function conditionSection(): string {
  const types = Object.entries(CONDITION_TYPES).map(([type, meaning]) => {
    const {
      True = '',
      False = '',
      Unknown = '',
      absent = '',
    } = CONDITION_MEANINGS[type as keyof typeof CONDITION_TYPES];
    return [code(type), meaning, True, False, Unknown, absent];
  });
  const columns = ['Ready', 'Reconciling', 'Stalled', 'Complete', 'Succeeded'] as const;
  const states = Object.values(CONDITIONS_BY_STATE).map(({ state, conditions }) => [
    state,
    ...columns.map((type) => conditions[type] ?? 'absent'),
  ]);
  return `## Conditions

${table(['Condition', 'Meaning', 'True', 'False', 'Unknown', 'Absent'], types)}

Until an operator has looked, only Ready is there. Those that tell where the object stands:

${table(['State', ...columns], states)}

\`spec.suspend\` after a run, and an edit that starts no run, leave them as they are. Every condition carries the
generation of the spec it speaks of in \`observedGeneration\`.`;
}

function reasonSection(): string {
  const groups = Object.values(REASON_GROUPS).map(
    ({ title, conditions, reasons }) => `### ${title}

On ${conditions}.

${table(
  ['Reason', 'Meaning'],
  Object.entries(reasons).map(([reason, meaning]) => [code(reason), meaning]),
)}`,
  );
  return [
    '## Reasons',
    'A closed set. [Troubleshooting](troubleshooting.md) says what to do about each.',
    ...groups,
  ].join('\n\n');
}

function columnSection(): string {
  const rows = PRINTER_COLUMNS.map(({ name, jsonPath, description = 'Time since it was made', priority }) => [
    code(name.toUpperCase()),
    code(jsonPath),
    priority === undefined ? '' : '`-o wide` only',
    description,
  ]);
  return `## Columns of \`kubectl get chaosdemo\`

${table(['Column', 'From', 'Shown', 'Meaning'], rows)}`;
}

function nameSection(): string {
  const annotations = Object.entries(ANNOTATION_DOCS).map(([name, { value, effect }]) => [
    code(ANNOTATIONS[name as keyof typeof ANNOTATIONS]),
    value,
    effect,
  ]);
  return `## Annotations

${table(['Annotation', 'Value', 'Effect'], annotations)}

## Label of a namespace

A namespace takes part only while it carries \`${ENABLED_LABEL}=true\`. Taking the label away aborts the run that is on.

## Type of the Secret

The operator uses a Secret only if its type is \`${REDIS_AUTH_SECRET_TYPE}\`. Its keys are \`username\`, \`password\` and, for
TLS, \`ca.crt\`.

## Finalizer

\`${FINALIZER}\` stands on the object only while a pause is announced or may be on. When the object is deleted
meanwhile, the pause is released first. The finalizer goes when that is proven, and 5 s after \`fault.until\` in any
case.`;
}

function runKeySection(): string {
  return `## Run key

\`status.run.key\` says what a run was started for. A spec whose key differs from that of the last run starts
another run; while a run is on it replaces that run.

- The key is \`${RUN_KEY_VERSION}:\` and a hash.
- These fields take part: \`runId\`, \`dryRun\`, \`scenarios\`, and \`subject\` without \`displayName\` and \`rateLimiter.health\`.
- All other fields start no run; with \`rerun: OnPodTemplateChange\` a rollout does. \`pace\`, \`suspend\`, \`activeDeadline\` and \`historyLimit\` apply to a run that is on.
- A field with its default value counts as left out, so writing a default out starts no run.
- A key with another version before the colon is taken over without a run.`;
}
