import type { Policy } from '../../config/policy.ts';
import { type Fact, fact } from '../../facts/fact.ts';
import { Fault } from '../../facts/fault.ts';
import { command } from '../../facts/remedy.ts';
import { type Credential, credentialIn } from '../../formats/told-by.ts';
import type { Target } from '../../postgres/connection/connect.ts';
import { isLimitOfRole } from '../../postgres/connection/refused-as.ts';
import { readLogins } from '../../postgres/logins/login.ts';
import type { OpenDestination, PolicyView } from '../context/policy-view.ts';
import { refusalIn } from '../server-fault.ts';
import { isOfNoUse, proveConsumer } from './prove-consumer.ts';

/**
 * Whether what a policy publishes works. `unknown`: a server or a store could not be asked, which
 * says nothing of the credential. If the primary is away, it is so for other policies too.
 */
export type Probed =
  | { readonly state: 'works' }
  | { readonly state: 'refused'; readonly fact: Fact }
  | { readonly state: 'unknown'; readonly isServerAway: boolean };

const WORKS: Probed = { state: 'works' };

/**
 * Logs in with what each destination publishes, on the primary and on every replica. The first that
 * is refused decides. A destination that publishes nothing yet is left out.
 */
export async function probePublished(view: PolicyView): Promise<Probed> {
  let worst: Probed = WORKS;
  const tried = new Set<string>();
  for (const destination of view.destinations) {
    const credential = await publishedBy(view, destination);
    if (credential && 'state' in credential) worst = credential;
    if (!credential || 'state' in credential) continue;
    // Destinations publish the same, as a rule.
    const key = JSON.stringify(credential);
    if (tried.has(key)) continue;
    tried.add(key);
    for (const server of [view.connection, ...view.replicas.map(({ target }) => target)]) {
      const probed = await probeServer(view, { credential, server, destination: destination.name });
      if (probed.state === 'works') continue;
      if (probed.state === 'refused' || probed.isServerAway) return probed;
      worst = probed;
    }
  }
  return worst;
}

/** What is said of a policy that publishes what does not work, and what mends it. */
export function credentialBroken({ name }: Policy, cause: Fact): Fact {
  return fact('credential-broken', { cause }, command('restore', name)) as Fact;
}

async function publishedBy(
  view: PolicyView,
  destination: OpenDestination,
): Promise<Credential | Probed | undefined> {
  try {
    return credentialIn((await view.read(destination, 'current', { anew: true }))?.fields ?? {});
  } catch {
    return { state: 'unknown', isServerAway: false };
  }
}

async function probeServer(
  view: PolicyView,
  {
    credential,
    server,
    destination,
  }: { readonly credential: Credential; readonly server: Target; readonly destination: string },
): Promise<Probed> {
  try {
    await proveConsumer(view, { credential, server });
    return WORKS;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const isOut = isOfNoUse(error) || (isLimitOfRole(error) && (await isShutByLimit(view, credential)));
    if (!isOut) return { state: 'unknown', isServerAway: server === view.connection };
    const cause = refusalIn(error);
    const at = { login: credential.username, server: `${server.host}:${server.port}` };
    return { state: 'refused', fact: fact('published-fails', { destination, ...at, cause }) };
  }
}

/** Whether a login's CONNECTION LIMIT lets nobody in at all; else it is only full. */
async function isShutByLimit(view: PolicyView, { username }: Credential): Promise<boolean> {
  const login = (await readLogins(await view.rotator(), [username])).get(username);
  return login?.connectionLimit === 0;
}
