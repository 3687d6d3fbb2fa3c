/**
 * The controls of a header that tells what remains: that it tells the truth to a caller that uses its limit up, and
 * how far what it tells lies behind the sender without a fault, at the rate of the fault's traffic.
 */
import { counted, truncate } from '../../../../api/index.ts';
import type { Lag } from '../../baseline.ts';
import type { NodeClient } from '../../http/node-client.ts';
import { admittedAtOnce } from '../../limits/rate-limit.ts';
import { sumOf } from '../../words.ts';
import { gotOf } from '../caller-request.ts';
import type { Callers } from '../callers.ts';
import {
  type LagParts,
  type LagSeen,
  type LagSource,
  type LagTraffic,
  lagUnderTraffic,
} from './lag-traffic.ts';
import { limitOf } from './limit-of-spec.ts';
import { type QuotaAnswer, ReportedQuota } from './reported-quota.ts';

/** Characters of what was asked, for people. */
const MOST_ASKED = 80;
const REMEDY =
  'Correct subject.rateLimiter.interface.http.remaining (a header that tells each caller how many requests of limit.requests remain), or leave it out';

/** Hears what the answers to one caller tell that the limiter has never seen. Its requests have to be sent one after the other. */
export class QuotaControl {
  readonly #header: string;
  readonly #count: ReportedQuota;
  #answers = 0;
  #furthest = 0;
  /** To the last request that was let through. */
  #last: QuotaAnswer | undefined;
  /** The first request that was let through and not told what remains, and what it was told. */
  #problem: string | undefined;

  constructor({ podClients, limiter }: Pick<LagParts, 'podClients' | 'limiter'>, header: string) {
    const names = podClients.map(({ node }) => node.name);
    this.#header = header;
    this.#count = new ReportedQuota(header, admittedAtOnce(limitOf(limiter)), names);
  }

  /** These clients, whose answers it hears. */
  around(
    clients: readonly Pick<NodeClient, 'ask' | 'node'>[],
    callers: Pick<Callers, 'read'>,
  ): Pick<NodeClient, 'ask' | 'node'>[] {
    return clients.map((client) => ({
      node: client.node,
      ask: async (...args: Parameters<NodeClient['ask']>) => {
        const caller = this.#count.ask(client.node.name, 0);
        const asked = await client.ask(...args);
        const outcome = gotOf(asked, callers)?.outcome;
        if (!asked.answer || (outcome !== 'Admitted' && outcome !== 'Rejected')) {
          caller.over();
          return asked;
        }
        const told = caller.answered(outcome, asked.answer, asked.endedAt);
        if (outcome === 'Admitted') {
          const [{ method, path }] = args;
          const what = truncate(`${method} ${path}`, MOST_ASKED);
          if (!told) this.#problem ??= `one caller was let through with ${what}, and ${this.#count.problem}`;
          this.#answers += 1;
          this.#furthest = Math.max(this.#furthest, told?.behind ?? 0);
          this.#last = told;
        }
        return asked;
      },
    }));
  }

  /**
   * What was told, in words, once the caller has used its limit up.
   * @throws Error where that is not what remains, with what came back and the field to correct
   */
  conclude(): string {
    const problem = this.#problem ?? this.#standsStill();
    if (problem !== undefined)
      throw new Error(`without any fault ${this.#header} does not tell what remains: ${problem}. ${REMEDY}`);
    return `${this.#header} told with each of ${counted(this.#answers, 'answer')} what remains, at most ${this.#furthest} behind`;
  }

  /** What does not go down with the requests is another figure; some nodes share their counts now and then. */
  #standsStill(): string | undefined {
    const { admitted, behind = 0, node, used } = this.#last ?? {};
    const before = sumOf(admitted?.values() ?? []);
    if (behind <= before / 2) return undefined;
    return `one caller had been let through ${counted(before, 'time')}, and then ${node} told that ${counted(used ?? 0, 'request')} of these ${used === 1 ? 'was' : 'were'} used`;
  }
}

/**
 * Measures the furthest that what answers tell as used was behind what the sender was allowed, under steady traffic of
 * callers within their limit.
 * @returns what throws an Error where answers did not tell it often enough
 */
export function quotaLag(
  header: string,
): (parts: LagParts, traffic: LagTraffic, signal: AbortSignal) => Promise<Lag> {
  return async (parts, traffic, signal) => {
    const { podClients, callers, limiter, now } = parts;
    const names = podClients.map(({ node }) => node.name);
    const full = admittedAtOnce(limitOf(limiter));
    let seen: LagSeen = { lag: 0, samples: 0 };
    let turn: { readonly key: string; readonly count: ReportedQuota } | undefined;
    const tell = ({ behind }: QuotaAnswer): void => {
      seen = { ...seen, lag: Math.max(seen.lag, behind), samples: seen.samples + 1 };
    };
    const source: LagSource = {
      sending({ client, key }) {
        if (turn?.key !== key) turn = { key, count: new ReportedQuota(header, full, names) };
        return turn.count.listen(client.node.name, callers, now(), tell);
      },
      get seen() {
        return { ...seen, problem: turn?.count.problem };
      },
      tooLittle: `${header} told what remains`,
      slow: 'answers came too slowly',
    };
    return await lagUnderTraffic(parts, traffic, source, signal);
  };
}
