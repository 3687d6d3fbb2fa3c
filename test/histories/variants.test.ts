/**
 * The results of recorded histories if something else had happened, or were missing, in codes and figures. A change of
 * a checker shows here, and is explained.
 */

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import type { Code } from '../../src/subjects/checkers/checker.ts';
import type { CallerKind, HistoryEvent } from '../../src/subjects/history/events.ts';
import { readLines } from '../../src/subjects/history/json-lines.ts';
import { KINDS } from '../../src/subjects/index.ts';
import { limiterSetup, type Setup } from '../../src/subjects/ratelimiter/history/setup.ts';
import { counterDrift } from '../../src/subjects/ratelimiter/scenarios/counter-drift/index.ts';
import { ghostAllowing } from '../../src/subjects/ratelimiter/scenarios/ghost-allowing/index.ts';
import { storeOutage } from '../../src/subjects/ratelimiter/scenarios/store-outage/index.ts';
import { replay } from '../../src/subjects/run/replay.ts';
import { judgeBursts, judgeDrift, judgeOutage } from '../fixtures/subjects/ratelimiter/judged.ts';

type Event<K extends HistoryEvent['kind']> = Extract<HistoryEvent, { kind: K }>;
type Line = HistoryEvent | { readonly kind: 'setup'; readonly [field: string]: unknown };
/** What is recorded in place of an event. @param inFault when the fault was, as recorded */
type Change = (event: Line, inFault: (at: number) => boolean) => Line | readonly Line[];

const read = (file: string): Line[] =>
  gunzipSync(readFileSync(new URL(`${file}.jsonl.gz`, import.meta.url)))
    .toString()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);

/** New: within its limit. Over: had used its limit up before the fault. Crossing: any other of the population. */
type Role = 'Crossing' | 'New' | 'Over' | Exclude<CallerKind, 'Drawn'>;

function roleOf({ caller, key = '' }: Event<'request'>): Role {
  if (caller !== 'Drawn') return caller;
  return key.endsWith('-c0') ? 'Over' : /-w\d+$/.test(key) ? 'New' : 'Crossing';
}

/** The requests of callers of these roles, in the fault or outside of it. */
const requests =
  (
    callers: readonly Role[],
    change: (request: Event<'request'>) => Partial<Event<'request'>>,
    when: 'inFault' | 'outside' = 'inFault',
  ): Change =>
  (event, inFault) =>
    event.kind === 'request' &&
    callers.includes(roleOf(event)) &&
    inFault(event.sentAt) === (when === 'inFault')
      ? { ...event, ...change(event) }
      : event;
const outcome =
  (of: Event<'request'>['outcome'], more: Partial<Event<'request'>> = {}) =>
  (): Partial<Event<'request'>> => ({ outcome: of, ...more });
const before =
  (kind: HistoryEvent['kind'], ...more: readonly HistoryEvent[]): Change =>
  (event) =>
    event.kind === kind ? [...more, event] : event;
const report =
  (
    change: (event: Event<'fault'> & { readonly step: 'Reported' }) => HistoryEvent | readonly HistoryEvent[],
  ): Change =>
  (event) =>
    event.kind === 'fault' && (event as Event<'fault'>).step === 'Reported'
      ? change(event as Event<'fault'> & { readonly step: 'Reported' })
      : event;
const samples =
  (change: (sample: Event<'count'>) => Partial<Event<'count'>>): Change =>
  (event) =>
    event.kind === 'count' ? { ...event, ...change(event) } : event;
const setup =
  (change: (line: Record<string, unknown>) => object): Change =>
  (event) =>
    event.kind === 'setup' ? { ...event, ...change({ ...event }) } : event;
const accept = (...behaviours: string[]): Change =>
  setup(({ scenario }) => {
    const { storeOutage, ...rest } = scenario as { storeOutage: object };
    return { scenario: { ...rest, storeOutage: { ...storeOutage, accept: behaviours } } };
  });
const all =
  (...changes: Change[]): Change =>
  (event, inFault) =>
    changes.reduce<Line[]>((lines, change) => lines.flatMap((line) => change(line, inFault)), [event]);

