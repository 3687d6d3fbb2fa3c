import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { microTime, objectKey, splitKey } from './kube-types.ts';

describe('objectKey', () => {
  it('is undone by splitKey', () => {
    const part = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?$/);
    fc.assert(
      fc.property(fc.option(part, { nil: undefined }), part, (namespace, name) => {
        const metadata = namespace === undefined ? { name } : { namespace, name };
        expect(splitKey(objectKey({ metadata }))).toEqual(metadata);
      }),
    );
  });
});

describe('microTime', () => {
  it('has six digits, and names the same time', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('9999-01-01'), noInvalidDate: true }), (date) => {
        expect(microTime(date)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}000Z$/);
        expect(new Date(microTime(date)).getTime()).toBe(date.getTime());
      }),
    );
  });
});
