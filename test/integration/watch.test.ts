/** What people see of a run with `kubectl get -w`, and what that costs the API server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { keepingTime, withoutRealTime } from './support/pace.ts';
import { until } from './support/until.ts';
import { World } from './support/world.ts';

/** One of AGE, which every row has anew; a row in brackets comes only where the machine is not too slow, or too quick, for it. */
const GOLDEN = `
demo | Pending   | Pending         |                                        |       |         |       |
demo | Pending   | Pending         |                                        |       | Unknown | False |
demo | Running   | Running         | Welcome                                | 1/11  | Unknown | False | 0/2
demo | Running   | Running         | Welcome                                | 1/11  | True    | False | 0/2
demo | Running   | Running         | Cluster Health                         | 2/11  | True    | False | 0/2
demo | Running   | Running         | Setup                                  | 3/11  | True    | False | 0/2
demo | Running   | Running         | Counter Drift Chaos                    | 4/11  | True    | False | 0/2
demo | Running   | Running         | Counter Drift Chaos (countdown)        | 4/11  | True    | True  | 0/2
demo | Running   | Running         | Counter Drift Chaos (injecting)        | 4/11  | True    | True  | 0/2
demo | Running   | Running         | Counter Drift Chaos (fault confirmed)  | 4/11  | True    | True  | 0/2
[demo | Running   | Running         | Counter Drift Chaos (fault confirmed)  | 4/11  | True    | True  | 1/2]
[demo | Running   | Running         | Counter Drift Detection (watching)     | 5/11  | True    | True  | 0/2]
demo | Running   | Running         | Counter Drift Detection                | 5/11  | True    | True  | 1/2
demo | Running   | Running         | Counter Drift Diagnosis (asking)       | 6/11  | True    | True  | 1/2
demo | Running   | Running         | Counter Drift Diagnosis                | 6/11  | True    | True  | 1/2
[demo | Running   | Running         | Counter Drift Diagnosis                | 6/11  | True    | False | 1/2]
[demo | Running   | Running         | Recovery (fault on)                    | 7/11  | True    | True  | 1/2]
demo | Running   | Running         | Recovery                               | 7/11  | True    | False | 1/2
demo | Running   | Running         | Ghost Allowing Chaos                   | 8/11  | True    | False | 1/2
demo | Running   | Running         | Ghost Allowing Chaos (countdown)       | 8/11  | True    | True  | 1/2
demo | Running   | Running         | Ghost Allowing Chaos (injecting)       | 8/11  | True    | True  | 1/2
[demo | Running   | Running         | Ghost Allowing Chaos (fault confirmed) | 8/11  | True    | False | 1/2]
demo | Running   | Running         | Ghost Allowing Chaos (fault confirmed) | 8/11  | True    | False | 2/2
demo | Running   | Running         | Ghost Allowing Detection               | 9/11  | True    | False | 2/2
demo | Running   | Running         | Ghost Allowing Diagnosis (asking)      | 10/11 | True    | False | 2/2
demo | Running   | Running         | Ghost Allowing Diagnosis               | 10/11 | True    | False | 2/2
demo | Running   | Running         | Demo Complete                          | 11/11 | True    | False | 2/2
demo | Succeeded | ExpectationsMet | Demo Complete                          | 11/11 | True    | False | 2/2
`;

const OPERATOR = 'system:serviceaccount:chaosdemo-system:chaosdemo-operator';

let world: World;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chaosdemo-watch-'));
  world = await World.start('approximate', { auditLog: join(folder, 'audit.log') });
});
afterAll(async () => {
  await world?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe.skipIf(withoutRealTime)('kubectl get chaosdemo -w', () => {
  it(
    'shows something new in every row of a run, for about twenty-five writes of its status',
    keepingTime(async () => {
      const shown = watch();
      // Prints a row for the same events; the finalizer has no column of its own in the other.
      const held = watch('-o', 'custom-columns=NAME:.metadata.name,HELD:.metadata.finalizers');
      await Promise.all([shown.connected, held.connected]);
      await world.apply('demo.yaml', 'demo');
      await world.ended('demo');
      await until(() => shown.rows.some((row) => row.includes('Succeeded')), { what: 'the last row' });
      await until(() => held.rows.length === shown.rows.length, { what: 'as many rows in both watches' });

      const rows = shown.rows.map(withoutAge);
      const repeated = rows.flatMap((row, i) => (i > 0 && row === rows[i - 1] ? [i] : []));
      // Set before a pause is announced and gone when it is over: no column can show a finalizer.
      for (const i of repeated) expect(held.rows[i]).not.toBe(held.rows[i - 1]);
      expect(repeated.length).toBe(2);
      expect(rows.filter((_, i) => !repeated.includes(i))).toEqual(goldenFor(rows));

      const writes = await writesOf('demo');
      expect(writes.filter(({ subresource }) => subresource === undefined)).toHaveLength(2);
      const ofStatus = writes.filter(({ subresource }) => subresource === 'status').length;
      expect(ofStatus).toBe(rows.length - 1 - 2);
      expect(ofStatus).toBeGreaterThanOrEqual(21);
      expect(ofStatus).toBeLessThanOrEqual(26);
    }),
  );
});

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

/** The columns of a row, without AGE. */
function withoutAge(row: string): string {
  const [name = '', phase = '', ...cells] = row.trim().split(/\s{2,}/);
  return [name, phase, ...cells.slice(0, -1)].join(' | ');
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
