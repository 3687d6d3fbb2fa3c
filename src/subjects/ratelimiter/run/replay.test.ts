import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  FAULT_FROM,
  FAULT_TO,
  outageHistory,
  START,
} from '../../../../test/fixtures/subjects/ratelimiter/simulated-outage.ts';
import { countEvent } from '../../history/counts.ts';
import type { HistoryEvent } from '../../history/events.ts';
import { History } from '../../history/history.ts';
import { boundedLines, HistoryFormatError, HistoryLines } from '../../history/json-lines.ts';
import { KINDS } from '../../index.ts';
import { evidenceIn, evidenceOf, replay } from '../../run/replay.ts';
import { Judge } from '../../scenarios/judge.ts';
import { storeOutage } from '../scenarios/store-outage/index.ts';
import { judgedOutage } from '../scenarios/store-outage/judge.ts';

type Line = Record<string, unknown>;

/** The result of a history of which each line is changed so; undefined: it is left out. */
async function tampered(
  change: (line: Line) => Line | readonly Line[] | undefined,
  history = outageHistory(),
) {
  const lines = new HistoryLines(history).take().flatMap((line) => {
    const changed = change(JSON.parse(line) as Line);
    return changed ? [changed].flat().map((each) => JSON.stringify(each)) : [];
  });
  const [scenario] = await replay(lines, KINDS);
  return scenario;
}

const same = (line: Line): Line => line;

const repeated = (line: Line, times: number): Line[] => Array.from({ length: times }, () => line);

const SETUP = JSON.stringify(outageHistory().setup);
const PROBE = JSON.stringify({ kind: 'probe', state: 'Written', at: START, tookMs: 1 });
const COUNT = JSON.stringify(
  countEvent('demo-x', {
    readAt: START,
    endedAt: START,
    admitted: new Map(),
    stored: 0,
    elsewhere: [],
    problems: [],
  }),
);

function* after(setup: string, line: string, times: number): Generator<string> {
  yield setup;
  for (let i = 0; i < times; i += 1) yield line;
}

describe('a history judged again', () => {
  it('gives the result, figures and evidence that its events have', async () => {
    const history = outageHistory();
    const scenario = await tampered(same, history);
    const again = new History(history.setup);
    const judge = new Judge(again, judgedOutage);
    for (const event of history.events) again.append(event);
    const { evidence = [], measures, summary } = judge.reading() ?? {};
    expect(scenario).toMatchObject({ name: 'outage', result: 'Held', summary, measures });
    expect(scenario?.evidence).toEqual(['held', ...evidence].slice(0, scenario?.evidence?.length));
  });
});

