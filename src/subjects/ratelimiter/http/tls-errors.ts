/** What a person does about a connection with TLS that did not come about. Pure. */

const BY_CODE: readonly (readonly [RegExp, string])[] = [
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(GET_ISSUER_CERT|VERIFY_LEAF)|CERT_(UNTRUSTED|SIGNATURE_FAILURE))/,
    'its certificate is issued by nobody who is trusted: put the authority into ca.crt of the Secret in interface.http.authSecretRef',
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    'its certificate is not for interface.http.tls.serverName: write a name that the certificate has',
  ],
  [/^CERT_HAS_EXPIRED$/, 'its certificate has expired: renew it'],
  [/^CERT_NOT_YET_VALID$/, 'its certificate is not valid yet: see the clocks'],
  [/^INVALID_CA$/, 'ca.crt of the Secret in interface.http.authSecretRef is no authority'],
  [
    /^(EPROTO|ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST))$/,
    'it speaks no TLS on this port: leave interface.http.tls out, or correct port',
  ],
  [
    /CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE/,
    'it wants a certificate of the client, or a cipher that the operator has not: the operator shows no certificate',
  ],
  [/^ERR_(SSL|OSSL|TLS)_/, 'see the TLS settings of the pods'],
];

/** Undefined for what is no matter of TLS. */
export function adviceOnTls(code: string): string | undefined {
  return BY_CODE.find(([known]) => known.test(code))?.[1];
}
