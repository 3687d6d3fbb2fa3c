import { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  FAULT_FROM,
  FAULT_TO,
  inFault,
  outageHistory,
  START,
  simulatedOutage,
} from '../../../../test/fixtures/subjects/ratelimiter/simulated-outage.ts';
import type { HistoryEvent } from '../../history/events.ts';
import { History } from '../../history/history.ts';
import { boundedLines, HistoryFormatError, HistoryLines } from '../../history/json-lines.ts';
import { KINDS } from '../../index.ts';
import { evidenceIn, evidenceOf, replay } from '../../run/replay.ts';
import { Judge } from '../../scenarios/judge.ts';
import { storeOutage } from '../scenarios/store-outage/index.ts';

type Line = Record<string, unknown>;

/** How the lines of a history are changed; a line is left out by returning undefined. */
type Change = (line: Line) => Line | readonly Line[] | undefined;

const linesOf = (history = outageHistory()): string[] => new HistoryLines(history).take();

/** The result of a history of which each line is changed so, and its digest. */
async function tampered(change: Change, history = outageHistory()) {
  const [scenario] = await replay(linesWith(change)(linesOf(history)), KINDS);
  return scenario;
}

const linesWith =
  (change: Change) =>
  (lines: readonly string[]): string[] =>
    lines.flatMap((line) => {
      const changed = change(JSON.parse(line) as Line);
      return changed ? [changed].flat().map((each) => JSON.stringify(each)) : [];
    });

const same = (line: Line): Line => line;

/** The lines of a history with their digest. */
const recordedAs = async (history = outageHistory()) => ({
  lines: linesOf(history),
  digest: (await tampered(same, history))?.history,
});
const HELD = await recordedAs();
/** Every pod admits everybody in the fault. */
const VIOLATED = await recordedAs(
  simulatedOutage({ limiter: inFault(() => 'Admitted'), storeOutage: { accept: ['Enforces'] } }),
);

const repeated = (line: Line, times: number): Line[] => Array.from({ length: times }, () => line);

const SETUP = JSON.stringify(outageHistory().setup);
const PROBE = JSON.stringify({ kind: 'probe', state: 'Written', at: START, tookMs: 1 });
const COUNT = JSON.stringify({
  ...{ kind: 'count', key: 'demo-x', readAt: START, endedAt: START, stored: 0 },
  ...{ admitted: {}, elsewhere: [], problems: [], inFlight: {} },
});

function* after(setup: string, line: string, times: number): Generator<string> {
  yield setup;
  for (let i = 0; i < times; i += 1) yield line;
}

it('a history judged again gives the result, figures and evidence of its events', async () => {
  const history = outageHistory();
  const scenario = await tampered(same, history);
  const again = new History(history.setup);
  const judge = new Judge(again, storeOutage);
  for (const event of history.events) again.append(event);
  const { evidence = [], measures, summary } = judge.reading() ?? {};
  expect(scenario).toMatchObject({ name: 'outage', result: 'Held', summary, measures });
  expect(scenario?.evidence).toEqual(evidence.slice(0, scenario?.evidence?.length));
});

