import { type FactCode, fact } from '../facts/fact.ts';
import { Fault, factOf, isFault } from '../facts/fault.ts';
import { command } from '../facts/remedy.ts';
import type { Told } from '../formats/login.ts';
import { credentialIn, toldIn } from '../formats/told-by.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Rotation } from '../ledger/rotation.ts';
import { refusedAs } from '../postgres/connection/refused-as.ts';
import { asksForMd5 } from '../postgres/connection/scram-fault.ts';
import { isVerifierOf } from '../postgres/logins/scram-verifier.ts';
import type { OpenDestination, PolicyView } from '../rotation/context/policy-view.ts';
import { type Finding, finding } from '../rotation/findings/finding.ts';
import { proveLogin } from '../rotation/proof/prove-login.ts';
import { faultFinding } from './fault-finding.ts';
import { RELOAD } from './hba-findings.ts';
import { wayOutOfRefusal } from './way-out-of-refusal.ts';

/** The server, the database or the login has no connection left. */
const FULL: readonly FactCode[] = [
  'connections-exhausted',
  'connections-exhausted-lately',
  'login-connection-limit-reached',
  'database-connection-limit-reached',
];

interface State {
  readonly ledger?: Ledger | undefined;
  readonly open?: Rotation | undefined;
}

/**
 * Whether what each destination publishes logs in now, on the primary and on every replica (G1).
 */
export async function proofFindings(view: PolicyView, state: State = {}): Promise<Finding[]> {
  const proofs = await Promise.all(
    view.destinations.map((each) =>
      // A destination that cannot be read hides nothing of the others.
      proveDestination(view, each, state).catch((error) => [faultFinding('published', error)]),
    ),
  );
  return proofs.flat();
}

async function proveDestination(
  view: PolicyView,
  destination: OpenDestination,
  state: State,
): Promise<Finding[]> {
  const { name } = destination;
  const published = (await view.read(destination, 'current'))?.fields ?? {};
  const credential = credentialIn(published);
  const [told] = credential ? [] : toldIn(published);
  if (told) return [await verifierFinding(view, name, told)];
  if (!credential) {
    return [finding('skip', 'published', fact('nothing-published-yet', { destination: name }))];
  }
  const servers = [view.connection, ...view.replicas.map(({ target }) => target)];
  const findings: Finding[] = [];
  for (const server of servers) {
    const at = { login: credential.username, server: `${server.host}:${server.port}` };
    try {
      await using _session = await proveLogin(view, { credential, server });
      findings.push(finding('ok', 'published', fact('published-logs-in', { ...at, destination: name })));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      findings.push(
        unprovenFinding(error, at) ??
          (await refusedFinding(error, name, { view, state, isPrimary: server === view.connection })),
      );
    }
  }
  return findings;
}

/**
 * A userlist has a verifier, with which nobody logs in. It must be that of the primary's password.
 */
async function verifierFinding(view: PolicyView, destination: string, told: Told): Promise<Finding> {
  const [primary] = view.destinations;
  const { username, password } = credentialIn((await view.read(primary, 'current'))?.fields ?? {}) ?? {};
  const params = { destination, login: told.username, primary: primary.name };
  const fits =
    username === told.username && password !== undefined && isVerifierOf(told.verifier ?? '', password);
  if (fits) return finding('ok', 'published', fact('published-verifier-fits', params));
  return finding(
    'fail',
    'published',
    fact('published-verifier-differs', params, command('rotate', view.policy.name)),
  );
}

/**
 * Why there is no proof of a login that may be right all the same; undefined where it was refused.
 */
function unprovenFinding(
  error: Fault,
  at: { readonly login: string; readonly server: string },
): Finding | undefined {
  if (isFault(error, 'login-not-proven', 'server-asks-no-password')) {
    return finding('fail', 'published', fact('published-not-proven', at, RELOAD));
  }
  return asksForMd5(error) ? finding('warn', 'published', fact('published-asks-md5', at)) : undefined;
}

async function refusedFinding(
  error: Fault,
  destination: string,
  {
    view,
    state,
    isPrimary,
  }: { readonly view: PolicyView; readonly state: State; readonly isPrimary: boolean },
): Promise<Finding> {
  const cause = factOf(error);
  const { remedies = [] } = cause;
  const refused = { destination, cause };
  if (FULL.some((code) => code === cause.code)) {
    return finding('fail', 'published', fact('published-finds-no-connection', refused, ...remedies));
  }
  const isShut =
    isFault(error, 'password-refused') || ['password', 'nologin'].includes(refusedAs(error) ?? '');
  if (!isShut) {
    return finding('fail', 'published', fact('published-refused', refused, ...remedies));
  }
  const mayRestore = isPrimary && destination === view.destinations[0].name;
  const { wayOut, commands } = await wayOutOfRefusal(view, { ...state, mayRestore });
  const rotation = state.open?.id ?? null;
  return finding(
    'fail',
    'published',
    fact('published-login-refused', { ...refused, wayOut, rotation }, ...commands),
  );
}
