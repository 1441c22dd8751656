import type { Clock } from '../clock.ts';
import type { Connection } from '../config/config.ts';
import type { LoginsPolicy, Policy } from '../config/policy.ts';
import { type Fact, fact } from '../facts/fact.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Reason, Rotation } from '../ledger/rotation.ts';
import { readLogins } from '../postgres/logins/login.ts';
import { openView } from '../rotation/context/open-view.ts';
import type { OpenDestination, PolicyView } from '../rotation/context/policy-view.ts';
import { expiryFindings } from '../rotation/findings/expiry-findings.ts';
import { findIncoming } from '../rotation/findings/find-incoming.ts';
import { type Finding, finding, isStopped } from '../rotation/findings/finding.ts';
import { grantFindings } from '../rotation/findings/grant-findings.ts';
import { leftoverFindings } from '../rotation/findings/leftover-findings.ts';
import { loginFindings } from '../rotation/findings/login-findings.ts';
import { ownershipFindings } from '../rotation/findings/ownership-findings.ts';
import { privilegeFindings } from '../rotation/findings/privilege-findings.ts';
import { rotatorFindings } from '../rotation/findings/rotator-findings.ts';
import { faultFinding } from './fault-finding.ts';
import { hbaFindings } from './hba-findings.ts';
import { passwordPromptFindings } from './password-prompt-findings.ts';
import { proofFindings } from './proof-findings.ts';
import { slotFindings } from './slot-findings.ts';
import { storeFindings } from './store-findings.ts';
import { useFindings } from './use-findings.ts';

export interface PolicyParts {
  readonly connection: Connection;
  /** Whether its server can be asked; what is wrong with it is told elsewhere. */
  readonly usable: boolean;
  readonly destinations: readonly [OpenDestination, ...OpenDestination[]];
  /** Undefined while the state database is away. */
  readonly ledger: Ledger | undefined;
  readonly open: Rotation | undefined;
  /**
   * The next slot, in milliseconds since the epoch; undefined: only when asked, or without the
   * state database.
   */
  readonly due?: number | undefined;
  readonly clock: Clock;
}

/** Looks at one policy's logins, at what it publishes, and where. Never throws. */
export async function examinePolicy(policy: Policy, parts: PolicyParts): Promise<Finding[]> {
  const { usable } = parts;
  await using view = openView({ ...parts, policy });
  // The stores do not depend on the server, so they are asked meanwhile.
  const stores = orFault('store', storeFindings(view));
  if (!usable) {
    const skipped = fact('logins-skipped', { connection: parts.connection.name });
    return [finding('skip', 'logins', skipped), ...(await stores)];
  }
  const found =
    policy.type === 'rotator'
      ? await examineRotator(view, parts)
      : await examineLogins({ ...view, policy }, parts);
  return [...found, ...(await stores)];
}

async function examineRotator(view: PolicyView, { ledger, open, due }: PolicyParts): Promise<Finding[]> {
  return [
    ...(await orFault('rotator', rotatorFindings({ ...view, ledger }), fact('rotator-ready', {}))),
    ...(await orFault(
      'rotator',
      expiryFindings(view, async () => due),
    )),
    ...(await orFault('pg_hba', hbaFindings(view))),
    // While a rotation is open, what is published may be refused: keyturn alone reads it, and knows
    // what is pending.
    ...(open ? [] : await orFault('published', proofFindings(view, { ledger, open }))),
  ];
}

async function examineLogins(
  view: PolicyView<LoginsPolicy>,
  { ledger, open, due }: PolicyParts,
): Promise<Finding[]> {
  const logins = await orFault('logins', loginFindings(view), fact('logins-alike', {}));
  const privileges = await orFault(
    'privileges',
    privilegeFindings({ ...view, reason: reasonOf(view.policy) }),
    fact('privileges-sufficient', {}),
  );
  const objects = await orFault('objects', ownershipFindings(view), fact('logins-own-nothing', {}));
  const isBlocked = (await lacksLogin(view)) || isStopped([...logins, ...privileges]);
  const incoming = open
    ? [finding('skip', 'sessions', fact('incoming-skipped-while-open', { rotation: open.id }))]
    : ledger && !isBlocked
      ? await orFault('sessions', incomingFindings(view, ledger))
      : [finding('skip', 'sessions', skippedIncoming(ledger))];
  // What somebody else changed there was tried already, and has a remedy of its own.
  const isChanged = incoming.some(({ about, level }) => about === 'published' && level === 'fail');
  return [
    ...logins,
    ...(await orFault(
      'logins',
      expiryFindings(view, async () => due),
    )),
    ...privileges,
    ...objects,
    ...(await orFault('connections', slotFindings(view), fact('connections-left-for-rotator', {}))),
    ...(await orFault('grants', grantFindings(view))),
    ...(await orFault('pg_hba', hbaFindings(view))),
    ...(await orFault('pg_hba', passwordPromptFindings(view))),
    ...(isChanged ? [] : await orFault('published', proofFindings(view, { ledger, open }))),
    ...incoming,
  ];
}

/** Why the policy would rotate next. */
function reasonOf({ schedule, autoRotate }: Policy): Reason {
  return schedule && autoRotate ? 'schedule' : 'manual';
}

async function lacksLogin({ policy, rotator }: PolicyView<LoginsPolicy>): Promise<boolean> {
  return (await readLogins(await rotator(), policy.logins)).size < policy.logins.length;
}

function skippedIncoming(ledger: Ledger | undefined): Fact {
  return fact('incoming-skipped', { because: ledger ? 'findings' : 'state-down' });
}

async function incomingFindings(view: PolicyView<LoginsPolicy>, ledger: Ledger): Promise<Finding[]> {
  const { logins, findings } = await findIncoming({
    ...view,
    ledger,
    rotation: undefined,
    reason: reasonOf(view.policy),
  });
  if (!logins) return [...findings];
  const all = [
    ...findings,
    ...(await leftoverFindings(view, logins.incoming)),
    ...(await useFindings(view, logins)),
  ];
  return isStopped(all) ? all : [...all, finding('ok', 'sessions', fact('incoming-known', logins))];
}

/**
 * What was found, or `fine` where that is nothing. A fault is a finding, and keeps no other part
 * from being looked at.
 */
async function orFault(about: string, looking: Promise<Finding[]>, fine?: Fact): Promise<Finding[]> {
  try {
    const findings = await looking;
    return findings.length > 0 || fine === undefined ? findings : [finding('ok', about, fine)];
  } catch (error) {
    return [faultFinding(about, error)];
  }
}
