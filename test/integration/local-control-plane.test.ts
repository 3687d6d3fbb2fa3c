/** Separate control planes: how they start, restart and end. And what the shared one enforces. */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startControlPlane } from '@chaosdemo/testbed';
import { expect, inject, it, onTestFinished } from 'vitest';
import { isAlive, temporaryFolder } from '../../packages/testbed/src/testing.fixture.ts';
import { auditFlags } from '../kit/audit-log.ts';

// A control plane needs seconds, but every core may be busy with another one.
it('a control plane keeps data and address over a restart, and leaves nothing', async () => {
  const logs = await temporaryFolder();
  const apiServerFlags = auditFlags(logs);
  const { binaries } = inject('controlPlane');
  const controlPlane = await startControlPlane({ binaries, apiServerFlags });
  onTestFinished(() => controlPlane.stop());
  const { kubectl, url, etcd, folder } = controlPlane;
  await kubectl.createNamespace('kept', { colour: 'blue' });

  const first = controlPlane.apiServer;
  first.kill('SIGKILL');
  expect(await first.exited).toEqual({ code: null, signal: 'SIGKILL' });
  await expect(kubectl.run(['get', 'namespaces'])).rejects.toMatchObject({
    code: 'KUBECTL_FAILED',
    message: expect.stringContaining('refused'),
  });
  await controlPlane.startApiServer();
  expect(controlPlane.url).toBe(url);
  const namespace = await kubectl.json<{ metadata: { labels: object } }>(['get', 'namespace', 'kept']);
  expect(namespace.metadata.labels).toMatchObject({ colour: 'blue' });
  expect(await readFile(join(logs, 'audit.log'), 'utf8')).toContain('"name":"kept"');

  const pids = [etcd.pid, first.pid, controlPlane.apiServer.pid];
  await Promise.all([controlPlane.stop(), controlPlane.stop()]);
  expect(pids.filter(isAlive)).toEqual([]);
  expect(existsSync(folder)).toBe(false);
}, 600_000);
