/** The rows of `kubectl get chaosdemo -w`, from the columns of the CRD. */

import { printerColumns } from '../../api/crd.ts';
import type { ChaosDemo } from '../../api/index.ts';

const COLUMNS = printerColumns().filter(({ priority = 0 }) => priority === 0);
/** Widths of columns whose values grow during a run, so that rows stay aligned. */
const WIDTHS: Readonly<Record<string, number>> = { Phase: 9, Chapter: 42 };
const GAP = 3;

/** The header, in capitals. */
export function header(name: string): string {
  const names = COLUMNS.map((column) => column.name.toUpperCase());
  return rowOf('NAME'.padEnd(name.length), names);
}

/** The row of an object. Times are ages, as of `now`. */
export function row(demo: ChaosDemo, now: number): string {
  const values = COLUMNS.map(({ jsonPath, type }) => {
    const value = valueAt(demo, jsonPath);
    return type === 'date' && value !== ''
      ? `${Math.max(0, Math.round((now - Date.parse(value)) / 1000))}s`
      : value;
  });
  return rowOf(demo.metadata.name.padEnd(4), values);
}

function rowOf(name: string, values: readonly string[]): string {
  const cells = COLUMNS.map((column, i) =>
    (values[i] ?? '').padEnd(Math.max(column.name.length, WIDTHS[column.name] ?? 0)),
  );
  return [name, ...cells].join(' '.repeat(GAP)).trimEnd();
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
