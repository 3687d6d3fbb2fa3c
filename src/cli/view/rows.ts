/** The rows of `kubectl get chaosdemo -w`, from the columns of the CRD. */

import { printerColumns } from '../../api/crd.ts';
import type { ChaosDemo } from '../../api/index.ts';

const COLUMNS = printerColumns().filter(({ priority = 0 }) => priority === 0);
/** Widths of columns whose values grow during a run, so that rows stay aligned. */
const WIDTHS: Readonly<Record<string, number>> = { Phase: 9, Chapter: 42 };
const GAP = 3;

/** The header, in capitals. */
export function header(name: string): string {
  return rowOf(name, ['NAME', ...COLUMNS.map((column) => column.name.toUpperCase())]);
}

/** The row of an object. Times are ages, as of `now`. */
export function row(demo: ChaosDemo, now: number): string {
  const { name } = demo.metadata;
  const values = COLUMNS.map(({ jsonPath, type }) => {
    const value = valueAt(demo, jsonPath);
    return type === 'date' && value !== ''
      ? `${Math.max(0, Math.round((now - Date.parse(value)) / 1000))}s`
      : value;
  });
  return rowOf(name, [name, ...values]);
}

function rowOf(name: string, [first = '', ...values]: readonly string[]): string {
  const cells = values.map((value, i) => {
    const { name: column = '' } = COLUMNS[i] ?? {};
    return value.padEnd(Math.max(column.length, WIDTHS[column] ?? 0));
  });
  return [first.padEnd(Math.max(4, name.length)), ...cells].join(' '.repeat(GAP)).trimEnd();
}

/** The value at `.status.phase` or `.status.conditions[?(@.type=="Ready")].reason`; '' if there is none. */
function valueAt(demo: ChaosDemo, path: string): string {
  let value: unknown = demo;
  for (const [, name = '', key, wanted] of path.matchAll(/\.(\w+)(?:\[\?\(@\.(\w+)=="([^"]*)"\)\])?/g)) {
    value = (value as Readonly<Record<string, unknown>> | undefined)?.[name];
    if (key !== undefined && Array.isArray(value)) {
      value = value.find((item: Readonly<Record<string, unknown>>) => item[key] === wanted);
    }
  }
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
