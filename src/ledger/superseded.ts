import { type Fault, fault } from '../facts/fault.ts';

/** The rotation was ended or turned round by somebody else since this run began: whatever comes next is not its to do. */
export function superseded(rotation: string): Fault {
  return fault('rotation-superseded', { rotation });
}
