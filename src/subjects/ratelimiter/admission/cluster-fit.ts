/** What a run cannot do if its Redis is a Cluster. Pure. */
import type { AdmissionRequest } from '../../../engine/subject.ts';
import { Refusal } from '../../targets/refusal.ts';
import { PART, rateLimiterOf } from '../spec/schema.ts';

/** @param masters of its Redis @throws {Refusal} UnprovableSpec if a part of the spec needs a single Redis */
export function requireFitForCluster({ spec }: Pick<AdmissionRequest, 'spec'>, masters: number): void {
  if (masters === 1) return;
  const { isBundled, redis } = rateLimiterOf(spec);
  const needs = [
    isBundled && `the bundled limiter is not a client of a Cluster: describe your own in ${PART}.http`,
    redis.sentinel && `no Sentinel watches a Cluster: leave ${PART}.redis.sentinel out`,
    redis.faultProxy &&
      `its clients do not use a fault proxy: leave ${PART}.redis.faultProxy out, with the fault types that need it`,
  ];
  const first = needs.find((need) => typeof need === 'string');
  if (first !== undefined) {
    throw new Refusal('UnprovableSpec', `Redis is a Cluster of ${masters} primaries, and ${first}`);
  }
}
