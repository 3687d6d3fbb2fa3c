/**
 * How close together the requests of a burst arrive: ours over connections that were opened before it begins, those of
 * clients of undici and of wrk over connections that were also used before; and those of autocannon and wrk as they come,
 * which send as soon as they have connected.
 */
import { Receiver } from '../arrivals/receiver.ts';
import { autocannon, ours, type Send, undici, wrk, wrkOpen } from '../arrivals/senders.ts';
import { whyNoWrk } from '../arrivals/wrk-package.ts';
import type { Benchmark, Row } from '../benchmark.ts';
import { freeFileDescriptors } from '../file-descriptors.ts';
import { median, quantile, spanOf } from '../statistics.ts';

interface Other {
  readonly send: Send;
  readonly how: string;
  readonly note: string;
}

const OPEN =
  'Both have opened every connection before the first arrival; those of the other were used as well';
const UNDICI: Other = { send: undici, how: 'clients of undici, over connections that are open', note: OPEN };
const AUTOCANNON: Other = {
  send: autocannon,
  how: 'autocannon, connecting during the burst',
  note:
    'Ours has opened every connection before the first arrival, autocannon opens its own within the ' +
    'span: the ratio holds what that costs',
};
const WRK_OPEN: Other = { send: wrkOpen, how: 'wrk, over connections that are open', note: OPEN };
const WRK: Other = {
  send: wrk,
  how: 'wrk, which has just connected',
  note:
    'wrk sends when it has just opened its connections, so the receiver is awake; ours wakes it, since its ' +
    'connections have been idle',
};

/** Bursts of each size by each sender, taking turns, so that a busy moment hits all of them. */
const ROUNDS: ReadonlyMap<number, number> = new Map([
  [20, 50],
  [1000, 15],
  [10_000, 5],
]);
/** Files that each process opens at most, in addition to its connections. */
const OTHER_FILES = 200;

export const burstSpan: Benchmark = {
  name: 'burst-span',
  what: 'arrival span of bursts of 20, 1,000 and 10,000 requests, compared with undici, autocannon and wrk',
  async run({ say, signal }) {
    const noWrk = await whyNoWrk(say, signal);
    if (noWrk) say(`skipped: bursts by wrk. ${noWrk}`);
    const others = [UNDICI, AUTOCANNON, ...(noWrk ? [] : [WRK_OPEN, WRK])];
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
          `sending ${rounds} bursts of ${requests} requests by each of: ours; ${others.map(({ how }) => how).join('; ')}`,
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
  others: readonly Other[],
  signal: AbortSignal,
): Promise<Row[]> {
  const spanBy = async (send: Send): Promise<number> => {
    const { port } = receiver;
    const sending = (arrived: AbortSignal): Promise<void> => send({ port, requests, arrived }, signal);
    return spanOf(await receiver.time(requests, sending, signal));
  };
  const senders = [ours, ...others.map(({ send }) => send)];
  const spans = senders.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    // Each begins as often as the others: what ended just before still takes some time of the processor.
    for (let turn = 0; turn < senders.length; turn++) {
      const i = (round + turn) % senders.length;
      spans[i]?.push(await spanBy(senders[i] as Send));
    }
  }
  const [own = [], ...theirs] = spans;
  const samples = `${rounds} bursts of each, first arrival to last; ours at p90: ${quantile(own, 0.9).toFixed(1)} ms`;
  return others.map(({ how, note }, i) => ({
    what: `a burst of ${requests}, over connections that are open: arrival span, median`,
    value: median(own),
    unit: 'ms',
    baseline: { what: `the same burst by ${how}`, value: median(theirs[i] ?? []) },
    note: `${samples}. ${note}`,
  }));
}
