import { isDeepStrictEqual } from 'node:util';
import type { ConfigEdit } from '../../../config/edit/edit-config.ts';
import { replaceFile } from '../../../config/edit/replace-file.ts';
import type { Destination, Mapping, Policy, SecretName } from '../../../config/policy.ts';
import type { Io } from '../../io.ts';

// What `keyturn attach` and `keyturn detach` have in common.

/** How the configuration writes a secret. */
function nameOf({ secret, key }: SecretName): string {
  return key === undefined ? secret : `${secret}#${key}`;
}

export function namesOf(secrets: Mapping): string[] {
  return [...new Set(Object.values(secrets).map(nameOf))];
}

/** A mapping as `--secrets` takes it. */
export function optionOf(secrets: Mapping): string {
  return Object.entries(secrets)
    .map(([field, secret]) => `${field}=${nameOf(secret)}`)
    .join(',');
}

export function isMapping(one: Mapping, other: Mapping): boolean {
  return isDeepStrictEqual({ ...one }, { ...other });
}

/** Shows the lines of an edit, each behind a sign. */
export function showEdit(io: Io, text: string, lines: readonly string[], sign: '+' | '-'): void {
  io.stdout.write(text);
  for (const line of lines) io.stdout.write(`${sign}${line}`);
}

/** Writes the edited file. */
export function commitOf(edit: ConfigEdit): () => Promise<void> {
  return () => replaceFile(edit);
}

export function attachmentJson(
  policy: Policy,
  { store, secrets }: Destination,
  { name, line, lines }: ConfigEdit,
  outcome: { readonly state: string; readonly login?: string | null; readonly deleted?: boolean },
) {
  const named = Object.entries(secrets).map(([field, secret]) => [field, nameOf(secret)]);
  return {
    policy: policy.name,
    store,
    secrets: Object.fromEntries(named),
    file: name,
    line,
    lines,
    ...outcome,
  };
}
