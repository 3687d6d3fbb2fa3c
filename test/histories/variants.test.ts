/**
 * The results of recorded histories if something else had happened, or were missing, in codes and figures. A change of
 * a checker shows here, and is explained.
 */

import { expect, it } from 'vitest';
import type { Code } from '../../src/subjects/checkers/checker.ts';
import type { HistoryEvent } from '../../src/subjects/history/events.ts';
import { readLines } from '../../src/subjects/history/json-lines.ts';
import { KINDS } from '../../src/subjects/index.ts';
import { limiterSetup, type Setup } from '../../src/subjects/ratelimiter/history/setup.ts';
import { counterDrift } from '../../src/subjects/ratelimiter/scenarios/counter-drift/index.ts';
import { ghostAllowing } from '../../src/subjects/ratelimiter/scenarios/ghost-allowing/index.ts';
import { storeOutage } from '../../src/subjects/ratelimiter/scenarios/store-outage/index.ts';
import { replay } from '../../src/subjects/run/replay.ts';
import { judgeBursts, judgeDrift, judgeOutage } from '../fixtures/subjects/ratelimiter/judged.ts';
import { VARIANTS, variantOf } from '../fixtures/subjects/ratelimiter/recorded-variants.ts';

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

it.each(VARIANTS)('variants of a recorded %s on %s', async (type, file, changes) => {
  for (const [name, change] of Object.entries(changes)) {
    const lines = variantOf(file, type, change);
    const [scenario] = await replay(lines, KINDS);
    const { atLeast = [], measures = {}, reason, summary } = scenario ?? {};
    const least = (name: string): string => (atLeast.includes(name) ? '>= ' : '');
    const { evidence = [], shortfalls = [] } = await codesOf(type, lines);
    expect({
      reason,
      summary,
      measures: Object.entries(measures)
        .map(([name, value]) => `${name} ${least(name)}${value}`)
        .join(', '),
      missing: shortfalls.map(textOf),
      evidence: evidence.map(({ code }) => code).join(', '),
    }).toMatchSnapshot(name);
  }
});
