import { describe, expect, it } from 'vitest';
import { readSettings } from '../../src/settings/settings.ts';
import { KIND_CLUSTER } from './arguments.ts';

describe('the arguments of a cluster', () => {
  it('take the image of the node from the environment, unless a flag names one', () => {
    const env = { CHAOSDEMO_KIND_NODE_IMAGE: 'mine:1' };
    expect(readSettings(KIND_CLUSTER, [], env)).toMatchObject({ nodeImage: 'mine:1', mode: 'approximate' });
    expect(readSettings(KIND_CLUSTER, ['--node-image=mine:2'], env)).toMatchObject({ nodeImage: 'mine:2' });
  });
});
