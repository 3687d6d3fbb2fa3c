/**
 * How close together the requests of a burst arrive: ours, beside those of clients of undici, which have
 * connected before it begins as ours has, and of two load generators, which send on each connection as soon as it
 * is open, while others are still made.
 */
import { freeFileDescriptors } from '../../src/subjects/ratelimiter/http/file-descriptors.ts';
import { Receiver } from '../arrivals/receiver.ts';
import { autocannon, ours, type Send, undici, wrk } from '../arrivals/senders.ts';
import { whyNoWrk } from '../arrivals/wrk-package.ts';
import type { Benchmark, Row } from '../benchmark.ts';
import { median, quantile, spanOf } from '../statistics.ts';

/** Bursts of each size by each sender, taking turns, so that a busy moment hits all of them. */
const ROUNDS: ReadonlyMap<number, number> = new Map([
  [20, 15],
  [1000, 15],
  [10_000, 5],
]);
/** Each process that takes part opens this many files besides its connections, at most. */
const OTHER_FILES = 200;

export const burstSpan: Benchmark = {
  name: 'burst-span',
  what: 'arrival span of bursts of 20, 1,000 and 10,000 requests, beside undici, autocannon and wrk',
  async run({ say, signal }) {
    const noWrk = await whyNoWrk(say, signal);
    if (noWrk) say(`skipped: bursts by wrk. ${noWrk}`);
    const others = new Map<string, Send>([
      ['undici', undici],
      ['autocannon', autocannon],
      ...(noWrk ? [] : [['wrk', wrk] as const]),
    ]);
    const receiver = await Receiver.start(signal);
    try {
      const rows: Row[] = [];
      for (const [requests, rounds] of ROUNDS) {
        const noFiles = await whyNoFiles(requests);
        if (noFiles) {
          say(`skipped: bursts of ${requests}. ${noFiles}`);
          continue;
        }
        say(
          `sending ${rounds} bursts of ${requests} requests by each of: ours, ${[...others.keys()].join(', ')}`,
        );
        rows.push(...(await compare(receiver, requests, rounds, others, signal)));
      }
      return rows;
    } finally {
      receiver.stop();
    }
  },
};

/** Undefined when this process and those it starts may open so many connections; else why they may not. */
export async function whyNoFiles(connections: number): Promise<string | undefined> {
  const free = await freeFileDescriptors();
  if (free === undefined || free >= connections + OTHER_FILES) return undefined;
  return `a process may open only ${free} more files: raise the limit (ulimit -n)`;
}

async function compare(
  receiver: Receiver,
  requests: number,
  rounds: number,
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
  for (let round = 0; round < rounds; round++) {
    own.push(await spanBy(ours));
    for (const [name, send] of others) spans.get(name)?.push(await spanBy(send));
  }
  const samples = `${rounds} bursts of each, first arrival to last; ours at p90: ${quantile(own, 0.9).toFixed(1)} ms`;
  return [...spans].map(([name, theirs]) => ({
    what: `a burst of ${requests}, over connections that are open: arrival span, median`,
    value: median(own),
    unit: 'ms',
    beside: { what: `the same burst by ${howBy(name)}`, value: median(theirs) },
    note: `${samples}. ${whatElse(name)}`,
  }));
}

function howBy(name: string): string {
  return name === 'undici'
    ? 'clients of undici, over connections that are open'
    : `${name}, connecting meanwhile`;
}

function whatElse(name: string): string {
  if (name === 'undici') return 'Both have opened and used every connection before the first arrival';
  return (
    `Ours has opened and used every connection before the first arrival, ` +
    `${name} opens its own within the span: the ratio holds what that costs`
  );
}
