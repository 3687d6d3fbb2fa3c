/**
 * A provider that follows rules: the same observations give the same diagnosis.
 *
 * Each rule looks for one cause and answers with what speaks for it and when
 * its first sign showed. The cause whose sign came first and that explains the
 * outcome wins; what speaks against the others is said as well. The rules know
 * replicas, a store they share, counts and requests - not what these are for.
 */
import { type DiagnosisStatus, LIMITS, truncate } from '../api/index.ts';
import { type Facts, type Requests, readFacts } from './facts.ts';
import { cite, type Observation } from './observation.ts';
import type { DiagnosisRequest, ObservationProvider } from './provider.ts';

/** What a rule concluded, before it is cut to the bounds of the status. */
interface Finding {
  anomaly: string;
  component: string;
  summary: string;
  recommendation: string;
  confidence: DiagnosisStatus['confidence'];
  /** When its first sign showed. */
  firstSignMs: number;
  support: readonly (Observation | undefined)[];
}

/** The finding, or why this cause is out of the question. */
type Verdict = { finding: Finding } | { against: string };

type Rule = (facts: Facts) => Verdict;

/** In the order that decides between causes whose first signs came at the same moment. */
const RULES: readonly Rule[] = [
  storeUnreachable,
  replicaIgnoresLimit,
  writesStalled,
  concurrentAdmission,
  replicaSilent,
];

const NAME = 'rules';
/** Lines of evidence kept free for what speaks against the other causes. */
const AGAINST_LINES = RULES.length - 1;

/** Explains by the rules of this module. Deterministic; asks nobody. */
export const rulesProvider: ObservationProvider = {
  name: NAME,
  async diagnose(request) {
    const diagnosis = explain(request);
    return { diagnosis, message: diagnosis.summary };
  },
};

/** The diagnosis of a timeline, cut to the bounds of the status. Pure. */
export function explain(request: DiagnosisRequest): DiagnosisStatus {
  const facts = readFacts(request);
  const verdicts = RULES.map((rule) => rule(facts));
  const findings = verdicts.flatMap((verdict) => ('finding' in verdict ? [verdict.finding] : []));
  const [first, ...others] = findings.toSorted((a, b) => a.firstSignMs - b.firstSignMs);
  const finding = first ?? nothingConclusive(facts);
  const against = [
    ...others.map(
      ({ anomaly, firstSignMs }) =>
        `Not first: ${anomaly} showed ${Math.round(firstSignMs - finding.firstSignMs)} ms later and may be a consequence`,
    ),
    ...verdicts.flatMap((verdict) => ('against' in verdict ? [`Against: ${verdict.against}`] : [])),
  ];
  // The most telling come first and so are kept; what is kept is told in the order in which it happened.
  const kept = [...new Set(finding.support.filter((o) => o !== undefined))]
    .slice(0, LIMITS.evidenceItems - AGAINST_LINES)
    .sort((a, b) => a.atMs - b.atMs);
  const evidence = [...new Set(kept.map(cite))].concat(against);
  return {
    scenario: truncate(request.scenario, 32),
    anomaly: truncate(finding.anomaly, 64),
    component: truncate(finding.component, 64),
    summary: truncate(finding.summary, LIMITS.message),
    evidence: evidence.slice(0, LIMITS.evidenceItems).map((line) => truncate(line, LIMITS.evidence)),
    recommendation: truncate(finding.recommendation, LIMITS.message),
    provider: NAME,
    confidence: finding.confidence,
  };
}

function storeUnreachable({ store, storeSilent, counts }: Facts): Verdict {
  if (!storeSilent)
    return { against: `${store} unreachable - it was never silent for reads and writes alike` };
  const drifted = counts.gap > counts.lag;
  return {
    finding: {
      anomaly: 'Shared store unreachable',
      component: store,
      summary: `${store} answered neither reads nor writes. ${
        drifted
          ? `The replicas went on alone: their counts are ${counts.gap} ahead of what it holds.`
          : 'The counts of the replicas did not move away from what it holds.'
      }`,
      recommendation: `See whether ${store} runs and whether the network lets the replicas reach it; decide what a replica does without it: deny, or go on alone with a smaller share of the limit.`,
      confidence: 'high',
      firstSignMs: storeSilent.atMs - storeSilent.value,
      support: [storeSilent, ...counts.atWidest],
    },
  };
}

