/** A TCP proxy in front of one Redis, with faults that end by a timer in its process, and its control API over HTTP. */
export { createControl } from './control.ts';
export { FaultProxy } from './proxy.ts';
