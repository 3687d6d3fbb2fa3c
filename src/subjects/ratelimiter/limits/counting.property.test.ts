import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { askInTime } from '../../../../test/fixtures/subjects/ratelimiter/limits/asking-in-time.ts';
import {
  type Decide,
  modelOf,
  randomOf,
  staggeredWindow,
} from '../../../../test/fixtures/subjects/ratelimiter/limits/limiter-models.ts';
import { isNightly } from '../../../../test/kit/nightly.ts';
import { rulesOf } from '../spec/schema.ts';
import { livingOf, nameOf, RULES, type RuleName, returnsOf, type Sent } from './counting.ts';
import { mostAdmitted, type RateLimit, type Rules } from './rate-limit.ts';

const CASES = isNightly ? 10_000 : 1000;
const CLOCK_WITHIN_MS = 1000;

interface World {
  readonly name: RuleName;
  readonly requests: number;
  readonly seconds: number;
  readonly startsAt: number;
  /** How far the limiter's clock is ahead, in milliseconds, and in what steps it runs. */
  readonly skewMs: number;
  readonly stepMs: number;
  /** The longest that a request takes in one direction. */
  readonly delayMs: number;
  readonly seed: number;
}

const worlds: fc.Arbitrary<World> = fc.record({
  name: fc.constantFrom(...RULES),
  requests: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 21, max: 200 })),
  seconds: fc.integer({ min: 2, max: 70 }),
  startsAt: fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
  skewMs: fc.integer({ min: -CLOCK_WITHIN_MS, max: CLOCK_WITHIN_MS }),
  stepMs: fc.constantFrom(1, 1000),
  delayMs: fc.integer({ min: 0, max: 15 }),
  seed: fc.integer({ min: 0, max: 1_000_000 }),
});

function ruleNamed(rules: Rules, name: RuleName): RateLimit {
  const rule = rules.find((each) => nameOf(each) === name);
  if (!rule) throw new TypeError(name);
  return rule;
}

/** What callers get that ask as in a run, in simulated time, and the rules that are left. */
function asked(world: World) {
  const { delayMs, name, requests, seconds, skewMs, startsAt } = world;
  const windowMs = 1000 * seconds;
  // Limiters that count in seconds have windows of at least ten.
  const stepMs = seconds >= 10 ? world.stepMs : 1;
  const random = randomOf(world.seed);
  const rules = rulesOf({ limit: { requests, window: `${seconds}s` } });
  const truth = ruleNamed(rules, name);
  const decideOf = (): Decide => {
    const decide = name === 'EachKey' ? staggeredWindow(truth, random() * windowMs) : modelOf(truth);
    return (at) => decide(Math.floor((at + skewMs) / stepMs) * stepMs);
  };
  const callers: Sent[][] = [];
  askInTime(rules, startsAt, () => {
    const decide = decideOf();
    const sent: Sent[] = [];
    callers.push(sent);
    return (sentAt) => {
      const decidedAt = sentAt + random() * delayMs;
      const endedAt = decidedAt + random() * delayMs + 1;
      const isAdmitted = decide(decidedAt);
      sent.push({ sentAt, endedAt, outcome: isAdmitted ? 'Admitted' : 'Rejected' });
      return { endedAt, isAdmitted };
    };
  });
  const returns = callers.flatMap((sent) => returnsOf(sent, requests, 1));
  return { truth, living: livingOf(rules, returns, CLOCK_WITHIN_MS) };
}

describe('the rules that are left once callers got their limits back', () => {
  it('are never without the true one, wherever clocks and phases are', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        expect(asked(world).living.map(nameOf)).toContain(world.name);
      }),
      { numRuns: CASES, seed: 59 },
    );
  });

  it('admit no more than the true one and a few requests, in 99 % of usual worlds', () => {
    let [all, wider] = [0, 0];
    fc.assert(
      fc.property(worlds, (world) => {
        const { requests, seconds } = world;
        // Of one or two requests, or of ten a second, too little is seen of how they return.
        fc.pre(requests > 2 && seconds >= 5 && requests < 10 * seconds);
        const { living, truth } = asked(world);
        // Half of a window, in which one by the clock ends.
        const times = { from: 750 * seconds, to: 1250 * seconds };
        const span = { ...times, clockWithinMs: CLOCK_WITHIN_MS, fresh: true };
        // A weighted count admits two or three more than a bucket, by its rounding.
        const most = mostAdmitted(truth, span) + 3;
        all += 1;
        if (living.some((rule) => mostAdmitted(rule, span) > most)) wider += 1;
      }),
      { numRuns: CASES, seed: 59 },
    );
    expect(wider / all).toBeLessThan(0.01);
  });
});
