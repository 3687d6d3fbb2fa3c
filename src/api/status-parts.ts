/** Pieces of the status schemas: every text is bounded, every list declares how it is merged. */
import { z } from 'zod';

export const time = (description: string) => z.string().max(32).meta({ description, format: 'date-time' });
export const text = (max: number, description: string) => z.string().max(max).describe(description);
export const milliseconds = (description: string) =>
  z.int().min(0).describe(`${description} In milliseconds.`);
export const atomic = { 'x-kubernetes-list-type': 'atomic' };
export const keyedBy = (key: string) => ({
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': [key],
});
