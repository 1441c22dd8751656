import { randomUUID } from 'node:crypto';
import { type Fact, fact } from '../facts/fact.ts';
import { isFault } from '../facts/fault.ts';
import type { RightsCode } from '../facts/store-facts.ts';
import { loginFields } from '../rotation/context/login-fields.ts';
import type { OpenDestination, PolicyView } from '../rotation/context/policy-view.ts';
import { type Finding, finding } from '../rotation/findings/finding.ts';
import { generatePassword } from '../rotation/password.ts';
import { faultFinding } from './fault-finding.ts';

/**
 * Whether each destination can be read and written: a version is staged there for a moment, at no
 * stage.
 */
export async function storeFindings(view: PolicyView): Promise<Finding[]> {
  const found = await Promise.all(
    view.destinations.map(async (destination) => [
      await storeFinding(view, destination),
      ...(await rightsFactsOf(destination)).map((fact) => finding('warn', 'store', fact)),
    ]),
  );
  return found.flat();
}

/** A store that cannot be looked at has none: `storeFinding` says why. */
async function rightsFactsOf({ store, secrets }: OpenDestination): Promise<Fact<RightsCode>[]> {
  return (await store.rightsFacts?.(secrets).catch(() => [])) ?? [];
}

async function storeFinding(view: PolicyView, destination: OpenDestination): Promise<Finding> {
  const about = 'store';
  const { name, create, secrets, store } = destination;
  const [username] = view.policy.logins;
  const credential = { username, password: generatePassword(view.policy.password) };
  const token = randomUUID();
  try {
    await Promise.all([view.read(destination, 'current'), view.read(destination, 'pending')]);
  } catch (error) {
    return faultFinding(about, error);
  }
  try {
    await store.rehearse(secrets, token, loginFields({ ...view, destination, token }, credential));
    return finding('ok', about, fact('store-writable', { destination: name }));
  } catch (error) {
    const isMade = isFault(error, 'secret-missing', 'secret-empty', 'secret-deleted') && create;
    if (!isMade) return faultFinding(about, error);
    return finding('skip', about, fact('store-secrets-not-made', { destination: name }));
  }
}
