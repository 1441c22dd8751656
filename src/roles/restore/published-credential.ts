import { fault } from '../../facts/fault.ts';
import { command } from '../../facts/remedy.ts';
import { type Credential, credentialIn } from '../../formats/told-by.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Rotation } from '../../ledger/rotation.ts';
import { tokenOf } from '../../rotation/context/holds.ts';
import type { PolicyView } from '../../rotation/context/policy-view.ts';
import type { Version } from '../../secret-store/secret-store.ts';

/** What is known of a policy's rotations. */
interface Known {
  readonly ledger: Ledger;
  /** The one that drains, if any. */
  readonly open: Rotation | undefined;
}

/** What the primary publishes, read now. */
export interface PublishedCredential extends Credential {
  /** Of its version; undefined where somebody made it by hand. */
  readonly token: string | undefined;
  /**
   * Throws a fault where it is not what the policy's latest rotation has published: restoring must
   * bring back no older password, and none that somebody else chose.
   */
  refuseOthers(): Promise<void>;
}

export async function publishedCredential(view: PolicyView, known: Known): Promise<PublishedCredential> {
  const { policy, destinations } = view;
  const [primary] = destinations;
  const version = await view.read(primary, 'current', { anew: true });
  const credential = credentialIn(version?.fields ?? {});
  const { name: destination } = primary;
  if (!version || !credential) {
    const adopt = (await known.ledger.lastPublished(policy.name)) ? ['--adopt'] : [];
    const remedies = [command('rotate', policy.name, ...adopt)];
    throw fault('nothing-published', { policy: policy.name }, { remedies });
  }
  const { username } = credential;
  if (!policy.logins.includes(username)) {
    const remedies = [command('rotate', policy.name, '--adopt')];
    throw fault('restore-foreign-username', { destination, username, logins: policy.logins }, { remedies });
  }
  return {
    ...credential,
    token: version.token,
    refuseOthers: () => refuseOthers(version, { destination, policy: policy.name, ...known }),
  };
}

interface Whose extends Known {
  readonly destination: string;
  readonly policy: string;
}

/** Without any publication in the ledger, what is published is what it starts from. */
async function refuseOthers(
  { token, edited }: Version,
  { destination, policy, ledger, open }: Whose,
): Promise<void> {
  const tokens = open ? [tokenOf({ rotation: open })] : (await ledger.lastPublished(policy))?.tokens;
  const isLast = token !== undefined && (!tokens || tokens.includes(token));
  if (isLast && !edited) return;
  const known = token === undefined || edited ? undefined : await ledger.find(token);
  if (!known) {
    const remedies = [command('rotate', policy, '--adopt')];
    throw fault('restore-altered-version', { destination }, { remedies });
  }
  const remedies = [command('rotate', policy)];
  throw fault('restore-older-version', { destination, rotation: known.id }, { remedies });
}
