import { type LookupAddress, lookup as resolve } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { HttpSink } from '../../config/sink.ts';
import { hostOfUrl, isPublicAddress } from '../../config/values/public-address.ts';
import { type Fault, fault } from '../../facts/fault.ts';

type Guarded = Pick<HttpSink, 'url' | 'allowPrivate'>;

/** Why an address may not be connected to; undefined: it may. */
function refusal({ url: written, allowPrivate }: Guarded, host: string, address: string): Fault | undefined {
  const isPublic = isPublicAddress(address);
  if (!isPublic && !allowPrivate) return fault('sink-address-refused', { host, address });
  if (isPublic && new URL(written).protocol === 'http:')
    return fault('sink-plaintext-refused', { host, address });
  return undefined;
}

/** Throws where the URL of a sink has an address in it that may not be connected to. */
export function refuseAddress(sink: Guarded): void {
  const host = hostOfUrl(new URL(sink.url));
  const refused = isIP(host) === 0 ? undefined : refusal(sink, host, host);
  if (refused) throw refused;
}

/**
 * Resolves the name of a receiver for the connection that is about to be made, and refuses it if
 * one of its addresses may not be connected to. The connection is made to what was checked, so it
 * does not help to change the DNS record in between.
 */
export function guardedLookup(sink: Guarded): LookupFunction {
  return (host, options, callback) => {
    resolve(host, { ...options, all: true }, (error, found: readonly LookupAddress[]) => {
      if (error) return callback(error, '');
      for (const { address } of found) {
        const refused = refusal(sink, host, address);
        if (refused) return callback(refused, '');
      }
      const [first] = found;
      if (options.all) callback(null, [...found]);
      else callback(null, first?.address ?? '', first?.family);
    });
  };
}
