import { type Fact, fact } from '../facts/fact.ts';
import { fault } from '../facts/fault.ts';
import { command } from '../facts/remedy.ts';
import { type Credential, credentialIn } from '../formats/told-by.ts';
import { recorded } from '../ledger/audit/recorded.ts';
import type { Requester } from '../ledger/audit/requester.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type PolicyLock, withPolicyLock } from '../postgres/locks/policy-lock.ts';
import { loginFields } from './context/login-fields.ts';
import type { OpenDestination, PolicyView } from './context/policy-view.ts';
import { tells } from './context/tells.ts';
import { isAsPublished } from './outside-changes/primary-outside-change.ts';
import { proveConsumer } from './proof/prove-consumer.ts';

interface Attaching {
  readonly ledger: Ledger;
  /** Who asks for it. */
  readonly requester: Requester;
  readonly destination: OpenDestination;
  /** Writes the configuration that has the destination. */
  readonly commit: () => Promise<void>;
}

/**
 * Publishes to a destination what the policy publishes now, under the policy's lock and right after
 * that has logged in (G1), and then commits the configuration that has the destination. So a kill
 * in between leaves a secret that nobody is told of, and attaching again goes on. Returns the login
 * that is published there; undefined where the policy publishes nothing yet that keyturn wrote:
 * then the next rotation does.
 */
export async function attach(
  view: PolicyView,
  { ledger, requester, destination, commit }: Attaching,
): Promise<string | undefined> {
  const { name: policy, logins } = view.policy;
  const action = { policy, kind: 'attach', ...requester } as const;
  const told = (login: string | undefined): Fact =>
    login === undefined
      ? fact('attachment-awaits-rotation', { policy, store: destination.name })
      : fact('attachment-published', { policy, store: destination.name, login });
  return recorded({ ledger, action, told }, async (begin) =>
    withPolicyLock(await view.rotator(), logins, async (lock) => {
      await refuseDuringRotation(view, ledger);
      const published = await publishedVersion(view, ledger);
      await begin();
      if (published) await publishTo(view, destination, { ...published, lock });
      await lock.confirm();
      await commit();
      return published?.credential.username;
    }),
  );
}

/**
 * A rotation that is open stages and publishes on the destinations that its worker knows, and may
 * go back to the version before, which a new one does not have.
 */
export async function refuseDuringRotation({ policy: { name } }: PolicyView, ledger: Ledger): Promise<void> {
  const [open] = await ledger.open(name);
  if (!open) return;
  const remedies = [command('status', name)];
  throw fault('attachment-during-rotation', { policy: name, rotation: open.id }, { remedies });
}

interface PublishedVersion {
  readonly token: string;
  readonly credential: Credential;
}

/**
 * What the primary has of keyturn's own, as the latest rotation published it. Throws a fault where
 * somebody else changed that.
 */
async function publishedVersion(view: PolicyView, ledger: Ledger): Promise<PublishedVersion | undefined> {
  const [primary] = view.destinations;
  const last = await ledger.lastPublished(view.policy.name);
  const version = await view.read(primary, 'current', { anew: true });
  // Nobody has rotated yet: nothing is published, or what somebody put there by hand.
  if (!last && version?.token === undefined) return undefined;
  const credential = credentialIn(version?.fields ?? {});
  if (version?.token !== undefined && credential && last && isAsPublished(version, last)) {
    return { token: version.token, credential };
  }
  const remedies = [command('rotate', view.policy.name, '--adopt')];
  throw fault('attachment-of-altered-version', { destination: primary.name }, { remedies });
}

async function publishTo(
  view: PolicyView,
  destination: OpenDestination,
  { token, credential, lock }: PublishedVersion & { readonly lock: PolicyLock },
): Promise<void> {
  const { store, secrets, create, name } = destination;
  await proveConsumer(view, { credential });
  await store.stage(secrets, token, loginFields({ ...view, destination, token }, credential), { create });
  await lock.confirm();
  await store.promote(secrets, token, { confirm: () => lock.confirm() });
  const seen = await store.read(secrets, 'current');
  const isWhole = Object.keys(secrets).every((field) => field in (seen?.fields ?? {}));
  if (seen?.token === token && isWhole && tells(seen.fields, credential)) return;
  throw fault('store-does-not-give-back', { destination: name, stage: 'current' });
}
