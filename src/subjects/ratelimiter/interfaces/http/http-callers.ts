/** Callers of a limiter behind an HTTP API, by the mapping in the spec. Pure. */
import { randomInt } from 'node:crypto';
import type { HttpAnswer } from '../../../http/answer.ts';
import type { AccountOf } from '../../../http/caller-pool.ts';
import { memberAt, parseJson } from '../../../http/json-body.ts';
import { filledIn, type HttpRequest } from '../../../http/request.ts';
import { KEY_PLACE } from '../../../spec/pods-schema.ts';
import { ADDRESS_PLACE, type HttpInterfaceSpec } from '../../spec/http-schema.ts';

/** 198.18.0.0/15 is reserved for measurements (RFC 2544), so no real caller has such an address. */
const FIRST_ADDRESS = 0xc6_12_00_00;
const ADDRESSES = 2 ** 17;

/** Callers of a rate limiter; each is identified by its own key. */
export class HttpCallers {
  readonly #mapping: HttpInterfaceSpec;
  readonly #secretHeaders: Readonly<Record<string, string>>;
  /** Addresses by key, for callers identified by an address. */
  readonly #addresses = new Map<string, string>();
  readonly #accountOf: AccountOf;
  /** Random, so that two runs rarely use the same addresses within a window. */
  readonly #firstAddress: number;

  /**
   * @param secretHeaders sent as they are, and never shown
   * @param accountOf takes the key of a caller; default: it is sent as it is
   */
  constructor(
    mapping: HttpInterfaceSpec,
    secretHeaders: Readonly<Record<string, string>> = {},
    firstAddress = randomInt(ADDRESSES),
    accountOf: AccountOf = (key) => key,
  ) {
    this.#mapping = mapping;
    this.#secretHeaders = secretHeaders;
    this.#firstAddress = firstAddress;
    this.#accountOf = accountOf;
  }

  /** The request that counts for the caller of this key. @throws Error if no account is left for it */
  requestOf(key: string): HttpRequest {
    const account = this.#accountOf(key);
    return filledIn(this.#mapping, this.#secretHeaders, (text, of) => {
      const written = of === 'path' ? encodeURIComponent(account) : account;
      return this.fillIn(
        text.replaceAll(KEY_PLACE, () => written),
        key,
      );
    });
  }

  /** Fills the identity of this caller into a text of the spec. */
  fillIn(text: string, key: string): string {
    // Keys hold only what needs no encoding in a path, a header or JSON.
    return text.replaceAll(KEY_PLACE, () => key).replaceAll(ADDRESS_PLACE, () => this.#addressOf(key));
  }

  #addressOf(key: string): string {
    const address = this.#addresses.get(key) ?? addressAt(this.#firstAddress + this.#addresses.size);
    this.#addresses.set(key, address);
    return address;
  }

  /** @throws Error with the problem of an answer that shows neither: `responded with 503` */
  read({ body, status }: Pick<HttpAnswer, 'status' | 'body'>): 'Admitted' | 'Rejected' {
    const { admittedStatuses, decision, rejectedStatuses } = this.#mapping;
    const value = decision && memberAt(parseJson(body), decision.pointer);
    const means = (own: string | undefined, other: string | undefined): boolean =>
      own === undefined ? other === undefined || value !== other : value === own;
    const admitted = admittedStatuses.includes(status) && means(decision?.admitted, decision?.rejected);
    const rejected = rejectedStatuses.includes(status) && means(decision?.rejected, decision?.admitted);
    if (admitted && rejected) {
      throw new Error(
        `responded with ${status}, which is both admitted and rejected by the spec: make the two exclude each other`,
      );
    }
    if (admitted) return 'Admitted';
    if (rejected) return 'Rejected';
    throw new Error(`responded with ${status}, which is neither admitted nor rejected by the spec`);
  }
}

function addressAt(index: number): string {
  const address = FIRST_ADDRESS + (index % ADDRESSES);
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}
