/** Why a request to a pod has no answer. Pure. */

import { withAdvice } from '@chaosdemo/redis-faults/text';
import { counted } from '../../api/index.ts';

/**
 * UNREACHABLE: no connection could be made. NO_CONNECTIONS: this machine or process has none left. RESET: the
 * connection ended before the response was complete, on either side. TIMEOUT: no answer in time. BAD_ANSWER: the answer
 * is not HTTP, exceeds a bound, or is not of the expected kind. NO_ROOM: the operator dropped the answer, because runs
 * hold all the memory for answers; the pod did nothing wrong. NOT_SENT: the connection ended before the request was
 * written. STOPPED: by its owner.
 */
export type FailureCode =
  | 'UNREACHABLE'
  | 'NO_CONNECTIONS'
  | 'RESET'
  | 'TIMEOUT'
  | 'BAD_ANSWER'
  | 'NO_ROOM'
  | 'NOT_SENT'
  | 'STOPPED';

/** The message holds only our own words and system error codes, nothing that a server sent. */
export interface Failure {
  readonly code: FailureCode;
  readonly message: string;
}

export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** System errors for a resource that this side has run out of. */
const OUT_OF: ReadonlyMap<string, string> = new Map([
  ['EMFILE', 'this process may open no more files: raise its limit (ulimit -n)'],
  ['ENFILE', 'this machine may open no more files'],
  ['EADDRNOTAVAIL', 'this machine has no free port left for the address'],
  ['ENOBUFS', 'this machine has no memory left for connections'],
]);

const TLS_ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(GET_ISSUER_CERT|VERIFY_LEAF)|CERT_(UNTRUSTED|SIGNATURE_FAILURE))/,
    'its certificate is not from a trusted authority: name a Secret with the authority as ca.crt in http.tls.caSecretName',
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    'its certificate is not for http.tls.serverName: write a name that the certificate has',
  ],
  [/^CERT_HAS_EXPIRED$/, 'its certificate has expired: renew it'],
  [/^CERT_NOT_YET_VALID$/, 'its certificate is not valid yet: see the clocks'],
  [/^INVALID_CA$/, 'ca.crt of the Secret in http.tls.caSecretName is no authority'],
  [
    /^(EPROTO|ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST))$/,
    'it speaks no TLS on this port: leave http.tls out, or correct port',
  ],
  [
    /CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE/,
    'it wants a certificate of the client, or a cipher that the operator has not: the operator shows no certificate',
  ],
  [/^ERR_(SSL|OSSL|TLS)_/, 'see the TLS settings of the pods'],
];

function adviceOnTls(code: string): string | undefined {
  return TLS_ADVICE.find(([known]) => known.test(code))?.[1];
}

/**
 * What a lost connection means for the request that it carried.
 * @param code of the error; empty if the connection was closed without one
 * @param stage how far the request had come
 */
export function failureOf(code: string, stage: 'connecting' | 'connected' | 'sent', port: number): Failure {
  const without = OUT_OF.get(code);
  if (without) return { code: 'NO_CONNECTIONS', message: without };
  if (stage === 'connecting') {
    const advice =
      code === 'ECONNREFUSED'
        ? `nothing listens on port ${port}: correct port, or start what should listen there`
        : adviceOnTls(code);
    const message = withAdvice(`no connection could be made: ${code || 'it was closed'}`, advice);
    return { code: 'UNREACHABLE', message };
  }
  const lost = withAdvice(`the connection was lost: ${code || 'it was closed'}`, adviceOnTls(code));
  if (stage === 'connected') return { code: 'NOT_SENT', message: `${lost}, before the request was sent` };
  return { code: 'RESET', message: lost };
}

/** An answer that cannot be accepted. @param what its problem, in our own words */
export function badAnswer(what: string): RequestError {
  return new RequestError({ code: 'BAD_ANSWER', message: what });
}

export function noRoom(): RequestError {
  return new RequestError({
    code: 'NO_ROOM',
    message:
      'the operator gave up its response: runs of this namespace, or of others, hold all the connections and memory that it has for pods. Run fewer at once, or have the pods respond with less',
  });
}

/** The shortfall if this many requests were left out, with what to do. */
export function leftOutShortfall(requests: number): string {
  return `some of the traffic was left out (${counted(requests, 'request')}). This run had 1000 requests open, or runs of this or other namespaces left no connection or memory for a response. Run fewer at once, or lower the rate or the time that a response may take`;
}