const anyFault: Readonly<Record<string, Change>> = {
  'as recorded': (event) => event,
  'the start of the fault is unknown': report((event) => {
    const { startedAt: _, ...rest } = event;
    return rest;
  }),
  'the end of the fault is unknown': report((event) => {
    const { endedAt: _, ...rest } = event;
    return rest;
  }),
  'the fault ended early': report((event) => ({
    ...event,
    ...(event.endedAt && { endedAt: event.endedAt - 900 }),
  })),
  'the fault is not proven': report((event) => ({ ...event, proof: 'Mismatch' })),
  'the fault was doubted': report((event) => [
    event,
    { kind: 'fault', step: 'Doubted', at: (event.startedAt ?? 0) + 2000 },
  ]),
  'the limiter may count elsewhere': setup(() => ({ storeDoubt: 'it may count elsewhere' })),
  'events and requests are missing': before(
    'recovered',
    { kind: 'dropped', events: 3 },
    { kind: 'left-out', requests: 2 },
  ),
};
const outages: Readonly<Record<string, Change>> = {
  ...anyFault,
  'callers hang': requests(['New', 'Over', 'Crossing'], outcome('Timeout')),
  'callers hang, and so do requests that need no limiter': requests(['New', 'Over', 'Control'], ({ id }) =>
    id % 3 === 0 ? {} : { outcome: 'Timeout' },
  ),
  'callers get errors': requests(['New', 'Crossing'], outcome('Error', { status: 500 })),
  'callers are rejected, which is accepted': all(
    requests(['New', 'Crossing'], outcome('Rejected', { status: 429 })),
    accept('FailsClosed'),
  ),
  'one pod fails': requests(['New', 'Crossing'], ({ pod }) =>
    pod.endsWith('-0') ? { outcome: 'Error', status: 503 } : {},
  ),
  'all are admitted': requests(['New', 'Over', 'Crossing'], outcome('Admitted')),
  'all are admitted, which is accepted': all(
    requests(['New', 'Over', 'Crossing'], outcome('Admitted')),
    accept('FailsOpen'),
  ),
  'Redis lost its counts': all(
    requests(['New', 'Over'], outcome('Admitted')),
    report((event) => [
      event,
      { kind: 'fault', step: 'CountsLost', at: (event.startedAt ?? 0) + 10, keys: 1, total: 3 },
    ]),
  ),
  'responses are read late': requests(['New', 'Crossing'], ({ endedAt }) => ({ endedAt: endedAt + 2000 })),
  'the limit was not kept before': requests(['Over', 'New'], outcome('Admitted'), 'outside'),
  'callers failed before and after': requests(['Over', 'New'], outcome('Error'), 'outside'),
  'a pod was replaced, and one restarted': (event) =>
    event.kind === 'traffic-ended'
      ? [
          { kind: 'restarted', at: event.at, pods: ['ratelimiter-1'] },
          { ...event, moved: ['ratelimiter-0', 'another'] },
        ]
      : event,
  'one caller makes all requests': setup(({ limiter }) => {
    const { interface: _, ...rest } = limiter as { interface: string; http: object };
    return { limiter: { ...rest, interface: 'HTTP', http: { path: '/', identity: 'SourceAddress' } } };
  }),
};
const drifts: Readonly<Record<string, Change>> = {
  ...anyFault,
  'nothing was measured without a fault': setup(() => ({ baseline: undefined })),
  'samples are missing': samples(({ readAt }) =>
    readAt % 7000 < 4000 ? { stored: undefined, problems: ['silent'] } : {},
  ),
  'Redis counts all': samples(({ admitted }) => ({
    stored: Object.values(admitted).reduce((sum, of) => sum + of, 0),
  })),
  'a pod lost the key': samples(({ readAt }) =>
    readAt % 3000 < 100 ? { elsewhere: ['ratelimiter-0'] } : {},
  ),
  'the pods count nothing': samples(({ admitted }) => ({
    admitted: Object.fromEntries(Object.keys(admitted).map((pod) => [pod, 0])),
  })),
  'requests have no answer': requests(['Steady'], ({ id }) => (id % 3 === 0 ? { outcome: 'Timeout' } : {})),
  'answers show nothing': requests(['Steady'], outcome('Error', { cause: 'Answer' })),
  'all are rejected': requests(['Steady'], outcome('Rejected')),
};
const bursts: Readonly<Record<string, Change>> = {
  'as recorded': anyFault['as recorded'] as Change,
  'events are missing': before('fault', { kind: 'dropped', events: 3 }),
  'requests were not together': (event) => (event.kind === 'burst' ? { ...event, sendSpanMs: 150 } : event),
  'all are admitted': requests(['Burst'], outcome('Admitted')),
  'few are admitted': requests(['Burst'], ({ id }) => ({ outcome: id % 9 === 0 ? 'Admitted' : 'Rejected' })),
  'some have no answer': requests(['Burst'], ({ id, outcome: of }) =>
    id % 5 === 0 ? { outcome: 'Timeout' } : { outcome: of },
  ),
  'no more bursts followed': (event) =>
    event.kind === 'burst' && !event.key.includes('-trial-')
      ? [event, { kind: 'stopped', at: event.at, why: 'it was late' }]
      : event.kind === 'burst'
        ? []
        : event,
};

