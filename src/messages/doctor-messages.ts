import type { DoctorFacts } from '../facts/doctor-facts.ts';
import { connectionMessages } from './doctor/connection-messages.ts';
import { consumerMessages } from './doctor/consumer-messages.ts';
import { policyMessages } from './doctor/policy-messages.ts';
import { sharedStateMessages } from './doctor/shared-state-messages.ts';
import type { Messages } from './message.ts';

export const doctorMessages: Messages<DoctorFacts> = {
  ...connectionMessages,
  ...consumerMessages,
  ...policyMessages,
  ...sharedStateMessages,
};
