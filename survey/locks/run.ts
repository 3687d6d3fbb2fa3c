/**
 * Runs unmodified locks of libraries under faults of Redis, each in the small service of `app`, and prints the results:
 * `node survey/locks/run.ts [--fault Stall] [--library redlock] [--times 1]`. Install the libraries first: `npm ci --prefix survey/locks/app`.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { stringify } from 'yaml';
import type { ChaosDemo } from '../../src/api/index.ts';

const program = fileURLToPath(new URL('../../scripts/chaosdemo.mjs', import.meta.url));
const server = fileURLToPath(new URL('app/server.mjs', import.meta.url));

/** Of each library: as it is, and with a timeout for each command of its client. */
const LIBRARIES = ['redlock', 'sesamecare', 'mutex', 'semaphore'];
const TIMEOUTS = ['', '300'];
const SLOTS = 3;

const { values } = parseArgs({
  options: {
    fault: { type: 'string', default: 'Stall' },
    library: { type: 'string', multiple: true, default: LIBRARIES },
    times: { type: 'string', default: '1' },
  },
});

interface Row {
  readonly library: string;
  readonly result: string;
  readonly summary: string;
}

async function run(library: string, timeout: string): Promise<Row> {
  const name = `${library}${timeout === '' ? '' : `, timeout ${timeout} ms`}`;
  const folder = await mkdtemp(join(tmpdir(), 'chaosdemo-locks-'));
  try {
    const slots = library === 'semaphore' ? SLOTS : 1;
    const file = join(folder, 'lock.yaml');
    const spec = {
      lock: {
        selector: { matchLabels: { app: 'api' } },
        acquire: { path: '/locks/$(key)', token: { pointer: '/token' } },
        release: { path: '/locks/$(key)', headers: [{ name: 'X-Lock-Token', value: '$(token)' }] },
        slots,
        ttl: '5s',
        redis: { serviceName: 'redis' },
        health: { path: '/healthz' },
      },
      scenarios: [{ name: 'lock', type: 'Exclusion', exclusion: { fault: { type: values.fault } } }],
    };
    const demo = {
      apiVersion: 'chaosdemo.dev/v1alpha1',
      kind: 'ChaosDemo',
      metadata: { name: 'lock' },
      spec,
    };
    await writeFile(file, stringify(demo));
    const args = ['test', '--plain', `--file=${file}`, `--start=node ${server}`, '--report-dir=report'];
    const env = { LIB: library, SLOTS: String(slots), ...(timeout !== '' && { COMMAND_TIMEOUT: timeout }) };
    const { all } = await execa(process.execPath, [program, ...args], {
      cwd: folder,
      env,
      reject: false,
      all: true,
    });
    const text = await readFile(join(folder, 'report', 'chaosdemo.json'), 'utf8').catch(() => undefined);
    const { status } = (text === undefined ? {} : JSON.parse(text)) as Partial<ChaosDemo>;
    const [scenario] = status?.scenarios ?? [];
    const why = status?.message ?? all.split('\n').at(-1) ?? '';
    return { library: name, result: scenario?.result ?? 'Errored', summary: scenario?.summary ?? why };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const { library: libraries } = values;
for (let i = 0; i < Number(values.times); i += 1) {
  for (const library of libraries) {
    for (const timeout of TIMEOUTS) {
      const { result, summary, library: name } = await run(library, timeout);
      process.stdout.write(`${name.padEnd(28)} ${values.fault.padEnd(12)} ${result.padEnd(13)} ${summary}\n`);
    }
  }
}
