/** A subject's API as the tests of this folder need one; no subject that there is. */
import { z } from 'zod';
import { durationField } from './schema-parts.ts';
import type { SubjectApi } from './subject-api.ts';

export const lampApi: SubjectApi = {
  type: 'Lamp',
  member: 'lamp',
  displayName: 'Lamp',
  schema: z
    .object({
      socket: z.string().max(63).describe('Where it is plugged in.'),
      brightness: z.int().min(1).max(100).default(50).describe('How bright it shines.'),
      look: z
        .object({ every: durationField('Time between two looks.', '1s', '1m').default('2s') })
        .prefault({})
        .describe('How it is looked at.'),
      bulb: z
        .object({ watts: z.int().default(8).describe('Its power.') })
        .prefault({})
        .describe('The bulb.'),
    })
    .describe('The lamp under test.'),
  fieldsThatStartNoRun: ['look'],
  faults: [
    {
      type: 'Flicker',
      member: 'flicker',
      schema: z
        .object({ lasts: durationField('How long it flickers.', '1s', '1m').default('10s') })
        .describe('Makes it flicker.'),
      conditionMeaning: 'The lamp went dark, in this run.',
      measures: [{ name: 'dark', unit: 'ms', meaning: 'Longest time in the dark.' }],
      column: { name: 'Dark', description: 'Time in the dark' },
    },
  ],
  defaultScenarios: [{ name: 'flicker', type: 'Flicker' }],
  rules: [{ rule: 'self.subject.lamp.brightness > 1', message: 'too dark to see' }],
  refusals: { NoSocket: 'There is no such socket.' },
  secrets: [{ type: 'example.dev/key', meaning: '`key`' }],
  histograms: [],
};