function writesStalled(facts: Facts): Verdict {
  const { store, stall, storeSilent, usualWrite, counts, replicas, requests, limit } = facts;
  if (!stall) {
    return {
      against: `${store} not taking writes - ${usualWrite ? `none took longer than ${round(usualWrite.value)} ms` : 'no write was seen to hang'}`,
    };
  }
  // With reads silent too it is the whole store, which another rule explains.
  if (!stall.read && storeSilent)
    return { against: `${store} stalling writes alone - reads were silent too` };
  const support = [usualWrite, stall.seen, stall.read, ...counts.atWidest, stall.release];
  if (limit !== undefined && allFailOpen(facts)) {
    const over = beyondLimit(limit, requests);
    const each =
      replicas.length === 1
        ? `its only replica allowed more than the limit of ${limit.value}`
        : `each of ${replicas.length} replicas by itself allowed more than the ${limit.value} that all together may`;
    // One that counts what it lets through shows it in its own count.
    const isCounted = counts.lastLocal.some(({ value }) => value > limit.value);
    return {
      finding: {
        anomaly: isCounted
          ? 'Replicas go beyond the limit while the store stalls'
          : 'Replicas let requests through uncounted',
        component: store,
        summary: `${store} stopped taking writes, and ${each}: ${requests.allowed} of ${requests.sent} requests. The counts of the replicas were at most ${counts.gap} ahead of what it holds. They fail open: ${isCounted ? 'what they let through they count, and do not go by that count' : 'most of what they let through is counted nowhere'}.`,
        recommendation: `Decide what a replica does while ${store} takes no writes: deny, or go on with a share of the limit of its own. Look for a switch that lets requests through on an error or a timeout of the store.`,
        confidence: 'high',
        firstSignMs: stall.sinceMs,
        support: [usualWrite, stall.seen, limit, ...over, ...counts.atWidest, stall.release],
      },
    };
  }
  const reads = stall.read
    ? `answered reads within ${round(stall.read.value)} ms`
    : 'was not seen to answer reads';
  if (counts.gap > counts.lag && (counts.partedAtMs ?? -Infinity) >= stall.sinceMs) {
    const ceiling =
      limit === undefined
        ? ''
        : ` Each replica alone can go up to ${limit.value}, all ${replicas.length} together to ${limit.value * replicas.length}.`;
    return {
      finding: {
        anomaly: 'Replica counts drift from the shared store',
        component: store,
        summary: `${store} stopped taking writes while it ${reads}. The replicas kept counting alone and could not report: their counts ran up to ${counts.gap} ahead of what it holds (${counts.lag} is usual).${ceiling}`,
        recommendation: `Find what holds back the writes of ${store} (a write pause, a failover, a full disk, a slow command). For a limit that holds meanwhile, count in the store in one atomic step with a deadline, or give each replica a fixed share of the limit while it cannot report.`,
        confidence: stall.read && requests.unanswered === 0 ? 'high' : 'medium',
        firstSignMs: stall.sinceMs,
        support,
      },
    };
  }
  return {
    finding: {
      anomaly: 'Shared store takes no writes; counts held',
      component: store,
      summary: `${store} stopped taking writes while it ${reads}. The counts of the replicas did not move away from what it holds (furthest ${counts.gap}, usual ${counts.lag}): no replica admitted what the store could not count.`,
      recommendation: `Find what holds back the writes of ${store}. The replicas keep their limit meanwhile, at the price of requests that wait or are refused.`,
      confidence: 'medium',
      firstSignMs: stall.sinceMs,
      support: [...support, ...counts.lastLocal, counts.lastStored],
    },
  };
}

/** The replicas that answered yes more often than all together may. */
function beyondLimit(limit: Observation | undefined, { lastAllowed }: Requests): Observation[] {
  return limit === undefined ? [] : lastAllowed.filter(({ value }) => value > limit.value);
}

/** Whether each replica by itself went beyond the limit, and none of that came before the writes hung. */
function allFailOpen({ limit, replicas, requests, stall }: Facts): boolean {
  const over = beyondLimit(limit, requests);
  if (!stall || over.length === 0 || over.length < replicas.length) return false;
  return (requests.exceededAtMs ?? -Infinity) >= stall.sinceMs;
}

function replicaIgnoresLimit(facts: Facts): Verdict {
  const { limit, requests, counts, replicas, stall } = facts;
  const over = beyondLimit(limit, requests);
  if (allFailOpen(facts)) {
    const passed =
      replicas.length === 1 ? 'it passed it only once writes hung' : `each of ${replicas.length} passed it`;
    return { against: `one replica ignoring the limit - ${passed}` };
  }
  const alone =
    limit === undefined
      ? undefined
      : [...over, ...counts.lastLocal]
          .filter(({ value }) => value > limit.value)
          .reduce<Observation | undefined>(
            (most, o) => (most && most.value >= o.value ? most : o),
            undefined,
          );
  if (limit === undefined || alone === undefined) {
    return {
      against: `one replica ignoring the limit - none passed ${limit?.value ?? 'a known limit'} by itself`,
    };
  }
  return {
    finding: {
      anomaly: 'A replica does not enforce the limit',
      component: alone.component,
      summary: `${alone.component} alone admitted ${alone.value} where all replicas together may admit ${limit.value}. That takes no other replica and no store: it does not keep the limit by its own count.`,
      recommendation: `Look at the configuration and version of ${alone.component} first: does it know the limit, and does it compare it with its own count?`,
      confidence: 'high',
      // It explains more than what the replicas did together, so it yields to nothing that came later.
      firstSignMs: Math.min(requests.firstAtMs ?? alone.atMs, stall?.sinceMs ?? Infinity),
      support: [limit, alone],
    },
  };
}

