/**
 * How close together the requests of a burst arrive: ours, beside those of two load generators. Ours has
 * connected before it begins; they send on each connection as soon as it is open, while others are still made.
 */
import { Receiver } from '../arrivals/receiver.ts';
import { autocannon, ours, type Send, wrk } from '../arrivals/senders.ts';
import { whyNoWrk } from '../arrivals/wrk-package.ts';
import type { Benchmark, Row } from '../benchmark.ts';
import { median, quantile, spanOf } from '../statistics.ts';

const SIZES = [20, 1000];
/** Bursts of each size by each sender, taking turns, so that a busy moment hits all of them. */
const ROUNDS = 15;

export const burstSpan: Benchmark = {
  name: 'burst-span',
  what: 'arrival span of bursts of 20 and 1,000 requests, beside autocannon and wrk',
  async run({ say, signal }) {
    const noWrk = await whyNoWrk(say, signal);
    if (noWrk) say(`skipped: bursts by wrk. ${noWrk}`);
    const others = new Map<string, Send>([
      ['autocannon', autocannon],
      ...(noWrk ? [] : [['wrk', wrk] as const]),
    ]);
    const receiver = await Receiver.start(signal);
    try {
      const rows: Row[] = [];
      for (const requests of SIZES) {
        say(
          `sending ${ROUNDS} bursts of ${requests} requests by each of: ours, ${[...others.keys()].join(', ')}`,
        );
        rows.push(...(await compare(receiver, requests, others, signal)));
      }
      return rows;
    } finally {
      receiver.stop();
    }
  },
};

async function compare(
  receiver: Receiver,
  requests: number,
  others: ReadonlyMap<string, Send>,
  signal: AbortSignal,
): Promise<Row[]> {
  const spanBy = async (send: Send): Promise<number> => {
    const { port } = receiver;
    const sending = (arrived: AbortSignal): Promise<void> => send({ port, requests, arrived }, signal);
    return spanOf(await receiver.time(requests, sending, signal));
  };
  const own: number[] = [];
  const spans = new Map([...others.keys()].map((name): [string, number[]] => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    own.push(await spanBy(ours));
    for (const [name, send] of others) spans.get(name)?.push(await spanBy(send));
  }
  const samples = `${ROUNDS} bursts of each, first arrival to last; ours at p90: ${quantile(own, 0.9).toFixed(1)} ms`;
  return [...spans].map(([name, theirs]) => ({
    what: `a burst of ${requests}, over connections that are open: arrival span, median`,
    value: median(own),
    unit: 'ms',
    beside: { what: `the same burst by ${name}, connecting meanwhile`, value: median(theirs) },
    note:
      `${samples}. Ours has opened and used every connection before the first arrival, ` +
      `${name} opens its own within the span: the ratio holds what that costs`,
  }));
}
