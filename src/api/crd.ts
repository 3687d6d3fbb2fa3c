/** The parts of the CustomResourceDefinition that programs read, too: its columns and its schemas. */
import { specSchema } from './spec.ts';
import { statusSchema } from './status.ts';
import { type Schema, structural } from './structural.ts';
import type { PrinterColumn, SubjectApi } from './subject-api.ts';

const conditionColumn = (type: string, member: 'status' | 'reason'): string =>
  `.status.conditions[?(@.type=="${type}")].${member}`;

/** A column of text; `more` in place of that, or in addition. */
function column(
  name: string,
  jsonPath: string,
  description: string,
  more: Partial<PrinterColumn> = {},
): PrinterColumn {
  return { name, type: 'string', jsonPath, description, ...more };
}

const COLUMNS: readonly PrinterColumn[] = [
  column('Phase', '.status.phase', 'State of the object; at the end, the verdict'),
  column('Chapter', '.status.chapter', 'The current chapter'),
  column('Healthy', conditionColumn('Healthy', 'status'), 'Health of the subject, by the health poller'),
  column('Fault', conditionColumn('FaultActive', 'status'), 'Whether a fault is announced or active'),
  column('Result', '.status.result', 'Results of the scenarios so far'),
  column('Started', '.status.run.startedAt', 'When the run began that the other columns describe', {
    type: 'date',
  }),
  column(
    'Reason',
    conditionColumn('Ready', 'reason'),
    'Why no run starts or continues, or the cause of the verdict',
    { priority: 1 },
  ),
  column('Run', '.status.run.number', 'Number of the run that the other columns describe', {
    type: 'integer',
    priority: 1,
  }),
];

/** The columns of `kubectl get chaosdemo`, with those of the subjects; priority 1 with `-o wide` only. */
export function printerColumns(subjects: readonly SubjectApi[] = []): PrinterColumn[] {
  return [...COLUMNS, ...new Set(subjects.flatMap(({ columns }) => columns))];
}

/** Default of `status` itself: without it, tools based on kstatus consider an object finished before it is seen. */
const STATUS_DEFAULT = {
  observedGeneration: -1,
  phase: 'Pending',
  conditions: [
    {
      type: 'Ready',
      status: 'Unknown',
      reason: 'Pending',
      message: 'Waiting for the operator',
      lastTransitionTime: '1970-01-01T00:00:00Z',
    },
  ],
};

/** The schemas of `spec` and `status`, given the registered subjects. */
export function schemasOf(subjects: readonly SubjectApi[]): {
  spec: Schema;
  status: Schema & { default: object };
} {
  return {
    spec: structural(specSchema(subjects)),
    status: { ...structural(statusSchema), default: STATUS_DEFAULT },
  };
}
