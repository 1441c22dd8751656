import { fault } from '../facts/fault.ts';
import { FORMAT_FIELDS, FORMATS } from '../formats/formats.ts';
import { otherKeys, type SecretEntries } from './secret-content.ts';
import type { Fields, PromoteOptions, Stage } from './secret-store.ts';

// What every adapter keeps to.

/** The stages from which a version may become current. */
export function promotableStages({ back = false }: PromoteOptions = {}): readonly Stage[] {
  // In the order in which a version goes through them, so that another process's promotion cannot
  // hide it.
  return back ? ['pending', 'current', 'previous'] : ['pending', 'current'];
}

const SECRET_FIELDS = ['password', ...FORMAT_FIELDS] as const;

/**
 * Throws `version-conflict` when the token has staged another password than the one that is about
 * to be written next to it: one token must never have two of them (G4). The next try reads the
 * first.
 */
export function refuseOther(store: string, token: string, staged: Fields, wanted: Fields): void {
  for (const field of SECRET_FIELDS) {
    if (staged[field] === undefined || wanted[field] === undefined) continue;
    if (secretIn(field, staged) === secretIn(field, wanted)) continue;
    throw fault('version-conflict', { store, token, field });
  }
}

/** The password or the verifier that a field has; the whole text where it cannot be read. */
function secretIn(field: (typeof SECRET_FIELDS)[number], { [field]: text }: Fields): string | undefined {
  if (field === 'password' || text === undefined) return text;
  const told = FORMATS[field].read(text);
  return told?.password ?? told?.verifier ?? text;
}

/** Throws `secret-shared` where a secret has keys that the mapping does not name. */
export function requireUnshared(
  store: string,
  secret: string,
  entries: SecretEntries,
  content: string | undefined,
): void {
  const keys = otherKeys(secret, entries, content ?? '');
  if (keys.length > 0) throw fault('secret-shared', { store, secret, keys });
}

/** The instant that a server tells; undefined where it tells none. */
export function instantOf(text: string | null | undefined): Date | undefined {
  const instant = new Date(text ?? Number.NaN);
  return Number.isNaN(instant.getTime()) ? undefined : instant;
}

/** The latest of some instants; undefined of none. */
export function latestOf(instants: readonly Date[]): Date | undefined {
  return instants.toSorted((one, other) => other.getTime() - one.getTime())[0];
}
