import { fault } from '../../facts/fault.ts';
import { command } from '../../facts/remedy.ts';
import { type Credential, credentialIn } from '../../formats/told-by.ts';
import type { Stage } from '../../secret-store/secret-store.ts';
import { tokenOf } from './holds.ts';
import { frozenLogins } from './rotation-logins.ts';
import type { RotationView } from './rotation-view.ts';

/** In the order in which a rotation's own version passes through them. */
const STAGES: readonly Stage[] = ['pending', 'current', 'previous'];

/**
 * The username and password that this rotation makes current: the store is the journal. From the
 * primary, or where that has lost them, from another destination. Throws a fault (see
 * `src/facts/transient.ts`) if none has them, or if they belong to another login than the incoming
 * one.
 */
export async function stagedCredential(view: RotationView): Promise<Credential> {
  // What was read of one stage may be older than what was read of another: another worker may have
  // promoted in between.
  const staged = (await findStaged(view)) ?? (await findStaged(view, { anew: true }));
  const { policy, rotation } = view;
  if (!staged) {
    throw fault(
      'staged-version-lost',
      { destination: view.destinations[0].name, version: tokenOf(view) },
      { remedies: [command('rotate', policy.name)] },
    );
  }
  if (policy.type === 'logins' && staged.username !== frozenLogins(view).incoming) {
    throw fault('staged-version-of-another-login', {
      destination: view.destinations[0].name,
      version: tokenOf(view),
      login: staged.username,
      rotation: rotation.id,
      incoming: frozenLogins(view).incoming,
    });
  }
  return staged;
}

/** The same, or undefined where no destination has it. */
export async function findStaged(
  view: RotationView,
  options: { readonly anew?: boolean } = {},
): Promise<Credential | undefined> {
  for (const destination of view.destinations) {
    for (const stage of STAGES) {
      const version = await view.read(destination, stage, options);
      const credential = version?.token === tokenOf(view) ? credentialIn(version.fields) : undefined;
      if (credential) return credential;
    }
  }
  return undefined;
}
