import { expect, it } from 'vitest';
import { MemoryCluster } from '../../../test/fixtures/subjects/cluster.ts';
import { NamespaceReader } from './namespace-reader.ts';
import { orRefusal, Refusal } from './refusal.ts';

it('pods too large in total are rejected, with the list, the size and a fix', async () => {
  const cluster = new MemoryCluster();
  cluster.tooLarge = true;
  const reader = new NamespaceReader(cluster, 'shop', new AbortController().signal);
  const refusal = await orRefusal('shop', async () => await reader.pods('app=x'));
  expect(refusal).toBeInstanceOf(Refusal);
  expect((refusal as Refusal).admission).toEqual({
    state: 'refused',
    reason: 'PodsNotEligible',
    message: expect.stringMatching(
      /namespace shop .*"app=x" .*16 MiB .*first 13 .*: .*kubectl -n shop get pods -l 'app=x'/,
    ) as string,
  });
});
