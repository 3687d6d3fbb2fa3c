import { expect, it } from 'vitest';
import { MemoryCluster } from '../../../test/fixtures/subjects/cluster.ts';
import type { Clock } from '../../engine/clock.ts';
import type { Finding } from '../../engine/findings.ts';
import { NamespaceReader } from './namespace-reader.ts';
import { checkPreconditions, watchPreconditions } from './precondition-check.ts';

const never = new AbortController().signal;
const GONE = { replaced: ['b'], containers: new Map() };

async function check(cluster: MemoryCluster) {
  const reader = new NamespaceReader(cluster, 'shop', never);
  return await checkPreconditions(reader, async () => {
    await reader.pods('');
    return GONE;
  });
}

it('reports that the namespace label or the permission was removed', async () => {
  const cluster = new MemoryCluster();
  cluster.forbidden = true;
  expect(await check(cluster)).toMatchObject({
    admission: { state: 'refused', reason: 'PermissionDenied' },
  });
  cluster.labels = {};
  const look = await check(cluster);
  expect(look).toMatchObject({ admission: { state: 'refused', reason: 'NamespaceNotEnabled' } });
  expect(look).not.toHaveProperty('gone');
});

it.each([
  [true, { kind: 'PreconditionCheck', admission: { state: 'granted' }, gone: ['b'] }],
  [false, { kind: 'PreconditionCheck', gone: ['b'] }],
])(
  'the second check repeats each 5 s despite failures; admission reported: %s',
  async (tellsAdmission, expected) => {
    const waits: number[] = [];
    const stop = new AbortController();
    const clock: Clock = {
      now: () => 0,
      monotonic: () => 0,
      sleep: async (ms, signal) => {
        signal.throwIfAborted();
        waits.push(ms);
      },
    };
    const warnings: unknown[] = [];
    const logger = { warn: (...line: unknown[]) => warnings.push(line) } as never;
    const cluster = new MemoryCluster();
    let looks = 0;
    const look = async () => {
      looks += 1;
      if (looks === 2) throw new Error('the API server did not say');
      return await check(cluster);
    };
    const findings: Finding[] = [];
    await watchPreconditions(
      look,
      { clock, logger },
      tellsAdmission,
      (finding) => {
        findings.push(finding);
        if (looks === 3) stop.abort(new Error('enough'));
      },
      stop.signal,
    );
    expect(findings).toEqual([expected, expected]);
    expect(waits).toEqual([5000, 5000, 5000]);
    expect(warnings).toHaveLength(1);
  },
);
