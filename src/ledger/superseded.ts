import { type Fault, fault } from '../facts/fault.ts';

/**
 * Somebody else ended the rotation or turned it round since this run began, so this run must stop.
 */
export function superseded(rotation: string): Fault {
  return fault('rotation-superseded', { rotation });
}
