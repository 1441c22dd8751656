import { connect, type Target } from '../postgres/connect.ts';
import { DatabaseError } from '../postgres/database-error.ts';
import { refusedAs } from '../postgres/refused-as.ts';
import { credentialIn } from '../rotation/credential-in.ts';
import type { Finding } from '../rotation/findings/finding.ts';
import { generatePassword } from '../rotation/password.ts';
import { proveLogin } from '../rotation/prove-login.ts';
import type { OpenDestination, RotationView } from '../rotation/rotation-context.ts';
import { faultFinding } from './fault-finding.ts';

/** SQLSTATE too_many_connections: of the server, the database or the login. */
const TOO_MANY = '53300';

/** Whether what each destination publishes logs in now, on the primary and on every replica (G1). */
export async function proofFindings(view: RotationView): Promise<Finding[]> {
  const proofs = await Promise.all(
    view.destinations.map((each) =>
      // One that cannot be asked hides nothing of the others.
      proveDestination(view, each).catch((error) => [faultFinding('published', error)]),
    ),
  );
  return proofs.flat();
}

async function proveDestination(view: RotationView, destination: OpenDestination): Promise<Finding[]> {
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
      if (!(error instanceof DatabaseError)) throw error;
      findings.push(
        error.kind === 'unproven'
          ? await explainUnproven(view, { username, server })
          : explainRefused(view, { where: destination.name, error }),
      );
    }
  }
  return findings;
}

function explainRefused(
  { policy }: RotationView,
  { where, error }: { readonly where: string; readonly error: DatabaseError },
): Finding {
  const told = faultFinding('published', error);
  const refused = { ...told, text: `consumers that read ${where} are refused: ${told.text}` };
  if ((error.cause as { code?: unknown } | undefined)?.code === TOO_MANY) {
    return { ...refused, remedy: 'end sessions that nobody needs, or raise the limit that it names' };
  }
  const as = refusedAs(error);
  if (as === 'password' || as === 'nologin') {
    const way = policy.type === 'rotator' ? 'give it another password' : 'have the other login take over';
    const remedy = `${way}, once nothing else is in the way: keyturn rotate ${policy.name}`;
    return { ...refused, remedy };
  }
  return refused;
}

/** Another password is tried, to tell a server that asks for none from one that asks in another way. */
async function explainUnproven(
  { policy }: RotationView,
  { username, server }: { readonly username: string; readonly server: Target },
): Promise<Finding> {
  const about = 'published';
  const another = generatePassword(policy.password);
  const place = `${server.host}:${server.port}`;
  try {
    await using _session = await connect(
      { ...server, user: username, password: another },
      { kind: 'consumer' },
    );
    return {
      level: 'fail',
      about,
      text: `${place} lets ${username} in with any password, so verify could prove none`,
      remedy: 'let pg_hba.conf demand scram-sha-256 from this address',
      sql: ['SELECT pg_catalog.pg_reload_conf()'],
    };
  } catch (error) {
    if (refusedAs(error) === undefined) throw error;
    return {
      level: 'warn',
      about,
      text: `${place} asks for the password of ${username}, but not by SCRAM: its verifier is an older one, or pg_hba.conf demands another method. The first ends with the next rotation; with the second verify would refuse`,
      remedy: 'let pg_hba.conf demand scram-sha-256 or md5 from this address',
    };
  }
}
