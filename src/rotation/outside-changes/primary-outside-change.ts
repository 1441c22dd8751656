import { otherOf } from '../../config/other-of.ts';
import { type Fact, fact } from '../../facts/fact.ts';
import { factOf } from '../../facts/fault.ts';
import { credentialIn, usernameIn } from '../../formats/told-by.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Publication } from '../../ledger/publications/last-published.ts';
import { isRotationId } from '../../ledger/read-rotations.ts';
import { sessionsIn } from '../../postgres/sessions/sessions.ts';
import type { Version } from '../../secret-store/secret-store.ts';
import type { OpenDestination, PolicyView } from '../context/policy-view.ts';
import { loginsAfterRefusal } from '../context/resolve-logins.ts';
import type { LoginPair } from '../context/rotation-logins.ts';
import { proveLogin } from '../proof/prove-login.ts';
import { isRefused } from '../server-fault.ts';
import type { OutsideChange } from './outside-changes.ts';

/** What the primary publishes of a policy of two logins. */
interface Published {
  readonly view: PolicyView;
  readonly primary: OpenDestination;
  readonly current: Version;
  readonly username: string;
  readonly pair: readonly [string, string];
}

/**
 * What somebody else did to what the primary publishes, or what the ledger lost of it; see the
 * table in outside-changes.ts. Whether the published credential works is tried.
 */
export async function primaryOutsideChange(
  view: PolicyView,
  primary: OpenDestination,
  { last, ledger }: { readonly last: Publication | undefined; readonly ledger: Ledger },
): Promise<OutsideChange | undefined> {
  const { logins } = view.policy;
  const current = await view.read(primary, 'current');
  const { name: destination } = primary;
  if (!current) {
    return last && stop(fact('primary-emptied', { destination, last: publicationOf(last) }), asFirst(null));
  }
  const username = usernameIn(current.fields);
  const [one, two] = logins;
  if (username === undefined || one === undefined || two === undefined || !logins.includes(username)) {
    const unknown = username ?? null;
    return stop(fact('published-username-unknown', { username: unknown, logins }), asFirst(unknown));
  }
  const published = { view, primary, current, username, pair: [one, two] as const };
  if (last) {
    if (isAsPublished(current, last) && credentialIn(current.fields) !== undefined) return undefined;
    return changed(published, last, await isOwn(published, ledger));
  }
  // Plain values without a version were put there by hand, for a policy that begins with them.
  return current.token === undefined ? undefined : unknown(published, current.token);
}

/** Whether a version is that of an earlier rotation of this policy, as it was. */
async function isOwn({ view, current: { token, edited } }: Published, ledger: Ledger): Promise<boolean> {
  if (token === undefined || edited) return false;
  return (await ledger.find(token))?.policy === view.policy.name;
}

/** The primary has another version than the one that this ledger published last. */
async function changed(published: Published, last: Publication, own: boolean): Promise<OutsideChange> {
  const { primary, current, username } = published;
  const params = { destination: primary.name, last: publicationOf(last) };
  const older = { ...params, rotation: String(current.token) };
  const refusal = await refusalOf(published);
  if (refusal === undefined) {
    const unfinished = own ? undefined : await unfinishedBy(published);
    if (unfinished) return unfinished;
    const found = own ? fact('primary-older', older) : fact('primary-changed', params);
    return goOn(found, fact('effect-counts', { login: username }));
  }
  const refused = { login: username, refusal };
  const effect = await effectOfRefusal(published);
  return own
    ? goOn(fact('primary-older-and-refused', { ...older, ...refused }), effect)
    : stop(fact('primary-changed-and-refused', { ...params, ...refused }), effect);
}

/** The ledger knows no publication of the policy: it is new, or the ledger was lost. */
async function unknown(published: Published, version: string): Promise<OutsideChange> {
  const { primary, username } = published;
  const found = fact('publication-unknown', { destination: primary.name, version });
  if ((await refusalOf(published)) !== undefined) return goOn(found, await effectOfRefusal(published));
  return (await unfinishedBy(published)) ?? goOn(found, fact('effect-counts', { login: username }));
}

/**
 * The primary publishes what logs in and the ledger does not know, and the other login is in use: a
 * rotation was draining when the ledger was lost, or restored from a backup.
 */
async function unfinishedBy({
  view,
  primary,
  current,
  username,
  pair,
}: Published): Promise<OutsideChange | undefined> {
  const { token, edited } = current;
  if (token === undefined || edited || !isRotationId(token)) return undefined;
  const outgoing = otherOf(pair, username);
  const sessions = sessionsIn(await view.uses([outgoing])).get(outgoing)?.length ?? 0;
  if (sessions === 0) return undefined;
  return stop(
    fact('publication-unfinished', { destination: primary.name, version: token, outgoing, sessions }),
    fact('effect-goes-on', { rotation: token, outgoing }),
  );
}

async function effectOfRefusal({ view, username, pair }: Published): Promise<Fact> {
  const logins: LoginPair = loginsAfterRefusal(pair, username, sessionsIn(await view.uses(pair)));
  return fact(logins.incoming === username ? 'effect-refused-login' : 'effect-other-login', logins);
}

/** Why the published credential does not log in; undefined when it does. */
async function refusalOf({ view, primary, current }: Published): Promise<Fact | undefined> {
  const credential = credentialIn(current.fields);
  if (credential === undefined) {
    return fact('published-without-password', { destination: primary.name });
  }
  try {
    await using _session = await proveLogin(view, { credential });
    return undefined;
  } catch (error) {
    if (isRefused(error)) return factOf(error);
    throw error;
  }
}

function stop(found: Fact, effect: Fact): OutsideChange {
  return { found, effect, stops: true };
}

function goOn(found: Fact, effect: Fact): OutsideChange {
  return { found, effect, stops: false };
}

function asFirst(unrevoked: string | null): Fact {
  return fact('effect-as-first-rotation', { unrevoked });
}

export function isAsPublished({ token, edited }: Version, { tokens }: Publication): boolean {
  return token !== undefined && tokens.includes(token) && !edited;
}

export function publicationOf({ rotation, finishedAt }: Publication) {
  return { rotation, endedAt: finishedAt.toISOString() };
}
