/**
 * The parts of a controller: a client, a cache of objects, a queue with workers, leader election, events, and writes
 * that are rejected if the object has changed. Each part runs without the others.
 */
export {
  AnswerTooLargeError,
  ApiError,
  ApiUnreachableError,
  ifFound,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isGone,
  isNotFound,
  isTransient,
} from './api-error.ts';
export { applyStatus, type GuardedWrite, writeFinalizers } from './apply.ts';
export * from './client.ts';
export * from './controller.ts';
export { type EventRecord, EventRecorder, type EventRecorderOptions, type EventReference } from './events.ts';
export * from './kube-types.ts';
export * from './leader-election.ts';
export * from './lease-lock.ts';
export * from './list-pages.ts';
export { openPort, type PodPort } from './port-forward.ts';
export * from './reflector.ts';
export * from './resource-path.ts';
export * from './store.ts';
export { type BackoffOptions, endsWithin, sleep, type Timers, within } from './wait.ts';
