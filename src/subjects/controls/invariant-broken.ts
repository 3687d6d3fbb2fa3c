/** The invariant is broken without any fault: a violation, not a failed control. */
export class InvariantBrokenError extends Error {
  override readonly name = 'InvariantBrokenError';
}
