/**
 * Redis is gone for the rate limiter: the pause, and the end of every connection of its pods, as often as they connect.
 */
import type { Toolkit } from '../../tools.ts';
import { FencedPause } from '../fenced-pause.ts';
import { PodConnections } from './pod-connections.ts';

export class Break extends FencedPause {
  constructor(toolkit: Toolkit) {
    super(toolkit, new PodConnections(toolkit));
  }
}
