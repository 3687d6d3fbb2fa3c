/** Queues and limits in which groups, such as namespaces or tenants, take turns. Nothing here needs Kubernetes. */
export { abortable } from './abortable.ts';
export { limitConnections } from './connection-limit.ts';
export { FairQueue } from './fair-queue.ts';
export { GroupLimit } from './group-limit.ts';