function concurrentAdmission({
  limit,
  requests,
  counts,
  replicas,
  store,
  stall,
  writeMeanwhile,
}: Facts): Verdict {
  if (limit === undefined || requests.allowed <= limit.value || requests.exceededAtMs === undefined) {
    return {
      against: `simultaneous requests - ${requests.allowed} were allowed${limit ? `, no more than ${limit.value}` : ''}`,
    };
  }
  const spread = requests.lastAllowed.filter(({ value }) => value > 0);
  if (spread.length < 2) {
    return { against: `simultaneous requests - all went through ${spread[0]?.component ?? 'one replica'}` };
  }
  const { storedLimitAtMs } = counts;
  const storeKnewAfterMs =
    storedLimitAtMs === undefined ? undefined : Math.max(0, storedLimitAtMs - (requests.firstAtMs ?? 0));
  const faster = storeKnewAfterMs === undefined || requests.spanMs <= storeKnewAfterMs;
  const all =
    requests.allowed === requests.sent
      ? ` Every request was allowed, so the true excess is at least that.`
      : '';
  const writes = writeMeanwhile
    ? `${store} took writes all the while (${round(writeMeanwhile.value)} ms)`
    : `nothing shows that ${store} refused writes`;
  const confidence =
    !faster || stall ? 'low' : storeKnewAfterMs !== undefined && writeMeanwhile ? 'high' : 'medium';
  return {
    finding: {
      anomaly: faster ? 'Over-admission by simultaneous requests' : 'Over-admission over several replicas',
      component: truncate(spread.map(({ component }) => component).join(', '), 64),
      summary: `${requests.allowed} of ${requests.sent} requests were allowed where the limit over all replicas is ${limit.value}; no replica passed it alone. The requests came within ${round(requests.spanMs)} ms, ${
        faster
          ? storeKnewAfterMs === undefined
            ? `and ${store} was not seen to hold the limit's count meanwhile`
            : `before ${store} held the limit's count (after ${round(storeKnewAfterMs)} ms)`
          : `although ${store} held the limit's count after ${round(storeKnewAfterMs ?? 0)} ms`
      }: ${spread.length} of ${replicas.length} replicas each decided by a count that lacked the others'. Meanwhile ${writes}.${all}`,
      recommendation:
        'Decide each request in one atomic step in the store, or give each replica a fixed share of the limit; exchanging counts more often makes the gap smaller and never closes it.',
      confidence,
      firstSignMs: requests.firstAtMs ?? requests.exceededAtMs,
      support: [limit, ...requests.lastAllowed, ...counts.lastLocal, counts.lastStored, writeMeanwhile],
    },
  };
}

function replicaSilent({ silentReplicas, replicas }: Facts): Verdict {
  const [first] = silentReplicas;
  if (!first) return { against: `a silent replica - each of ${replicas.length} answered` };
  const names = silentReplicas.map(({ component }) => component).join(', ');
  return {
    finding: {
      anomaly: 'A replica does not answer',
      component: truncate(names, 64),
      summary: `${names} gave no answer while the other replicas did. What it counted is unknown, so counts over all replicas are too low or too old.`,
      recommendation: `See whether ${names} runs, is overloaded, or cannot be reached; take it out of traffic until it answers.`,
      confidence: 'medium',
      firstSignMs: first.atMs - (first.signal === 'unreachable' ? first.value : 0),
      support: silentReplicas,
    },
  };
}

function nothingConclusive({ limit, counts, requests }: Facts): Finding {
  return {
    anomaly: 'Nothing conclusive',
    component: 'unknown',
    summary: `No component showed a sign of failure: counts were at most ${counts.gap} apart and ${requests.allowed} of ${requests.sent} requests were allowed${limit ? ` (limit ${limit.value})` : ''}. That may be health, or a failure that leaves no trace in these observations.`,
    recommendation: 'Observe for longer, or under more load, before concluding anything.',
    confidence: 'low',
    firstSignMs: 0,
    support: [limit, ...counts.lastLocal, counts.lastStored],
  };
}

function round(value: number): string {
  return value < 10 ? String(Math.round(value * 10) / 10) : String(Math.round(value));
}
