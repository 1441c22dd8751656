import type { ConnectionFacts } from './doctor/connection-facts.ts';
import type { ConsumerFacts } from './doctor/consumer-facts.ts';
import type { PolicyFacts } from './doctor/policy-facts.ts';
import type { SharedStateFacts } from './doctor/shared-state-facts.ts';

/** About what only doctor looks at. */
export interface DoctorFacts extends ConnectionFacts, ConsumerFacts, PolicyFacts, SharedStateFacts {}
