import { timingSafeEqual } from 'node:crypto';
import { type Credential, toldIn } from '../../formats/told-by.ts';
import { isVerifierOf } from '../../postgres/logins/scram-verifier.ts';
import type { Fields } from '../../secret-store/secret-store.ts';

/** Whether all that a destination publishes is of one credential. */
export function tells({ username, password, ...formats }: Fields, credential: Credential): boolean {
  return [{ username, password, verifier: undefined }, ...toldIn(formats)].every(
    (told) =>
      equal(told.username ?? credential.username, credential.username) &&
      equal(told.password ?? credential.password, credential.password) &&
      (told.verifier === undefined || isVerifierOf(told.verifier, credential.password)),
  );
}

function equal(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
