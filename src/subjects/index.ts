/** The subjects that this operator knows. The first is the one that a spec is about that does not say. */
import type { Subject } from '../demo/subject.ts';
import type { Cluster } from './cluster.ts';
import { rateLimiter } from './ratelimiter/index.ts';

export const SUBJECTS: readonly Subject<Cluster>[] = [rateLimiter];
