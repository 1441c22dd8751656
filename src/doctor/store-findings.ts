import { randomUUID } from 'node:crypto';
import type { Finding } from '../rotation/findings/finding.ts';
import { loginFields } from '../rotation/login-fields.ts';
import { generatePassword } from '../rotation/password.ts';
import type { OpenDestination, RotationView } from '../rotation/rotation-context.ts';
import { StoreError } from '../secret-store/store-error.ts';
import { faultFinding } from './fault-finding.ts';

/** Whether each destination can be read and written: a version is staged there for a moment, at no stage. */
export async function storeFindings(view: RotationView): Promise<Finding[]> {
  return Promise.all(view.destinations.map((destination) => storeFinding(view, destination)));
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
