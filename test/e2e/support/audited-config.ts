/** kind-config.yaml, with an API server that keeps an audit log of the operator's requests. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { root } from '../../../src/local/root.ts';

/** The user that the operator is to the API server. */
export const OPERATOR = 'system:serviceaccount:chaosdemo-system:chaosdemo-operator';

/** Where the node has it. */
export const AUDIT_LOG = '/var/log/kubernetes/audit.log';

const mounted = '/etc/kubernetes/audit';

/** Writes configuration and audit policy into `folder`; returns the path of the first. */
export async function writeAuditedConfig(folder: string): Promise<string> {
  const policies = join(folder, 'audit');
  await mkdir(policies);
  const policy = {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    // Metadata: who did what to which object, and no bodies.
    rules: [{ level: 'Metadata', users: [OPERATOR] }, { level: 'None' }],
  };
  await writeFile(join(policies, 'policy.yaml'), stringify(policy));

  const config = parse(await readFile(join(root, 'kind-config.yaml'), 'utf8'));
  config.nodes[0].extraMounts = [{ hostPath: policies, containerPath: mounted, readOnly: true }];
  config.kubeadmConfigPatches.push(
    stringify({
      kind: 'ClusterConfiguration',
      apiServer: {
        extraArgs: [
          { name: 'audit-policy-file', value: `${mounted}/policy.yaml` },
          { name: 'audit-log-path', value: AUDIT_LOG },
        ],
        extraVolumes: [
          { name: 'audit', hostPath: mounted, mountPath: mounted, readOnly: true, pathType: 'Directory' },
          {
            name: 'audit-log',
            hostPath: '/var/log/kubernetes',
            mountPath: '/var/log/kubernetes',
            pathType: 'DirectoryOrCreate',
          },
        ],
      },
    }),
  );
  const file = join(folder, 'kind-config.yaml');
  await writeFile(file, stringify(config));
  return file;
}
