/** What a control without a fault showed: that the limiter admits, and rejects beyond the limit. Pure. */
import type { Measure, MeasureApi } from '../../api/index.ts';
import { counted } from '../../api/index.ts';

/** The keys of a control. */
export interface ControlKeys {
  /** Of the caller that uses its limit up. */
  readonly denying: string;
  /** Of the traffic under which it is measured how far counts are behind, or the beginning of such keys. */
  readonly counting: string;
  /** Of a caller that is new when the first has used its limit up. */
  readonly other: string;
}

/** Length of the window of a key that a control sets the limit of: it must not end while it is used; milliseconds. */
export const CONTROL_WINDOW_MS = 60_000;

/** The keys of a control fixture: anyone who knows its name can remove them. */
export function controlKeys(fixture: string): ControlKeys {
  return { denying: `${fixture}-denying`, counting: `${fixture}-counting`, other: `${fixture}-new` };
}

/** The requests of one caller that used its limit up, without a fault and spread over time. */
export interface Control {
  readonly limit: number;
  readonly sent: number;
  readonly admitted: number;
}

/** What the control showed, in a sentence. */
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

/** What was admitted without a fault, with the limit that it was to keep. */
export function controlMeasure({ admitted, limit }: Control): Measure {
  const { name, unit } = CONTROL_MEASURE;
  return { name, value: admitted, bound: limit, unit };
}
