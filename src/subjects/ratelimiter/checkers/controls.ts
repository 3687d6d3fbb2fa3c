/** The result of a control without a fault: that the limiter admits, and rejects over the limit. Pure. */
import type { Measure, MeasureApi } from '../../../api/index.ts';
import { counted } from '../../../api/index.ts';

/** The keys of a control. */
export interface ControlKeys {
  /** The key of the caller that exhausts its limit. */
  readonly denying: string;
  /** Prefix of the keys of the traffic that measures the lag of counts. */
  readonly counting: string;
  /** The key of a caller that is new when the first has exhausted its limit. */
  readonly other: string;
}

/** The keys of a control fixture. */
export function controlKeys(fixture: string): ControlKeys {
  return { denying: `${fixture}-denying`, counting: `${fixture}-counting`, other: `${fixture}-new` };
}

/** The requests of one caller that exhausted its limit, without a fault and spread over time. */
export interface Control {
  readonly limit: number;
  readonly sent: number;
  readonly admitted: number;
}

/** The result of the control, in a sentence. */
export function controlSentence({ admitted, limit, sent }: Control): string {
  return `Without a fault, ${admitted} of ${counted(sent, 'request')} spread over time were admitted, with a limit of ${limit}`;
}

/** Documents {@link controlMeasure}. */
export const CONTROL_MEASURE: MeasureApi = {
  name: 'controlAdmitted',
  unit: 'requests',
  meaning:
    'Requests that were admitted in Setup, without a fault and spread over time, of more than the limit. Its bound is the limit of the control key.',
};

/** The admissions without a fault, with the limit that applied. */
export function controlMeasure({ admitted, limit }: Control): Measure {
  const { name, unit } = CONTROL_MEASURE;
  return { name, value: admitted, bound: limit, unit };
}
