/** Separate control planes: how they start, restart and end. And what the shared one enforces. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { startControlPlane } from '../../src/local/control-plane.ts';
import { registerPods } from '../../src/local/pods.ts';
import { adminKubectl, uniqueNamespace } from '../kit/control-plane.ts';
import { until } from '../kit/until.ts';

// A control plane needs seconds, but every core may be busy with another one.
describe('a control plane', { timeout: 600_000 }, () => {
  it('a control plane keeps data and address over a restart, and leaves nothing', async () => {
    const auditLog = join(await temporaryFolder(), 'audit.log');
    const controlPlane = await startControlPlane({ binaries: inject('controlPlane').binaries, auditLog });
    onTestFinished(() => controlPlane.stop());
    const { kubectl, url, etcd, folder } = controlPlane;
    await kubectl.createNamespace('kept', { colour: 'blue' });

    const first = controlPlane.apiServer;
    await controlPlane.killApiServer();
    expect(first.exit).toEqual({ code: null, signal: 'SIGKILL' });
    await expect(kubectl.run(['get', 'namespaces'])).rejects.toMatchObject({
      code: 'KUBECTL_FAILED',
      message: expect.stringContaining('refused'),
    });
    await controlPlane.startApiServer();
    expect(controlPlane.url).toBe(url);
    const namespace = await kubectl.json<{ metadata: { labels: object } }>(['get', 'namespace', 'kept']);
    expect(namespace.metadata.labels).toMatchObject({ colour: 'blue' });
    expect(await readFile(auditLog, 'utf8')).toContain('"name":"kept"');

    const pids = [etcd.pid, first.pid, controlPlane.apiServer.pid];
    await Promise.all([controlPlane.stop(), controlPlane.stop()]);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });

  it('goes with the process that started it, even when that is killed with SIGKILL', async () => {
    const program = new URL('../../src/local/control-plane.ts', import.meta.url).href;
    const folder = await temporaryFolder();
    const script = `
      import { renameSync, writeFileSync } from 'node:fs';
      const { startControlPlane } = await import(${JSON.stringify(program)});
      const { etcd, apiServer, folder } = await startControlPlane({
        binaries: ${JSON.stringify(inject('controlPlane').binaries)},
      });
      writeFileSync('${folder}/new', JSON.stringify({ pids: [etcd.pid, apiServer.pid], folder }));
      renameSync('${folder}/new', '${folder}/started');`;
    const owner = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'inherit' });
    onTestFinished(() => void owner.kill('SIGKILL'));
    const report = await until(
      async () =>
        existsSync(join(folder, 'started')) ? await readFile(join(folder, 'started'), 'utf8') : '',
      { what: 'the control plane to start', deadlineMs: 400_000 },
    );
    const started = JSON.parse(report) as { pids: number[]; folder: string };
    expect(started.pids.every(isAlive)).toBe(true);
    owner.kill('SIGKILL');
    await until(() => !started.pids.some(isAlive), { what: 'etcd and the API server to end' });
    await until(() => !existsSync(started.folder), { what: 'its folder to go' });
  });

  it('leaves nothing, and repeats the last output, when a program does not start', async () => {
    const { binaries } = inject('controlPlane');
    const temporary = await temporaryFolder();
    const before = process.env['TMPDIR'];
    process.env['TMPDIR'] = temporary;
    onTestFinished(() => {
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
    });
    const starting = startControlPlane({ binaries: { ...binaries, kubeApiserver: binaries.kubectl } });
    await expect(starting).rejects.toMatchObject({
      code: 'PROCESS_EXITED',
      message: expect.stringMatching(/kube-apiserver exited .*status 1.*--etcd-servers/s),
    });
    expect(await readdir(temporary)).toEqual([]);
  });
});

describe('the shared control plane', { timeout: 300_000 }, () => {
  it('shows registered processes as Ready pods with their address, until they are not', async () => {
    const admin = adminKubectl();
    const namespace = await uniqueNamespace('pods');
    const spec = {
      namespace,
      name: 'process-0',
      labels: { 'app.kubernetes.io/name': 'process' },
      container: 'process',
      image: 'local/process:1',
      imageId: 'local/process@sha256:12',
      port: { name: 'http', number: 8080 },
      ip: '127.0.0.9',
      pid: 4711,
    };
    const [pod] = await registerPods(admin, [spec]);
    const get = ['get', 'pod', 'process-0', '--namespace', namespace];
    await admin.run([
      'wait',
      '--for=condition=Ready',
      '--timeout=30s',
      'pod/process-0',
      '--namespace',
      namespace,
    ]);
    expect(await admin.json(get)).toMatchObject({
      spec: { containers: [{ ports: [{ name: 'http', containerPort: 8080 }] }] },
      status: {
        phase: 'Running',
        podIP: '127.0.0.9',
        containerStatuses: [
          { ready: true, imageID: 'local/process@sha256:12', containerID: 'process://4711' },
        ],
      },
    });

    await pod?.setReady(false);
    await admin.run([
      'wait',
      '--for=condition=Ready=false',
      '--timeout=30s',
      'pod/process-0',
      '--namespace',
      namespace,
    ]);
    expect(await admin.json(get)).toMatchObject({ status: { containerStatuses: [{ ready: false }] } });

    await pod?.delete();
    await expect(admin.run(get)).rejects.toThrow('not found');
  });

  it('ends a kubectl that takes longer than it may', async () => {
    const watching = adminKubectl().run(['get', 'namespaces', '--watch'], { timeoutMs: 1_000 });
    await expect(watching).rejects.toMatchObject({
      code: 'KUBECTL_FAILED',
      message: expect.stringMatching(/namespaces --watch: no end .*1 s$/),
    });
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chaosdemo-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
