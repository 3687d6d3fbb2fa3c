/**
 * The price of a fault: what was taken of Redis and the pods in it, and how many requests waited, compared with the time
 * before. Reported, and judged where the spec bounds it. Pure.
 */
import type { CallerRequest } from '../history/events.ts';
import type { FaultTimes } from '../history/recorded.ts';
import { PRICED } from '../spec/price-schema.ts';
import { code } from './checker.ts';
import type { Seen, Usage } from './seen.ts';

/** A client may open its connections again after the end of a fault; milliseconds. */
const AFTER_MS = 1000;
/** From this many times the connections or the memory before the fault on, growth is named. */
const GROWTH = 3;

/** How many requests had no response and were not given up, whenever one was sent. */
function openIn(requests: readonly CallerRequest[]): Usage[] {
  const ended = Float64Array.from(requests, ({ endedAt }) => endedAt).sort();
  let done = 0;
  return Array.from(Float64Array.from(requests, ({ sentAt }) => sentAt).sort(), (at, i) => {
    while ((ended[done] ?? at + 1) <= at) done += 1;
    return { of: 'open requests', who: 'callers', at, value: i + 1 - done };
  });
}

/** The most before and in the fault; undefined without a look in both. @param usage one figure */
function pricedIn(
  usage: readonly Usage[],
  { endedAt = Number.POSITIVE_INFINITY, startedAt = Number.POSITIVE_INFINITY }: FaultTimes,
) {
  const most = (some: readonly Usage[]): number => some.reduce((max, { value }) => Math.max(max, value), 0);
  const inFault = usage.filter(({ at }) => at >= startedAt && at < endedAt + AFTER_MS);
  const [before, during] = [most(usage.filter(({ at }) => at < startedAt)), most(inFault)];
  const [first] = inFault;
  if (!first || before === 0) return undefined;
  const half = most(inFault.slice(0, inFault.length / 2));
  const times = during / before;
  // More in each half of the fault, so that nothing shows where it would have ended.
  const grows = times >= GROWTH && half > before && during > half;
  return { of: first.of, who: first.who, before, during, times, grows };
}

const percentOf = (times = 0): number => Math.round(100 * times);

export type Priced = NonNullable<ReturnType<typeof pricedIn>>;

function priceIn({
  requests,
  setup: {
    plan: { price = {} },
    pods,
  },
  times,
  usage,
}: Seen) {
  const measured = [...Map.groupBy(usage, ({ of, who }) => `${of} ${who}`).values()];
  // Earlier histories have no usage, and what was found of them stays.
  const figures = measured.length > 0 ? [...measured, openIn(requests)] : [];
  const found = figures.flatMap((one) => pricedIn(one, times) ?? []).toSorted((a, b) => b.times - a.times);
  // The pod that grew most stands for all.
  const [, ...others] = found.filter(({ who }) => pods.includes(who));
  const bounded = PRICED.filter((of) => price[of] !== undefined)
    .map((of) => {
      const own = found.filter((one) => one.of === of);
      const needed = ['Redis', ...(of === 'memory' ? pods : [])];
      const unknown = needed.filter((who) => !own.some((one) => one.who === who));
      return { of, unknown, value: percentOf(own[0]?.times), bound: percentOf(price[of]) };
    })
    .toSorted((a, b) => b.value / b.bound - a.value / a.bound);
  const taken = bounded.filter(({ value }) => value > 0);
  const over = bounded.find(({ bound, value }) => value > bound);
  return {
    isBroken: over !== undefined,
    ...(over && { brokenAt: times.startedAt, summary: code('OverPrice', over) }),
    measures: Object.fromEntries(taken.map(({ of, value }) => [of, value])),
    bounds: Object.fromEntries(taken.map(({ bound, of }) => [of, bound])),
    missing: bounded.map((one) => one.unknown.length > 0 && code('PriceUnknown', one)),
    evidence: [
      found.length > 0 && code('Price', { shown: found.filter((one) => !others.includes(one)) }),
      ...PRICED.map((of) => {
        const who = found.filter((one) => one.of === of && one.grows).map((one) => one.who);
        return who.length > 0 && code('Grows', { of, who });
      }),
    ],
  };
}

export const price = { name: 'price', finding: priceIn };
