/** A limiter that admitted more than its limit although no fault was active: a violation, not a control that failed. */
export class LimitNotKeptError extends Error {
  override name = 'LimitNotKeptError';
}
