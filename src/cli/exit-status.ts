/** What the end of a run is to a shell, wherever one is followed. */
export const EXIT_BY_PHASE: Readonly<Record<string, number>> = {
  Succeeded: 0,
  Failed: 1,
  Errored: 2,
  Aborted: 3,
};
