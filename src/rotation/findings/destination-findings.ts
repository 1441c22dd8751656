import { Fault } from '../../facts/fault.ts';
import type { OpenDestination, PolicyView } from '../context/policy-view.ts';
import { isTransient } from '../failure.ts';
import { type Finding, finding } from './finding.ts';

/**
 * What would keep `stage` from writing to a destination, as far as that can be seen without
 * writing. Throws what may pass by itself.
 */
export async function destinationFindings(view: PolicyView): Promise<Finding[]> {
  const found = await Promise.all(view.destinations.map((each) => obstaclesAt(view, each)));
  return found.flat().map((fact) => finding('fail', 'store', fact));
}

async function obstaclesAt(view: PolicyView, destination: OpenDestination) {
  const { store, secrets, create } = destination;
  try {
    const current = (await view.read(destination, 'current'))?.fields ?? {};
    return await store.obstacles(secrets, { create, current });
  } catch (error) {
    if (error instanceof Fault && !isTransient(error)) return [error.fact];
    throw error;
  }
}
