import { otherOf } from '../config/other-of.ts';
import { type Fact, fact } from '../facts/fact.ts';
import { isFault } from '../facts/fault.ts';
import { usernameIn } from '../formats/told-by.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { RECOVERY } from '../ledger/publications/recover-publication.ts';
import { isRotationId } from '../ledger/read-rotations.ts';
import { readLogins } from '../postgres/logins/login.ts';
import type { PolicyView } from './context/policy-view.ts';
import { publicationOf } from './outside-changes/primary-outside-change.ts';

/**
 * Takes over from the store what the ledger has lost of a policy: what the primary publishes, where
 * that was just seen to work and the ledger does not know it. Changes no role and no secret.
 *
 * | the other login | the version before is of a rotation of ours | what is taken over            |
 * | --------------- | ------------------------------------------- | ----------------------------- |
 * | is shut         | yes or no                                   | a rotation that is done       |
 * | can log in      | yes                                         | an open one, which drains it  |
 * | can log in      | no                                          | nothing: somebody has to say  |
 *
 * Whoever may write the store could make a version look so. What they get is that the login which
 * works stays the published one, and that the other one is revoked. Returns what to tell, if there
 * is anything.
 */
export async function recover(view: PolicyView, ledger: Ledger): Promise<Fact | undefined> {
  const { policy, destinations } = view;
  const [primary] = destinations;
  const { token, edited, fields } = (await view.read(primary, 'current')) ?? {};
  if (token === undefined || edited || !isRotationId(token)) return undefined;
  if (await ledger.find(token)) return undefined;
  const [latest] = await ledger.latest({ policy: policy.name, limit: 1 });
  const incoming = usernameIn(fields ?? {});
  if (latest?.status === 'open' || incoming === undefined || !policy.logins.includes(incoming))
    return undefined;
  const outgoing = policy.type === 'logins' ? otherOf(policy.logins, incoming) : null;
  const last = await ledger.lastPublished(policy.name);
  const params = { destination: primary.name, version: token, last: last ? publicationOf(last) : null };
  if (outgoing !== null && (await canLogIn(view, outgoing))) {
    const before = (await view.read(primary, 'previous'))?.token;
    const isOurs = before !== undefined && (await ledger.find(before))?.policy === policy.name;
    if (!isOurs || !last) return undefined;
    const reopened = fact('rotation-recovered', { ...params, outgoing, last: publicationOf(last) });
    return (await reopen(view, ledger, token, reopened)) ? reopened : undefined;
  }
  const recovered = fact('publication-recovered', params);
  // A ledger that knows a publication counts from that one: else whoever writes to the secret again
  // and again would postpone the next slot for ever.
  const publishedAt = last?.finishedAt ?? (await primary.store.since(primary.secrets));
  const found = { id: token, policy: policy.name, incoming, outgoing, publishedAt, fact: recovered };
  return (await ledger.recover({ ...found, after: latest?.id ?? null })) ? recovered : undefined;
}

async function canLogIn(view: PolicyView, login: string): Promise<boolean> {
  return (await readLogins(await view.rotator(), [login])).get(login)?.canLogin === true;
}

/** Opens the rotation again. Its steps ask the world what is done, and go on from there. */
async function reopen({ policy }: PolicyView, ledger: Ledger, id: string, why: Fact): Promise<boolean> {
  try {
    const opened = await ledger.request({ id, policy: policy.name, reason: 'manual', requestedBy: RECOVERY });
    if (opened) await ledger.warn(opened, 'publish', why);
    return opened !== undefined;
  } catch (error) {
    if (isFault(error, 'rotation-open-already')) return false;
    throw error;
  }
}
