import { fault } from '../../facts/fault.ts';
import { command } from '../../facts/remedy.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { credentialIn } from '../../rotation/context/credential-in.ts';
import type { Credential, PolicyView } from '../../rotation/context/policy-view.ts';
import type { Version } from '../../secret-store/secret-store.ts';

/**
 * What the primary publishes, read now. Throws a fault where it is not what the policy's latest
 * rotation has published: restoring must bring back no older password, and none that somebody else
 * chose.
 */
export async function publishedCredential(view: PolicyView, ledger: Ledger): Promise<Credential> {
  const { policy, destinations } = view;
  const [primary] = destinations;
  const version = await view.read(primary, 'current', { anew: true });
  const credential = credentialIn(version?.fields ?? {});
  const { name: destination } = primary;
  if (!version || !credential) {
    throw fault('nothing-published', { policy: policy.name }, { remedies: [command('rotate', policy.name)] });
  }
  const { username } = credential;
  if (!policy.logins.includes(username)) {
    const remedies = [command('rotate', policy.name, '--adopt')];
    throw fault('restore-foreign-username', { destination, username, logins: policy.logins }, { remedies });
  }
  await refuseOthers(version, { destination, policy: policy.name, ledger });
  return credential;
}

interface Whose {
  readonly destination: string;
  readonly policy: string;
  readonly ledger: Ledger;
}

/** Without any publication in the ledger, what is published is what it starts from. */
async function refuseOthers(
  { token, edited }: Version,
  { destination, policy, ledger }: Whose,
): Promise<void> {
  const remedies = [command('rotate', policy, '--adopt')];
  const last = await ledger.lastPublished(policy);
  const isLast = token !== undefined && (!last || last.tokens.includes(token));
  if (isLast && !edited) return;
  const known = token === undefined || edited ? undefined : await ledger.find(token);
  if (!known) throw fault('restore-altered-version', { destination }, { remedies });
  throw fault('restore-older-version', { destination, rotation: known.id }, { remedies });
}
