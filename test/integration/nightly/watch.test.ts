/** What people see of a run with `kubectl get -w`, and what that costs the API server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { auditFlags } from '../../kit/audit-log.ts';
import { folderOfFile } from '../../kit/folder.ts';
import { keepingTime, withoutRealTime } from '../../kit/pace.ts';
import { until } from '../../kit/until.ts';
import { World } from '../../kit/world.ts';

/**
 * Without STARTED and figures, which differ in every row, and without FAULT, which changes when the pause ends, whatever chapter is running
 * show; a row in brackets comes only where the machine is not too slow, or too quick, for it.
 */
const GOLDEN = `
demo | Pending   |                                              |         |
demo | Pending   |                                              | Unknown |
demo | Running   | 1/11 Welcome                                 | Unknown |
demo | Running   | 1/11 Welcome                                 | True    |
demo | Running   | 2/11 Cluster Health                          | True    |
demo | Running   | 3/11 Setup                                   | True    |
demo | Running   | 4/11 Counter Drift Chaos                     | True    |
demo | Running   | 4/11 Counter Drift Chaos (countdown)         | True    |
demo | Running   | 4/11 Counter Drift Chaos (injecting)         | True    |
demo | Running   | 4/11 Counter Drift Chaos (fault confirmed)   | True    |
[demo | Running   | 4/11 Counter Drift Chaos (fault confirmed)   | True    | counter-drift violated]
[demo | Running   | 5/11 Counter Drift Detection (watching)      | True    |]
demo | Running   | 5/11 Counter Drift Detection                 | True    | counter-drift violated
[demo | Running   | 6/11 Counter Drift Diagnosis (watching)      | True    | counter-drift violated]
demo | Running   | 6/11 Counter Drift Diagnosis (asking)        | True    | counter-drift violated
demo | Running   | 6/11 Counter Drift Diagnosis                 | True    | counter-drift violated
[demo | Running   | 7/11 Recovery (fault on)                     | True    | counter-drift violated]
demo | Running   | 7/11 Recovery                                | True    | counter-drift violated
demo | Running   | 8/11 Ghost Allowing Chaos                    | True    | counter-drift violated
demo | Running   | 8/11 Ghost Allowing Chaos (countdown)        | True    | counter-drift violated
demo | Running   | 8/11 Ghost Allowing Chaos (injecting)        | True    | counter-drift violated
[demo | Running   | 8/11 Ghost Allowing Chaos (fault confirmed)  | True    | counter-drift violated]
demo | Running   | 8/11 Ghost Allowing Chaos (fault confirmed)  | True    | counter-drift violated; ghost-allowing violated
demo | Running   | 9/11 Ghost Allowing Detection                | True    | counter-drift violated; ghost-allowing violated
demo | Running   | 10/11 Ghost Allowing Diagnosis (asking)      | True    | counter-drift violated; ghost-allowing violated
demo | Running   | 10/11 Ghost Allowing Diagnosis               | True    | counter-drift violated; ghost-allowing violated
demo | Running   | 11/11 Demo Complete                          | True    | counter-drift violated; ghost-allowing violated
demo | Succeeded | 11/11 Demo Complete                          | True    | counter-drift violated; ghost-allowing violated
`;

const OPERATOR = 'system:serviceaccount:chaosdemo-system:chaosdemo-operator';

let world: World;
const folder = folderOfFile();
beforeAll(async () => {
  world = await World.startAlone('approximate', { apiServerFlags: auditFlags(folder) });
});
afterAll(() => world?.stop());

