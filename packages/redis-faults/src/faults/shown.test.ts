import { expect, it } from 'vitest';
import type { ProbeEvent } from '../events.ts';
import type { Mechanism } from './fault-type.ts';
import { NOT_RECORDED, type Observed, unshown } from './shown.ts';

const [FROM, TO] = [100_000, 110_000];
const probe = (state: ProbeEvent['state'], at: number, tookMs: number): Observed => ({
  kind: 'probe',
  state,
  at,
  tookMs,
});
const seen = (at: number, isActive = true, sinceMs = 250): Observed => ({
  kind: 'fault',
  step: 'Seen',
  at,
  isActive,
  sinceMs,
});
const lost = (keys: number, of = 3): Observed => ({
  kind: 'fault',
  step: 'CountsLost',
  at: FROM + 5,
  keys,
  of,
  total: 9,
});

const HELD: Pick<Mechanism, 'holdsWrites'> = { holdsWrites: true };
const held = [
  probe('Written', FROM - 300, 1),
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((s) => probe('Waiting', FROM + 1000 * s, 1000 * s - 1)),
  probe('Written', TO, TO - FROM - 1),
  probe('Written', TO + 250, 1),
];
const PROXIED = {};
const proxied = [...Array.from({ length: 40 }, (_, i) => seen(FROM + 250 * (i + 1))), seen(TO, false, 0)];
const LOSS: Pick<Mechanism, 'lasts'> = { lasts: 'Moment' };

type Case = [string, Pick<Mechanism, 'holdsWrites' | 'lasts'>, readonly Observed[]];
const WHOLE: readonly Case[] = [
  ['stall', HELD, held],
  ['fault of a proxy', PROXIED, proxied],
  ['loss', LOSS, [lost(3)]],
];

it.each(WHOLE)('a %s is shown at its times, and one and a half seconds off', (_, mechanism, events) => {
  expect(unshown(mechanism, events, { startedAt: FROM, endedAt: TO }, TO)).toBeUndefined();
  expect(unshown(mechanism, events, { startedAt: FROM - 500, endedAt: TO + 500 }, TO)).toBeUndefined();
  expect(unshown(mechanism, events.slice(0, 3), { startedAt: FROM }, TO)).toBeUndefined();
});

it.each(WHOLE)('a %s is not shown if one of its times is three seconds off', (_, mechanism, events) => {
  for (const times of [
    { startedAt: FROM - 3000, endedAt: TO },
    { startedAt: FROM + 3000, endedAt: TO },
    { startedAt: FROM, endedAt: TO - 3000 },
    { startedAt: FROM, endedAt: TO + 3000 },
  ]) {
    expect(unshown(mechanism, events, times, TO)).toEqual(expect.any(String));
  }
});

it.each<[string, ...[Case[1], Case[2]], RegExp]>([
  ['a write was accepted in it', HELD, [...held, probe('Written', FROM + 5000, 1)], /its times/],
  [
    'writes are not seen to wait',
    HELD,
    held.filter((event) => !('state' in event) || event.state === 'Written').slice(-1),
    /at its start/,
  ],
  ['no write is recorded', HELD, [], /at its start/],
  ['a probe did not meet it', PROXIED, [...proxied, seen(FROM + 5000, false, 0)], /its times/],
  ['half of its probes are missing', PROXIED, proxied.filter((_, i) => i < 5 || i > 25), /for 48 % of/],
  ['a count was kept', LOSS, [lost(2)], /at its start/],
  ['there was no count', LOSS, [lost(0, 0)], /at its start/],
])('a fault is not shown if %s', (_, mechanism, events, why) => {
  expect(unshown(mechanism, events, { startedAt: FROM, endedAt: TO }, TO)).toMatch(why);
});

it('a fault that holds no writes needs its own probes', () => {
  expect(unshown(PROXIED, held, { startedAt: FROM, endedAt: TO }, TO)).toBe(NOT_RECORDED);
});