describe('a history that was tampered with', () => {
  /** Without the first line that `is` accepts, and numbered anew. */
  const without = (is: (line: Line) => boolean) => changed(is, () => []);
  const doubled = (is: (line: Line) => boolean) => changed(is, (line) => [line, line]);
  function changed(is: (line: Line) => boolean, to: (line: Line) => readonly Line[]) {
    let [done, id] = [false, 0];
    return (line: Line): readonly Line[] => {
      const lines = !done && is(line) ? to(line) : [line];
      done ||= is(line);
      return lines.map((each) => (each['kind'] === 'request' ? { ...each, id: id++ } : each));
    };
  }
  const isUsed = ({ key, kind, sentAt }: Line): boolean =>
    kind === 'request' && String(key).endsWith('-c14') && Number(sentAt) < FAULT_FROM - 4000;
  const endsLater = (ms: number) => (line: Line) =>
    line['endedAt'] && line['kind'] === 'fault' ? { ...line, endedAt: FAULT_TO + ms } : line;
  const setup = (more: Line) => (line: Line) => (line['version'] ? { ...line, ...more } : line);

  it.each<[string, (line: Line) => Line | readonly Line[] | undefined, RegExp]>([
    ['a request before the fault less', without(isUsed), /-c14 sent \d+ requests .* draws \d+$/],
    ['many requests before the fault', (line) => (isUsed(line) ? undefined : line), /recorded as number/],
    ['a request before the fault twice', doubled(isUsed), /-c14 sent \d+ requests .* draws/],
    [
      'a response before its request',
      changed(isUsed, (line) => [{ ...line, endedAt: Number(line['sentAt']) - 5000 }]),
      /endedAt is before sentAt/,
    ],
    [
      'a response after an hour',
      changed(isUsed, (line) => [{ ...line, endedAt: Number(line['endedAt']) + 3_600_000 }]),
      /its time is \d+ ms before/,
    ],
    ['a fault that is planned twice', doubled(({ step }) => step === 'Planned'), /a second "Planned"/],
    ['two ends', doubled(({ kind }) => kind === 'ended'), /a second "ended"/],
    ['a fault that ended sooner', endsLater(-3000), /a write still waited after/],
    ['a fault that ended later', endsLater(3000), /a write was accepted while/],
    ['no probes', (line) => (line['kind'] === 'probe' ? undefined : line), /no probe of Redis/],
    ['one pod of three', setup({ pods: ['api-0'] }), /its pod is none of the setup/],
    ['another fixture', setup({ fixture: 'demo-y' }), /demo-y-c\d+ sent 0 requests/],
    [
      'another limit',
      (line) =>
        setup({ limiter: { ...(line['limiter'] as Line), limit: { requests: 100, window: '60s' } } })(line),
      /-c\d+ sent \d+ requests until the fault, and its seed draws/,
    ],
    [
      'another version',
      (line) => (line['version'] ? { ...line, version: 'v0' } : line),
      /^line 1: its version is "v0"/,
    ],
    ['an unknown event', (line) => (line['kind'] === 'ended' ? { kind: 'end' } : line), /^line \d+: /],
    [
      'a late answer to a request that had one',
      (line) =>
        line['kind'] === 'ended' ? { kind: 'late', id: 0, outcome: 'Admitted', at: line['at'] } : line,
      /request 0 was not recorded as unanswered/,
    ],
    [
      'a scenario that no run can have',
      (line) =>
        line['version'] ? { ...line, scenario: { ...(line['scenario'] as Line), type: 'Flood' } } : line,
      /^line 1: scenario.type/,
    ],
    [
      'more steps than a run has',
      // After each of them, all requests are judged again.
      (line) => (line['kind'] === 'fault' && line['endedAt'] ? repeated(line, 40) : line),
      /^line \d+: there are more than 40 steps/,
    ],
    ['no setup', (line) => (line['version'] ? undefined : line), /^line 1: there is no setup before it/],
  ])('is refused with the line for %s', async (_, change, message) => {
    const refused = tampered(change);
    await expect(refused).rejects.toThrow(HistoryFormatError);
    await expect(refused).rejects.toThrow(message);
  });

  it.each<[string, Iterable<string>, RegExp]>([
    ['what is not JSON', ['{'], /^line 1: /],
    ['more histories than a run has scenarios', Array<string>(9).fill(SETUP), /^line 9: .* 8/],
    ['more events than a history keeps', after(SETUP, PROBE, 140_001), /^line 140002: .*140000 events/],
  ])('is refused with the line for %s', async (_, lines, message) => {
    const refused = replay(lines, KINDS);
    await expect(refused).rejects.toThrow(HistoryFormatError);
    await expect(refused).rejects.toThrow(message);
  });

  it('is judged in one pass, however many counts it has', async () => {
    expect(await replay(after(SETUP, COUNT, 139_000), KINDS)).toHaveLength(1);
  });

  it('never takes the process down, whatever its lines hold', async () => {
    const lines = new HistoryLines(outageHistory()).take();
    const line = fc.oneof(fc.constantFrom(...lines), fc.json(), fc.string());
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 40 }), async (some) => {
        await replay(some, KINDS).catch((error: unknown) => expect(error).toBeInstanceOf(HistoryFormatError));
      }),
    );
  });
});

