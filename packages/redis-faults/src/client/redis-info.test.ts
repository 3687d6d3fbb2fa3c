import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareCalls,
  identityOf,
  markerOf,
  parseInfo,
  parseInfoFields,
  RUN_ID,
  usageIn,
} from './redis-info.ts';

const runId = 'ab'.repeat(20);
const info = (pauses?: number) =>
  `# Server\r\nrun_id:${runId}\r\nredis_mode:standalone\r\n# Replication\r\nrole:master\r\n# Commandstats\r\n` +
  `cmdstat_client|list:calls=9,usec=1\r\n${pauses === undefined ? '' : `cmdstat_client|pause:calls=${pauses},usec=2,rejected_calls=7\r\n`}`;

it('parseInfoFields splits at the first colon and passes over headings', () => {
  const fields = parseInfoFields('# Server\r\nos:Linux: x\r\n\r\nempty:\r\nnonsense\r\n');
  expect([...fields]).toEqual([
    ['os', 'Linux: x'],
    ['empty', ''],
  ]);
});

describe('parseInfo', () => {
  it('finds the server and its count of pauses', () => {
    expect(parseInfo(info(3))).toEqual({
      runId,
      calls: 3,
      countsEach: true,
    });
  });

  it('refuses what is no INFO', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!text.includes('run_id:'));
        expect(() => parseInfo(text)).toThrow(RangeError);
      }),
    );
  });
});

describe('usageIn', () => {
  const text = (made: string) =>
    `# Stats\r\ntotal_connections_received:${made}\r\n# Clients\r\nconnected_clients:3\r\nused_memory:900\r\n`;

  it('has connections and memory', () => {
    expect(usageIn(text('17'))).toEqual({ made: 17, open: 3, bytes: 900 });
  });

  it.each([text('many'), text('9'.repeat(16)), text(''), '# Stats\r\ntotal_connections_received:17\r\n'])(
    'of %j is unknown',
    (without) => expect(usageIn(without)).toBeUndefined(),
  );
});

describe('compareCalls', () => {
  const at = (calls: number, id = runId) => ({
    runId: id,
    calls,
    countsEach: true,
  });
  it.each([
    ['the same count', 3, 3, 'NotInjected'],
    ['a higher count', 3, 4, 'Injected'],
    ['a lower count, as after CONFIG RESETSTAT', 3, 0, 'Unknown'],
  ] as const)('with %s', (_, before, now, expected) => {
    expect(compareCalls(markerOf(at(before)), at(now))).toBe(expected);
  });

  it('does not know of a server that counts no subcommands, as Redis 6.2', () => {
    const old = parseInfo(
      `run_id:${runId}\r\nrole:master\r\ncmdstat_client:calls=9,usec=1,usec_per_call=0.11\r\n`,
    );
    expect(old).toMatchObject({ calls: 0, countsEach: false });
    expect(compareCalls(markerOf(old), old)).toBe('Unknown');
  });
});

describe('several servers', () => {
  const [a, b] = ['a'.repeat(40), 'b'.repeat(40)];

  it('have an identity in the format of a run_id; one has its own', () => {
    expect(identityOf([a])).toBe(a);
    expect(identityOf([a, b])).toMatch(RUN_ID);
    expect(identityOf([b, a])).toBe(identityOf([a, b]));
    expect(identityOf([a, 'c'.repeat(40)])).not.toBe(identityOf([a, b]));
  });
});
