/**
 * The names of a ChaosDemo in a cluster. Everything that a user types, greps or writes into Git is defined here once.
 */

export const GROUP = 'chaosdemo.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;
export const KIND = 'ChaosDemo';
export const PLURAL = 'chaosdemos';

/** Annotations with which people steer a run. */
export const ANNOTATIONS = {
  /** A non-empty value other than `status.lastHandledRunRequest` starts a run. */
  requestedAt: `${GROUP}/requested-at`,
  /** `"<run number>/<number of the chapter being left>"` */
  advance: `${GROUP}/advance`,
  /** `"<run number>"`: stops that run and restores. */
  abort: `${GROUP}/abort`,
} as const;

/** The label, with value "true", that enables tests in a namespace. */
export const ENABLED_LABEL = `${GROUP}/enabled`;

/** Present only while a fault may be active. */
export const FINALIZER = `${GROUP}/release-fault`;
