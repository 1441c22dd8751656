import type { Clock } from '../clock.ts';
import type { Connection } from '../config/config.ts';
import type { Policy } from '../config/policy.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Rotation } from '../ledger/rotation.ts';
import { readLogins } from '../postgres/logins/login.ts';
import { hypotheticalRotation } from '../rotation/context/hypothetical-rotation.ts';
import { openView } from '../rotation/context/open-context.ts';
import type { LoginsView, OpenDestination } from '../rotation/context/rotation-context.ts';
import { comingIn } from '../rotation/findings/coming-in.ts';
import { expiryFindings } from '../rotation/findings/expiry-findings.ts';
import type { Finding } from '../rotation/findings/finding.ts';
import { grantFindings } from '../rotation/findings/grant-findings.ts';
import { leftoverFindings } from '../rotation/findings/leftover-findings.ts';
import { loginFindings } from '../rotation/findings/login-findings.ts';
import { ownershipFindings } from '../rotation/findings/ownership-findings.ts';
import { privilegeFindings } from '../rotation/findings/privilege-findings.ts';
import { rotatorFindings } from '../rotation/findings/rotator-findings.ts';
import { doorFindings } from './door-findings.ts';
import { faultFinding } from './fault-finding.ts';
import { hbaFindings } from './hba-findings.ts';
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
  /** The next slot, in milliseconds since the epoch; undefined: only when asked, or without the state database. */
  readonly due?: number | undefined;
  readonly clock: Clock;
}

/** Looks at one policy's logins, at what it publishes, and where. Never throws. */
export async function examinePolicy(policy: Policy, parts: PolicyParts): Promise<Finding[]> {
  const { usable, ledger, open, due, clock } = parts;
  const rotation = {
    ...hypotheticalRotation(policy.name, clock.now()),
    ...(policy.schedule && policy.autoRotate ? { reason: 'schedule' as const } : {}),
  };
  await using view = openView({ ...parts, policy, rotation });
  const stores = looked('store', storeFindings(view));
  if (!usable) {
    const text = `the logins are not looked at: see the connection ${parts.connection.name}`;
    return [{ level: 'skip', about: 'logins', text }, ...(await stores)];
  }
  if (policy.type === 'logins') {
    return [...(await examineLogins({ ...view, policy }, parts)), ...(await stores)];
  }
  return [
    ...(await looked(
      'rotator',
      rotatorFindings({ ...view, ledger }),
      'it can set and prove a password of its own',
    )),
    ...(await looked('rotator', expiryFindings(view, due))),
    ...(await looked('pg_hba', hbaFindings(view))),
    // While a rotation is open, what is published may be refused: keyturn alone reads it, and knows what is pending.
    ...(open ? [] : await looked('published', proofFindings(view, { ledger, open }))),
    ...(await stores),
  ];
}

async function examineLogins(
  view: LoginsView,
  { open, ledger, due }: Pick<PolicyParts, 'open' | 'ledger' | 'due'>,
): Promise<Finding[]> {
  const { policy } = view;
  const logins = await looked(
    'logins',
    loginFindings(view),
    'both are there and differ in nothing but their names',
  );
  const privileges = await looked(
    'privileges',
    privilegeFindings(view),
    'the rotator may do what a rotation takes',
  );
  const objects = await looked('objects', ownershipFindings(view), 'neither login owns anything itself');
  const found = (await readLogins(await view.rotator(), policy.logins)).size === policy.logins.length;
  const stopped = [...logins, ...privileges].some(({ level }) => level === 'fail');
  const incoming =
    open || !ledger || !found || stopped
      ? [notAsked(open, ledger)]
      : await looked('sessions', incomingFindings(view, ledger));
  // What somebody else changed there was tried already, and has a remedy of its own.
  const isChanged = incoming.some(({ about, level }) => about === 'published' && level === 'fail');
  return [
    ...logins,
    ...(await looked('logins', expiryFindings(view, due))),
    ...privileges,
    ...objects,
    ...(await looked(
      'connections',
      slotFindings(view),
      'no leaked login could keep the rotator out by taking all connections',
    )),
    ...(await looked('grants', grantFindings(view))),
    ...(await looked('pg_hba', hbaFindings(view))),
    ...(await looked('pg_hba', doorFindings(view))),
    ...(isChanged ? [] : await looked('published', proofFindings(view, { ledger, open }))),
    ...incoming,
  ];
}

function notAsked(open: Rotation | undefined, ledger: Ledger | undefined): Finding {
  const about = 'sessions';
  if (open) return { level: 'skip', about, text: `rotation ${open.id} is open, so no other could begin` };
  const why = ledger ? 'before what is told above is mended' : 'without the state database';
  return { level: 'skip', about, text: `which login would come in cannot be told ${why}` };
}

async function incomingFindings(view: LoginsView, ledger: Ledger): Promise<Finding[]> {
  const { logins, findings } = await comingIn({ ...view, ledger });
  if (!logins) return [...findings];
  const all = [
    ...findings,
    ...(await leftoverFindings(view, logins.incoming)),
    ...(await useFindings(view, logins)),
  ];
  const { incoming, outgoing } = logins;
  if (all.some(({ level }) => level === 'fail')) return all;
  return [
    ...all,
    { level: 'ok', about: 'sessions', text: `${incoming} would come in next, and ${outgoing} go out` },
  ];
}

/** What was found, or `fine` where that is nothing; a fault is a finding, and keeps no other part from being looked at. */
async function looked(about: string, looking: Promise<Finding[]>, fine?: string): Promise<Finding[]> {
  try {
    const findings = await looking;
    if (findings.length > 0 || fine === undefined) return findings;
    return [{ level: 'ok', about, text: fine }];
  } catch (error) {
    return [faultFinding(about, error)];
  }
}