describe('a history that was tampered with', () => {
  /** The first line that `is` accepts; numbered anew. */
  function changed(is: (line: Line) => boolean, to: (line: Line) => readonly Line[]): Change {
    let [isDone, id] = [false, 0];
    return (line) => {
      if (isSetup(line)) [isDone, id] = [false, 0];
      const lines = !isDone && is(line) ? to(line) : [line];
      isDone ||= is(line);
      return lines.map((each) => (isRequest(each) ? { ...each, id: id++ } : each));
    };
  }
  /** Each line that `is` accepts. */
  const edited =
    (is: (line: Line) => unknown, more: (line: Line) => Line): Change =>
    (line) =>
      is(line) ? { ...line, ...more(line) } : line;
  const isSetup = ({ version }: Line): boolean => version !== undefined;
  const without = (is: (line: Line) => boolean) => changed(is, () => []);
  const doubled = (is: (line: Line) => boolean) => changed(is, (line) => [line, line]);
  const isRequest = ({ kind }: Line): boolean => kind === 'request';
  const isInFault = ({ kind, sentAt }: Line): boolean =>
    kind === 'request' && Number(sentAt) > FAULT_FROM && Number(sentAt) < FAULT_TO;
  const isUsed = ({ key, kind, sentAt }: Line): boolean =>
    kind === 'request' && String(key).endsWith('-c14') && Number(sentAt) < FAULT_FROM - 4000;
  const twice =
    (is: (line: Line) => boolean): Change =>
    (line) =>
      is(line) ? [line, line] : line;
  /** What a limiter would have answered that keeps its limit of 10 in 60 s. */
  function asEnforced(): Change {
    const windows = new Map<unknown, { from: number; count: number }>();
    return (line) => {
      const { caller, key, outcome, version } = line;
      if (version) windows.clear();
      if (caller !== 'Drawn' || outcome !== 'Admitted') return line;
      const at = Number(line['sentAt']);
      const last = windows.get(key);
      const window = last && at < last.from + 60_000 ? last : { from: at, count: 0 };
      windows.set(key, { ...window, count: window.count + 1 });
      return window.count < 10 ? line : { ...line, outcome: 'Rejected' };
    };
  }
  const endsLater = (ms: number): Change =>
    edited(
      ({ endedAt, step }) => endedAt && step,
      () => ({ endedAt: FAULT_TO + ms }),
    );
  const startsLater = (ms: number): Change =>
    edited(
      ({ startedAt, step }) => startedAt && step,
      () => ({ startedAt: FAULT_FROM + ms }),
    );
  const setup = (more: (line: Line) => Line): Change => edited(isSetup, more);
  const limit = (more: object): Change =>
    setup(({ limiter }) => {
      const { limit: of, ...rest } = limiter as { limit: object };
      return { limiter: { ...rest, limit: { ...of, ...more } } };
    });
  const scenario = (more: (of: { storeOutage: object }) => object): Change =>
    setup(({ scenario: of }) => ({ scenario: { ...(of as Line), ...more(of as { storeOutage: object }) } }));
  const outage = (more: object): Change =>
    scenario(({ storeOutage }) => ({ storeOutage: { ...storeOutage, ...more } }));
  const cutTo =
    (share: number): Lines =>
    (lines) =>
      lines.slice(0, Math.floor(share * lines.length));
  const lastLine =
    (to: (line: string) => string): Lines =>
    (lines) => [...lines.slice(0, -1), to(lines.at(-1) ?? '')];
  const kept = ['Held', 'Violated'] as const;

  type Lines = (lines: readonly string[]) => string[];
  /** What the check alone makes of it: it refuses the file, with exit status 65, or prints this result. */
  type Outcome = RegExp | 'Held' | 'Inconclusive' | 'Violated';

  it.each<[string, Change | { readonly lines: Lines }, Outcome, Outcome?]>([
    // Requests.
    ['a request less', (line) => (line['id'] === 99 ? undefined : line), /recorded as number/],
    ['a request twice', twice(({ id }) => id === 99), /recorded as number/],
    ['two lines swapped', { lines: ([a = '', b = '', c = '', ...rest]) => [a, c, b, ...rest] }, /as number/],
    ['ids shifted', edited(isRequest, ({ id }) => ({ id: Number(id) + 1 })), /as number/],
    ['a request before the fault less', without(isUsed), /-c14 sent \d+ requests .* draws \d+$/],
    ['a request before the fault twice', doubled(isUsed), /-c14 sent \d+ requests .* draws/],
    ['a request in the fault less', without(isInFault), ...kept],
    ['a request in the fault twice', doubled(isInFault), ...kept],
    ['over-admissions that were rejected', asEnforced(), 'Held'],
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
    [
      'a late answer to a request that had one',
      (line) =>
        line['kind'] === 'ended' ? { kind: 'late', id: 0, outcome: 'Admitted', at: line['at'] } : line,
      /request 0 was not recorded as unanswered/,
    ],
    // The end of the file.
    ['95 % of its lines', { lines: cutTo(0.95) }, 'Inconclusive', 'Violated'],
    ['80 % of its lines', { lines: cutTo(0.8) }, 'Inconclusive', 'Violated'],
    ['50 % of its lines', { lines: cutTo(0.5) }, 'Inconclusive'],
    // The fault.
    ['a fault that is planned twice', doubled(({ step }) => step === 'Planned'), /a second "Planned"/],
    ['two ends', doubled(({ kind }) => kind === 'ended'), /a second "ended"/],
    ['a fault that ended sooner', endsLater(-3000), /a probe contradicts its times/],
    ['a fault that ended later', endsLater(3000), /a probe contradicts its times/],
    ['a fault that began sooner', startsLater(-3000), /no probe met it at its start/],
    ['a fault that began later', startsLater(3000), /a probe contradicts its times/],
    ['no probes', (line) => (line['kind'] === 'probe' ? undefined : line), /no probe met it at its start/],
    ['a probe less', without(({ state }) => state === 'Waiting'), ...kept],
    [
      'a fault that was not Confirmed',
      edited(
        ({ proof }) => proof,
        () => ({ proof: 'Mismatch' }),
      ),
      'Inconclusive',
      'Violated',
    ],
    // The setup.
    ['a limit of 100', limit({ requests: 100 }), /sent \d+ requests until the fault, and its seed draws/],
    ['a limit of 5', limit({ requests: 5 }), /its seed draws/],
    ['a window of 40 s', limit({ window: '40s' }), ...kept],
    ['a window of 1 s', limit({ window: '1s' }), /its seed draws/],
    ['a bucket of 5000', limit({ algorithm: 'TokenBucket', requests: 5000 }), /its seed draws/],
    ['another seed', outage({ seed: 2 }), /its seed draws/],
    [
      'everything accepted',
      outage({ accept: ['Enforces', 'FailsOpen', 'FailsClosed', 'Hangs', 'Mixed'] }),
      'Held',
    ],
    ['expect turned', scenario(() => ({ expect: 'Violated' })), ...kept],
    ['one pod of three', setup(() => ({ pods: ['api-0'] })), /its pod is none of the setup/],
    ['another fixture', setup(() => ({ fixture: 'demo-y' })), /demo-y-c\d+ sent 0 requests/],
    ['another version', setup(() => ({ version: 'v0' })), /^line 1: its version is "v0"/],
    ['a scenario that no run can have', scenario(() => ({ type: 'Flood' })), /^line 1: scenario.type/],
    ['no setup', (line) => (line['version'] ? undefined : line), /^line 1: there is no setup before it/],
    // The format.
    ['an unknown event', (line) => (line['kind'] === 'ended' ? { kind: 'end' } : line), /^line \d+: /],
    ['an unknown field', edited(isRequest, () => ({ x: 1 })), /^line \d+: /],
    ['half a last line', { lines: lastLine((line) => line.slice(0, 9)) }, /^line \d+: it is no JSON/],
    ['a line of 300 KB', { lines: lastLine((line) => line + ' '.repeat(300_000)) }, /more than 262144/],
    [
      'an infinite time',
      { lines: lastLine((line) => line.replace(/"at":[\d.]+/, '"at":1e999')) },
      /^line \d+: Invalid/,
    ],
    ['a prototype', { lines: lastLine((line) => line.replace('{', '{"__proto__":{},')) }, /^line \d+: /],
    ['a byte order mark', { lines: (lines) => lines.with(0, `\uFEFF${lines[0]}`) }, /^line 1: it is no JSON/],
    [
      'more steps than a run has',
      // After each of them, all requests are judged again.
      (line) => (line['kind'] === 'fault' && line['endedAt'] ? repeated(line, 40) : line),
      /^line \d+: there are more than 40 steps/,
    ],
  ])('of which is left: %s', async (_, change, held, violated = held) => {
    for (const [expected, of] of [
      [held, HELD],
      [violated, VIOLATED],
    ] as const) {
      const lines = typeof change === 'function' ? linesWith(change)(of.lines) : change.lines(of.lines);
      const checked = replay(lines, KINDS);
      if (expected instanceof RegExp) {
        await expect(checked).rejects.toThrow(HistoryFormatError);
        await expect(checked).rejects.toThrow(expected);
      } else {
        const [scenario] = await checked;
        expect(scenario?.result ?? 'Inconclusive').toBe(expected);
        // With --against, each change is noticed.
        const isChanged = lines.join() !== of.lines.join();
        expect(isDeepStrictEqual(scenario?.history, of.digest)).toBe(!isChanged);
      }
    }
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
    const lines = linesOf();
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
    expect(evidence?.detections.map(({ kind }) => kind)).toEqual(['broken', 'detected']);
  });

  it('is drawn as far as it was recorded', async () => {
    const lines = linesOf();
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
    const history = new History(whole.setup, { take: () => false, give: () => undefined });
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
