import { type Fault, isFault } from '../facts/fault.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Rotation } from '../ledger/rotation.ts';
import type { Target } from '../postgres/connection/connect.ts';
import { DatabaseError } from '../postgres/connection/database-error.ts';
import { refusedAs } from '../postgres/connection/refused-as.ts';
import { asksForMd5 } from '../postgres/connection/scram-fault.ts';
import { credentialIn } from '../rotation/context/credential-in.ts';
import type { OpenDestination, RotationView } from '../rotation/context/rotation-context.ts';
import type { Finding } from '../rotation/findings/finding.ts';
import { proveLogin } from '../rotation/proof/prove-login.ts';
import { faultFinding } from './fault-finding.ts';
import { wayOut } from './way-out.ts';

interface Refused {
  readonly where: string;
  readonly remedy: () => Promise<string>;
}

/** Whether what each destination publishes logs in now, on the primary and on every replica (G1). */
export async function proofFindings(
  view: RotationView,
  state: { readonly ledger?: Ledger | undefined; readonly open?: Rotation | undefined } = {},
): Promise<Finding[]> {
  const proofs = await Promise.all(
    view.destinations.map((each) =>
      // One that cannot be asked hides nothing of the others.
      proveDestination(view, each, () => wayOut(view, state)).catch((error) => [
        faultFinding('published', error),
      ]),
    ),
  );
  return proofs.flat();
}

async function proveDestination(
  view: RotationView,
  destination: OpenDestination,
  remedy: () => Promise<string>,
): Promise<Finding[]> {
  const about = 'published';
  const credential = credentialIn((await view.read(destination, 'current'))?.fields ?? {});
  if (!credential) {
    return [{ level: 'skip', about, text: `${destination.name} publishes no username and password yet` }];
  }
  const { username } = credential;
  const servers = [view.connection, ...view.replicas.map(({ target }) => target)];
  const findings: Finding[] = [];
  for (const server of servers) {
    const place = `${server.host}:${server.port}`;
    try {
      await using _session = await proveLogin(view, { credential, server });
      findings.push({
        level: 'ok',
        about,
        text: `${username}, as ${destination.name} publishes it, logs in at ${place}`,
      });
    } catch (error) {
      const known = isFault(error, 'password-refused', 'login-not-proven') || error instanceof DatabaseError;
      if (!known) throw error;
      findings.push(await explain(error, { username, server, where: destination.name, remedy }));
    }
  }
  return findings;
}

/** Why no proof came of a login that may be right all the same, or why it is refused. */
async function explain(
  error: Fault | DatabaseError,
  { username, server, where, remedy }: Readonly<{ username: string; server: Target }> & Refused,
): Promise<Finding> {
  const about = 'published';
  const place = `${server.host}:${server.port}`;
  const isUnasked = error instanceof DatabaseError && error.kind === 'unproven';
  if (isUnasked || isFault(error, 'login-not-proven')) {
    return {
      level: 'fail',
      about,
      text: `${place} lets ${username} in with any password, so verify could prove none`,
      remedy: 'let pg_hba.conf demand scram-sha-256 from this address',
      sql: ['SELECT pg_catalog.pg_reload_conf()'],
    };
  }
  if (asksForMd5(error)) {
    return {
      level: 'warn',
      about,
      text: `${place} asks for the password of ${username} by MD5, which keyturn does not answer: its verifier is an older one, and ends with the next rotation`,
      remedy: 'let pg_hba.conf demand scram-sha-256 or md5 from this address',
    };
  }
  return explainRefused(error, { where, remedy });
}

async function explainRefused(error: Fault | DatabaseError, { where, remedy }: Refused): Promise<Finding> {
  const told = faultFinding('published', error);
  const refused = { ...told, text: `consumers that read ${where} are refused: ${told.text}` };
  const cause = error instanceof DatabaseError ? error : error.cause;
  if (cause instanceof DatabaseError && cause.kind === 'full') {
    return { ...refused, remedy: 'end sessions that nobody needs, or raise the limit that it names' };
  }
  const as = refusedAs(cause);
  if (as === 'password' || as === 'nologin') {
    return { ...refused, remedy: await remedy() };
  }
  return refused;
}