it.skipIf(withoutRealTime)(
  'each row of kubectl get -w shows something new, for about twenty writes',
  keepingTime(async () => {
    const shown = watch();
    // Prints a row for the same events; the finalizer has no column in the other.
    const held = watch('-o', 'custom-columns=NAME:.metadata.name,HELD:.metadata.finalizers');
    await Promise.all([shown.connected, held.connected]);
    await world.apply('demo.yaml', 'demo');
    await world.ended('demo');
    await until(() => shown.rows.some((row) => row.includes('Succeeded')), { what: 'the last row' });
    const letGo = (): boolean => /<none>\s*$/.test(held.rows.at(-1) ?? '');
    await until(() => letGo() && held.rows.length === shown.rows.length, {
      what: 'as many rows in both watches, the last without a finalizer',
    });

    const rows = shown.rows.map(withoutFigures);
    const repeated = rows.flatMap((row, i) => (i > 0 && row === rows[i - 1] ? [i] : []));
    // Set before Setup and gone after the verdict: no column can show a finalizer.
    for (const i of repeated) expect(held.rows[i]).not.toBe(held.rows[i - 1]);
    expect(repeated.length).toBe(2);
    const distinct = rows.map(withoutFault).filter((row, i, all) => row !== all[i - 1]);
    expect(distinct).toEqual(goldenFor(distinct));
    expect(faultIn(rows, 'Cluster Health')).toBe('False');
    expect(faultIn(rows, 'Counter Drift Chaos (countdown)')).toBe('True');
    expect(faultIn(rows, 'Demo Complete')).toBe('False');

    const writes = await writesOf('demo');
    expect(writes.filter(({ subresource }) => subresource === undefined)).toHaveLength(2);
    const ofStatus = writes.filter(({ subresource }) => subresource === 'status').length;
    expect(ofStatus).toBe(rows.length - 1 - 2);
    expect(ofStatus).toBeGreaterThanOrEqual(20);
    expect(ofStatus).toBeLessThanOrEqual(25);
  }),
);

/** Follows the ChaosDemos of the namespace until the test is over. */
function watch(...args: string[]): { rows: string[]; connected: Promise<unknown> } {
  const { binary, kubeconfig } = world.environment.controlPlane.kubectl;
  const child: ChildProcess = spawn(
    binary,
    [
      '--kubeconfig',
      kubeconfig,
      '-n',
      world.environment.namespace,
      '-v=6',
      'get',
      'chaosdemo',
      '-w',
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  onTestFinished(() => void child.kill());
  const rows: string[] = [];
  let rest = '';
  child.stdout?.on('data', (data: Buffer) => {
    const lines = (rest + String(data)).split('\n');
    rest = lines.pop() ?? '';
    rows.push(...lines.filter((line) => !line.startsWith('NAME ')));
  });
  let log = '';
  child.stderr?.on('data', (data: Buffer) => {
    log += String(data);
  });
  const connected = until(() => /watch=true.* 200 OK|watch=true.*status="200 OK"/.test(log), {
    what: `kubectl to watch`,
  });
  return { rows, connected };
}

/** The columns of a row, without STARTED and the figures of RESULT. */
function withoutFigures(row: string): string {
  const [name = '', phase = '', ...cells] = row
    .trim()
    .replaceAll(/ \((?:>= )?\d[^)]*\)/g, '')
    .split(/\s{2,}/);
  return [name, phase, ...cells.slice(0, -1)].join(' | ');
}

/** Place of the FAULT column: the last that says True or False, behind HEALTHY. */
function placeOfFault(cells: readonly string[]): number {
  return cells.findLastIndex((cell) => cell === 'True' || cell === 'False');
}

function withoutFault(row: string): string {
  const cells = row.split(' | ');
  const place = placeOfFault(cells);
  return cells.filter((_, i) => i !== place || cells.length < 4).join(' | ');
}

/** What the first row of a chapter shows in FAULT. */
function faultIn(rows: readonly string[], chapter: string): string | undefined {
  const cells = rows.find((row) => row.includes(chapter))?.split(' | ') ?? [];
  return cells[placeOfFault(cells)];
}

/** The golden rows, without those in brackets that were not seen. */
function goldenFor(rows: readonly string[]): string[] {
  const seen = new Set(rows);
  return GOLDEN.trim()
    .split('\n')
    .map((line) => ({
      optional: line.startsWith('['),
      row: line
        .replace(/[[\]]/g, '')
        .split('|')
        .map((cell) => cell.trim())
        .filter((cell) => cell !== '')
        .join(' | '),
    }))
    .filter(({ optional, row }) => !optional || seen.has(row))
    .map(({ row }) => row);
}

interface AuditEvent {
  verb: string;
  user: { username: string };
  objectRef?: { resource?: string; name?: string; subresource?: string };
  responseStatus?: { code?: number };
}

/** What the operator has stored of an object, by the API server's own account. */
async function writesOf(name: string): Promise<{ subresource: string | undefined }[]> {
  const lines = (await readFile(join(folder, 'audit.log'), 'utf8')).trim().split('\n');
  return lines
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter(
      ({ objectRef, responseStatus, user, verb }) =>
        verb === 'patch' &&
        user.username === OPERATOR &&
        objectRef?.resource === 'chaosdemos' &&
        objectRef.name === name &&
        responseStatus?.code === 200,
    )
    .map(({ objectRef }) => ({ subresource: objectRef?.subresource }));
}
