/** A TCP proxy in front of one Redis, with faults that end by a timer in its process, and its control API over HTTP. */
export { createControl } from './control.ts';
export { FAULT_TYPES as PROXY_FAULTS, type FaultType as ProxyFault, type ProxyState } from './control-api.ts';
export { FaultProxy, FaultRefusedError, type ProxyOptions } from './proxy.ts';
