/** Judges the history of a store outage: prepares it for its checkers. Pure. */
import { type Measure, parseDuration } from '../../../../api/index.ts';
import type { InvariantReading } from '../../../../demo/observed.ts';
import { type Reconciliation, reconcile, usedUpKeys, whyNoAccount } from '../../checkers/accounts.ts';
import { limitReturnOf } from '../../checkers/limit-return.ts';
import { judgeOutage, type OutageJudged, type OutageSeen } from '../../checkers/outage.ts';
import { asOfOneLimit } from '../../checkers/requests.ts';
import type { CallerKind, CallerRequest, HistoryEvent } from '../../history/events.ts';
import type { FaultTimes } from '../../history/fault-times.ts';
import type { History } from '../../history/history.ts';
import { limitOf } from '../../interfaces/http/limit-of-spec.ts';
import { leftOutShortfall } from '../../words.ts';
import { isOfOneCaller } from '../cooldowns.ts';
import type { Judge } from '../scenario-type.ts';
import { mechanismIn } from '../store-fault.ts';
import { parametersOf, watchedAfterMs } from './parameters.ts';

/** Callers that are not part of the traffic: their requests show nothing of how callers fare. */
const APART: ReadonlySet<CallerKind> = new Set(['Account', 'Returning']);

/** Events that do not change the outcomes of callers. */
const BESIDE: ReadonlySet<HistoryEvent['kind']> = new Set([
  'probe',
  'health',
  'gone',
  'count',
  'burst',
  'arrived',
  'stopped',
  'rest',
  'accounts',
  'accounts-ended',
  'recovered',
]);

export class OutageJudge implements Judge {
  readonly #history: History;
  /** Result of the events so far, cached: several figures of one reading need it, and many events make it slow. */
  #judged: OutageJudged | undefined;

  constructor(history: History) {
    this.#history = history;
    history.listen(({ kind }) => {
      if (!BESIDE.has(kind)) this.#judged = undefined;
    });
  }

  /** All that was found so far. */
  get judged(): OutageJudged {
    this.#judged ??= judgeOutage(seenIn(this.#history));
    return this.#judged;
  }

  reading(): InvariantReading {
    const { leftOut, setup } = this.#history;
    const { reading } = this.judged;
    const { storeDoubt } = setup;
    return {
      ...reading,
      shortfalls: [
        // A limiter that counts elsewhere is not affected by this store.
        ...(storeDoubt === undefined ? [] : [storeDoubt]),
        ...reading.shortfalls,
        ...(leftOut > 0 ? [leftOutShortfall(leftOut)] : []),
      ],
    };
  }

  changes(event: HistoryEvent): boolean {
    const { kind } = event;
    return kind === 'traffic-ended' || kind === 'ended' || (kind === 'fault' && event.step === 'Reported');
  }

  /** Whether callers were admitted as before when the traffic ended. */
  get #isWell(): boolean {
    return this.judged.recovery?.state === 'Recovered';
  }

  /** Requests of the one caller whose limit was replenished before the fault, by their turn. */
  get #ofOneLimit(): readonly CallerRequest[] {
    const { settings, requests } = seenIn(this.#history);
    const { oneLimitFrom = Number.POSITIVE_INFINITY } = settings;
    return asOfOneLimit(settings, requests).filter(({ sentAt }) => sentAt >= oneLimitFrom);
  }

  /** The reconciled counts; undefined until the limits were used up. */
  get accounts(): Reconciliation | undefined {
    const settled = this.#history.last('accounts');
    if (!settled || !this.#history.last('accounts-ended')) return undefined;
    const { settings } = seenIn(this.#history);
    const { clockWithinMs = 0, limit, pods, oneLimitFrom } = settings;
    const oneLimit = oneLimitFrom !== undefined;
    const requests = this.#of('Account');
    const byKey = Map.groupBy(requests, ({ key }) => key);
    const callers = oneLimit
      ? [{ during: this.#ofOneLimit, after: requests }]
      : settled.keys.map((key) => {
          const own = byKey.get(key) ?? [];
          const from = settled.at;
          return {
            during: own.filter(({ sentAt }) => sentAt < from),
            after: own.filter(({ sentAt }) => sentAt >= from),
          };
        });
    const accounts = { limit, pods: pods.length, clockWithinMs, oneLimit };
    return reconcile(accounts, callers, this.whyNoAccount);
  }

  /** See {@link whyNoAccount}. */
  get whyNoAccount(): string | undefined {
    const { settings } = seenIn(this.#history);
    const ofOneLimit = settings.oneLimitFrom === undefined ? undefined : this.#ofOneLimit;
    return whyNoAccount(settings.limit, this.#isWell, ofOneLimit);
  }

  recovered(): readonly Measure[] {
    return this.accounts?.measures ?? [];
  }

  /** Callers whose limits were used up to reconcile their counts. */
  get exhausted(): readonly string[] {
    const settled = this.#history.last('accounts');
    if (!settled) return [];
    return usedUpKeys(this.#of('Account'), settled.at, this.#history.setup.pods.length);
  }

  #of(kind: CallerKind): readonly CallerRequest[] {
    return this.#history.requests.filter(({ caller }) => caller === kind);
  }
}

/** A failover ends once its roles are settled; its planned end is only a bound. */
function endedBy(times: FaultTimes): FaultTimes {
  return { ...times, until: Math.min(times.until, times.endedAt ?? times.until) };
}

function seenIn(history: History): OutageSeen {
  const { dropped, leftOut, report, requests, setup, times } = history;
  const { accept, callerTimeout, fault, settle } = parametersOf(setup.scenario);
  const { lasts } = mechanismIn(fault, setup.limiter);
  const ended = history.last('traffic-ended');
  const awaited = history.last('return');
  const isOver = history.last('ended') !== undefined;
  return {
    settings: {
      pods: setup.pods,
      limit: limitOf(setup.limiter),
      callerTimeoutMs: parseDuration(callerTimeout),
      ...(isOfOneCaller(setup.limiter)
        ? { oneLimitFrom: setup.preparedAt }
        : { firstSentAt: setup.preparedAt }),
      clockWithinMs: setup.clockWithinMs,
      calmUntil: times.plannedAt,
      isGapless: dropped === 0 && leftOut === 0,
      countsLostAt: times.countsLostAt,
      countsForked: lasts === 'ForGood',
    },
    accept,
    requests: requests.filter(({ caller }) => !APART.has(caller)),
    afterwards: requests.filter(({ caller }) => APART.has(caller)),
    isUnproven: report?.proof !== undefined && report.proof !== 'Confirmed',
    gone: ended?.moved ?? [],
    restarted: history.last('restarted')?.pods ?? [],
    times: lasts === 'ForGood' ? endedBy(times) : times,
    // Connections stay stale while callers are watched.
    ...(lasts === 'Lingers' && { lastsUntil: times.until + watchedAfterMs(setup.scenario) }),
    settleMs: parseDuration(settle),
    finishedAt: isOver ? history.last('ended')?.at : ended?.at,
    limitReturn:
      isOver && awaited
        ? limitReturnOf(
            awaited,
            requests.filter(({ caller }) => caller === 'Returning'),
          )
        : undefined,
    dropped,
  };
}
