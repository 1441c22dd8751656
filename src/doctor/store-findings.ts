import { randomUUID } from 'node:crypto';
import { loginFields } from '../rotation/context/login-fields.ts';
import type { OpenDestination, RotationView } from '../rotation/context/rotation-context.ts';
import type { Finding } from '../rotation/findings/finding.ts';
import { generatePassword } from '../rotation/password.ts';
import { describeExposure } from '../secret-store/describe-exposure.ts';
import { StoreError } from '../secret-store/store-error.ts';
import { faultFinding } from './fault-finding.ts';

/** Whether each destination can be read and written: a version is staged there for a moment, at no stage. */
export async function storeFindings(view: RotationView): Promise<Finding[]> {
  const found = await Promise.all(
    view.destinations.map(async (destination) => [
      await storeFinding(view, destination),
      ...(await exposureFindings(destination)),
    ]),
  );
  return found.flat();
}

/** Folders that are more open than they need to be. A fault is told by what looks at the store itself. */
async function exposureFindings({ store, secrets }: OpenDestination): Promise<Finding[]> {
  const exposures = await store.exposures?.(secrets).catch(() => []);
  return (exposures ?? []).map((exposure) => ({
    level: 'warn',
    about: 'store',
    ...describeExposure(exposure),
  }));
}

async function storeFinding(view: RotationView, destination: OpenDestination): Promise<Finding> {
  const about = 'store';
  const { name, create, secrets, store } = destination;
  const [username] = view.policy.logins;
  const fields = loginFields(secrets, view.connection, {
    username,
    password: generatePassword(view.policy.password),
  });
  try {
    await Promise.all([view.read(destination, 'current'), view.read(destination, 'pending')]);
  } catch (error) {
    return faultFinding(about, error);
  }
  try {
    await store.rehearse(secrets, randomUUID(), fields);
    return { level: 'ok', about, text: `${name} took a version, which was discarded` };
  } catch (error) {
    if (!(error instanceof StoreError && error.kind === 'missing' && create))
      return faultFinding(about, error);
    const text = `${name} is read, but not written to, for its secrets are not there yet: the first rotation makes them`;
    return { level: 'skip', about, text };
  }
}
