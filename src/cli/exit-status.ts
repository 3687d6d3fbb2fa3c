/** Exit statuses for the end of a run. */
export const EXIT_BY_PHASE: Readonly<Record<string, number>> = {
  Succeeded: 0,
  Failed: 1,
  Errored: 2,
  Aborted: 3,
};
