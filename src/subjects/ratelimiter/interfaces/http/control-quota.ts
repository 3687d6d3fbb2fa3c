/**
 * The controls of a header that reports the quota: that it is right for a caller that exhausts its limit, and how far it
 * lags behind the sender without a fault, at the rate of the fault's traffic.
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
  'Correct rateLimiter.http.remainingHeader (a header that reports to each caller how many requests of limit.requests remain), or leave it out';

/** Hears the quota in the answers to one caller that the limiter has never seen. Its requests must be sent one after the other. */
export class QuotaControl {
  readonly #header: string;
  readonly #count: ReportedQuota;
  #answers = 0;
  #furthest = 0;
  /** To the last request that was admitted. */
  #last: QuotaAnswer | undefined;
  /** The first request that was admitted without a quota in the answer, and what was in it. */
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
        const quota = caller.answered(outcome, asked.answer, asked.endedAt);
        if (outcome === 'Admitted') {
          const [{ method, path }] = args;
          const what = truncate(`${method} ${path}`, MOST_ASKED);
          if (!quota) this.#problem ??= `one caller was admitted with ${what}, and ${this.#count.problem}`;
          this.#answers += 1;
          this.#furthest = Math.max(this.#furthest, quota?.behind ?? 0);
          this.#last = quota;
        }
        return asked;
      },
    }));
  }

  /**
   * What was reported, in words, once the caller has exhausted its limit.
   * @throws Error if that is not the quota, with what came back and the field to correct
   */
  conclude(): string {
    const problem = this.#problem ?? this.#standsStill();
    if (problem !== undefined)
      throw new Error(`without any fault ${this.#header} does not report the quota: ${problem}. ${REMEDY}`);
    return `${this.#header} reported the quota with each of ${counted(this.#answers, 'answer')}, at most ${this.#furthest} behind`;
  }

  /** What does not go down with the requests is another figure; some nodes share their counts now and then. */
  #standsStill(): string | undefined {
    const { admitted, behind = 0, node, used } = this.#last ?? {};
    const before = sumOf(admitted?.values() ?? []);
    if (behind <= before / 2) return undefined;
    return `one caller had been admitted ${counted(before, 'time')}, and then ${node} reported that ${counted(used ?? 0, 'request')} of these ${used === 1 ? 'was' : 'were'} used`;
  }
}

/**
 * Measures the furthest that the reported usage lagged behind what was admitted, under steady traffic of callers under
 * their limit.
 * @returns a function that throws an Error if answers did not report it often enough
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
    const onAnswer = ({ behind }: QuotaAnswer): void => {
      seen = { ...seen, lag: Math.max(seen.lag, behind), samples: seen.samples + 1 };
    };
    const source: LagSource = {
      sending({ client, key }) {
        if (turn?.key !== key) turn = { key, count: new ReportedQuota(header, full, names) };
        return turn.count.listen(client.node.name, callers, now(), onAnswer);
      },
      get seen() {
        return { ...seen, problem: turn?.count.problem };
      },
      tooLittle: `${header} reported the quota`,
      slow: 'answers came too slowly',
    };
    return await lagUnderTraffic(parts, traffic, source, signal);
  };
}
