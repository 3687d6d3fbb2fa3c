/** A private certificate authority, as people run one for their Redis. */

import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RedisTlsFiles } from '../../../kit/certificate.ts';

const openssl = async (...args: string[]): Promise<unknown> => await promisify(execFile)('openssl', args);
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export class Authority {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Its files are in `folder`. */
  static async in(folder: string, name: string): Promise<Authority> {
    const own = join(folder, name);
    await mkdir(own);
    const files = ['-keyout', join(own, 'ca.key'), '-out', join(own, 'ca.crt')];
    await openssl('req', '-x509', ...KEY, '-days', '1', '-subj', `/CN=${name}`, ...files);
    return new Authority(own);
  }

  /** PEM of its certificate: what the Secret holds as ca.crt. */
  async pem(): Promise<string> {
    return await readFile(join(this.#folder, 'ca.crt'), 'utf8');
  }

  /**
   * Files of a server.
   * @param names as subjectAltName takes them: "DNS:redis.shop.svc"
   * @param days that it is good for; 0 where it is good no more
   */
  async issue(server: string, names: string, days = 1): Promise<RedisTlsFiles> {
    const at = (file: string): string => join(this.#folder, file);
    const [keyFile, certFile, caFile] = [at(`${server}.key`), at(`${server}.crt`), at('ca.crt')];
    await openssl('req', ...KEY, '-subj', '/CN=redis', '-keyout', keyFile, '-out', at(`${server}.csr`));
    await writeFile(at(`${server}.ext`), `subjectAltName=${names}\n`);
    const by = ['-CA', caFile, '-CAkey', at('ca.key'), '-CAcreateserial', '-days', String(days)];
    const files = ['-in', at(`${server}.csr`), '-extfile', at(`${server}.ext`), '-out', certFile];
    await openssl('x509', '-req', ...by, ...files);
    return { certFile, keyFile, caFile };
  }
}
