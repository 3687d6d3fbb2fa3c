/** Certificates for servers that tests start. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Paths of PEM files of a server. */
export interface RedisTlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

/**
 * A certificate that is its own authority, made in `folder` with openssl; good for a day.
 * @param names as subjectAltName takes them: "DNS:redis.shop.svc,IP:127.0.0.1"
 */
export async function certificateFor(folder: string, names: string): Promise<RedisTlsFiles> {
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  const subject = ['-subj', '/CN=redis', '-addext', `subjectAltName=${names}`];
  await promisify(execFile)('openssl', ['req', '-x509', ...key, '-days', '1', '-out', certFile, ...subject]);
  return { certFile, keyFile, caFile: certFile };
}
