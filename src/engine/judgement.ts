/** The judgement of a fault by the observations of its invariant. Pure. */
import type { FaultStatus, Measures, Reason, ScenarioResult } from '../api/index.ts';
import { counted, measureInWords } from '../api/index.ts';
import type { InvariantReading } from './observed.ts';
import { CONFIDENCE, excludedAbove } from './power.ts';
import { ms } from './time.ts';

/** How far before the end of an observation its last sample may be: five sampling intervals. */
export const SAMPLE_SLACK_MS = 500;

interface Judgement {
  result: ScenarioResult;
  reason: Reason;
  message: string;
}

/**
 * The result that follows from the observations; undefined while it is open. A violation that is proven without the
 * fault outranks everything that is missing: it is Violated, or BaselineViolated if it was before the fault. Any other
 * Violated needs a fault that was proven. Held also needs complete observations. Everything else is Inconclusive.
 * `watchedTo`: the end of the observation once it is over; `gone`: which pods left during it.
 */
export function judge(
  fault: FaultStatus,
  reading: InvariantReading | undefined,
  watchedTo: number | undefined,
  gone?: string,
): Judgement | undefined {
  const provenAlone = reading?.provenAlone === true;
  if (fault.proof !== 'Confirmed' && !provenAlone) {
    // The rest of the watch may still prove a violation without the fault.
    if (watchedTo === undefined) return undefined;
    const message = fault.message ?? 'The fault was ordered, and it was not proven that it was there';
    return { result: 'Inconclusive', reason: 'FaultNotProven', message };
  }
  if (reading?.detectedAt !== undefined) {
    const brokenAt = reading.brokenAt ?? reading.detectedAt;
    const { figure, unit, whenDetected } = reading;
    const then = whenDetected ?? reading;
    // The fault may have begun before that was known.
    const outside = timeOutsideFault(brokenAt, provenAlone ? { startedAt: fault.plannedAt } : fault);
    if (outside === undefined) {
      const unproven =
        fault.proof === 'Confirmed'
          ? ''
          : `. This needs no fault, which was not proven: ${fault.message ?? 'it was ordered'}`;
      // A figure that may grow after the detection is that of its time; the measures have the final one.
      const measured = whenDetected
        ? figureOf(whenDetected, unit, ' when it was detected')
        : (figure ?? figureOf(reading, unit));
      const isJudgedTogether = decidingOf(then) !== undefined && !isBounded(then);
      const found = isJudgedTogether ? `Found ${reading.summary}, which the spec does not accept: ` : '';
      const message = `${found}${measured}${unproven}`;
      return { result: 'Violated', reason: 'Violated', message };
    }
    const message = `The invariant was violated ${outside}, so the fault was not the cause: ${figureOf(then, unit, ' then')}`;
    return {
      result: 'Inconclusive',
      reason: provenAlone ? 'BaselineViolated' : 'EvidenceIncomplete',
      message,
    };
  }
  if (watchedTo === undefined) return undefined;
  if (!reading) {
    const message =
      'The operator restarted, lost its lead or was too slow, so it has no observations of the invariant';
    return { result: 'Inconclusive', reason: 'ObservationLost', message };
  }
  const shortfalls = [...reading.shortfalls];
  if (!fault.startedAt) shortfalls.push('the start of the fault was not seen');
  if (reading.watchedUntil < watchedTo - SAMPLE_SLACK_MS)
    shortfalls.push('the watch broke off before its end');
  if (shortfalls.length > 0) {
    if (gone) shortfalls.unshift(gone);
    // The measure may be far above the bound: only the proof that the fault caused it is missing.
    const measured = decidingOf(reading) ? `Measured ${reading.summary}, but` : 'Nothing was judged, since';
    const message = `${measured} the proof is incomplete: ${shortfalls.join('; ')}`;
    return { result: 'Inconclusive', reason: 'EvidenceIncomplete', message };
  }
  const { trials } = reading;
  const excluded =
    trials === undefined
      ? ''
      : `. At ${CONFIDENCE} % confidence this excludes a violation in more than ${excludedAbove(trials)} % of such trials`;
  const tried = counted(trials ?? 1, 'trial');
  // Measures without a bound are judged together, by what the spec accepts.
  const message = isBounded(reading)
    ? `No violation in ${tried}: ${figureOf(reading, reading.unit)}${excluded}`
    : `Found ${reading.summary} in ${tried}, which the spec accepts${excluded}`;
  return { result: 'Held', reason: 'Held', message };
}

/** "86 ms after the fault": describes a time outside the fault, as far as it is known; undefined: it is inside. */
function timeOutsideFault(
  at: number,
  { startedAt, endedAt }: Pick<FaultStatus, 'endedAt' | 'startedAt'>,
): string | undefined {
  // Times in a status are integer milliseconds.
  if (startedAt !== undefined && at < ms(startedAt) - 1)
    return `${Math.ceil(ms(startedAt) - at)} ms before the fault`;
  if (endedAt !== undefined && at > ms(endedAt) + 1)
    return `${Math.ceil(at - ms(endedAt))} ms after the fault`;
  return undefined;
}

/**
 * The name of the measure that decides, the first; undefined: nothing was measured. Only of a reading: an API server
 * sorts the names of a status, whose readers take the order of the reference.
 */
export function decidingOf({ measures = {} }: Measures): string | undefined {
  return Object.keys(measures)[0];
}

function isBounded(figures: Measures): boolean {
  return figures.bounds?.[decidingOf(figures) ?? ''] !== undefined;
}

function figureOf(figures: Measures, unit: string, when?: string): string {
  const name = decidingOf(figures);
  return name === undefined ? 'nothing was measured' : measureInWords(name, figures, unit, when);
}