describe('a history that is drawn', () => {
  it('gives the same from its lines as from memory, with its bands and detections', async () => {
    const history = outageHistory('Timeout');
    const evidence = await evidenceIn(new HistoryLines(history).take(), KINDS);
    expect(evidence).toEqual(evidenceOf(history, storeOutage));
    expect(evidence?.originMs).toBe(history.times.startedAt);
    expect(evidence?.bands.map(({ kind }) => kind)).toEqual(['countdown', 'fault', 'settle']);
    expect(evidence?.bands[1]).toMatchObject({ from: history.times.startedAt, to: FAULT_TO });
    expect(evidence?.detections.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^broken: /),
      'detected: Hangs',
    ]);
  });

  it('is drawn as far as it was recorded', async () => {
    const lines = new HistoryLines(outageHistory()).take();
    const requests = async (most: number): Promise<number> => {
      const { bundle } = (await evidenceIn(lines.slice(0, most), KINDS)) ?? {};
      const sent = bundle?.series.filter(({ signal }) => signal.endsWith('-sent')) ?? [];
      return sent.reduce((sum, { points }) => sum + (points.at(-1)?.[1] ?? 0), 0);
    };
    const all = await requests(lines.length);
    expect(all).toBeGreaterThan(300);
    expect(await requests(1)).toBe(0);
    expect(await requests(lines.length / 2)).toBeLessThan(all);
    // Before the fault is known.
    const planned = lines.findIndex((line) => line.includes('"step":"Planned"'));
    expect(await requests(planned)).toBeGreaterThan(20);
    expect((await evidenceIn(lines.slice(0, 1), KINDS))?.bands).toEqual([]);
  });
});

describe('the lines of a file', () => {
  it('are taken once each as a history grows, with what it dropped since', async () => {
    const whole = outageHistory();
    const history = new History(whole.setup, { memory: { take: () => false, give: () => undefined } });
    const growing = new HistoryLines(history);
    const pieces: string[][] = [];
    for (const [i, event] of whole.events.entries()) {
      history.append(event);
      if (i % 7 === 0) pieces.push(growing.take());
    }
    pieces.push(growing.take());
    expect(growing.take()).toEqual([]);
    const lines = pieces.flat().map((line) => JSON.parse(line) as HistoryEvent);
    const dropped = lines.flatMap((line) => (line.kind === 'dropped' ? line.events : []));
    expect(dropped.length).toBeGreaterThan(1);
    expect(dropped.reduce((sum, events) => sum + events, 0)).toBe(history.dropped);
    expect(lines.filter(({ kind }) => kind !== 'dropped')).toEqual([history.setup, ...history.events]);
  });

  async function linesIn(...pieces: string[]): Promise<string[]> {
    const lines: string[] = [];
    for await (const line of boundedLines(Readable.from(pieces))) lines.push(line);
    return lines;
  }

  it('are the same however the text comes in pieces', async () => {
    expect(await linesIn('a\r', '\nb', 'c\n\n', 'd')).toEqual(['a', 'bc', '', 'd']);
    expect(await linesIn('a\n')).toEqual(['a']);
  });

  it('end with one that is too long, of which the rest is not read', async () => {
    let pieces = 0;
    async function* endless(): AsyncGenerator<string> {
      for (;;) {
        pieces += 1;
        yield 'x'.repeat(64 * 1024);
      }
    }
    await expect(replay(boundedLines(endless()), KINDS)).rejects.toThrow(/line 1: .*more than 262144/);
    expect(pieces).toBe(5);
  });
});

it('a sample of counters can be read again whatever pods and Redis report', async () => {
  const problems = Array.from({ length: 200 }, (_, i) => `pod-${i}: ${'x'.repeat(5000)}`);
  const sample = { readAt: 1, endedAt: 2, elsewhere: [], problems };
  const history = new History(outageHistory().setup);
  for (const stored of [-1, 10 ** 15, Number.MAX_VALUE]) {
    const admitted = new Map([['api-0', Number.MAX_SAFE_INTEGER]]);
    history.append(countEvent('demo-x', { ...sample, admitted, stored }));
  }
  const lines = new HistoryLines(history).take();
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(4096);
  expect(await replay(lines, KINDS)).toHaveLength(1);
});