/** The lines of the scenarios of a type in a file, changed. */
function variantOf(file: string, type: string, change: Change): string[] {
  const lines = read(file);
  const from = lines.findIndex(
    (line) => line.kind === 'setup' && (line as { scenario?: { type: string } }).scenario?.type === type,
  );
  const next = lines.findIndex((line, i) => i > from && line.kind === 'setup');
  const own = lines.slice(from, next < 0 ? undefined : next);
  const reports = own.flatMap((line) =>
    line.kind === 'fault' && (line as Event<'fault'>).step === 'Reported'
      ? [line as Event<'fault'> & { step: 'Reported' }]
      : [],
  );
  const [start = 0] = reports.flatMap(({ startedAt }) => startedAt ?? []);
  const end = reports.findLast(({ endedAt }) => endedAt !== undefined)?.endedAt ?? Infinity;
  const unanswered = new Set<number>();
  return own
    .flatMap((line) => change(line, (at) => type === 'GhostAllowing' || (at >= start && at < end)))
    .filter((line) => {
      if (line.kind === 'request' && line.outcome === 'Timeout') unanswered.add(line.id);
      return line.kind !== 'late' || unanswered.has(line.id);
    })
    .map((line) => JSON.stringify(line));
}

/** What is missing and shown, in codes. */
async function codesOf(type: 'CounterDrift' | 'GhostAllowing' | 'StoreOutage', lines: readonly string[]) {
  const events: HistoryEvent[] = [];
  let setup: Setup | undefined;
  await readLines(lines, {
    schemaOf: () => limiterSetup,
    setup: (given) => {
      setup = given as Setup;
    },
    event: (event) => events.push(event),
  });
  if (!setup) throw new TypeError('there is no history');
  const { limiter, scenario } = setup;
  if (type === 'StoreOutage') {
    return judgeOutage({ ...setup, plan: storeOutage.plan(scenario, limiter) }, events);
  }
  if (type === 'CounterDrift') {
    return judgeDrift({ ...setup, plan: counterDrift.plan(scenario, limiter) }, events);
  }
  return judgeBursts({ ...setup, plan: ghostAllowing.plan(scenario, limiter) }, events);
}

/** "TooFewChecks api-0 3 10": a code with its plain figures. */
function textOf({ code, ...figures }: Code): string {
  return [code, ...Object.values(figures).filter((value) => typeof value !== 'object')].join(' ');
}

it.each([
  ['StoreOutage', 'slow-rate-limiter-flexible', outages],
  ['StoreOutage', 'fastify-rate-limit-timeout-fail-open', outages],
  ['CounterDrift', 'approximate', drifts],
  ['CounterDrift', 'strict', drifts],
  ['GhostAllowing', 'strict', bursts],
] as const)('variants of a recorded %s on %s', async (type, file, changes) => {
  for (const [name, change] of Object.entries(changes)) {
    const lines = variantOf(file, type, change);
    const [scenario] = await replay(lines, KINDS);
    const { measures = [], reason, summary } = scenario ?? {};
    const { evidence = [], shortfalls = [] } = await codesOf(type, lines);
    expect({
      reason,
      summary,
      measures: measures.map((one) => `${one.name} ${one.atLeast ? '>= ' : ''}${one.value}`).join(', '),
      missing: shortfalls.map(textOf),
      evidence: evidence.map(({ code }) => code).join(', '),
    }).toMatchSnapshot(name);
  }
});
