import type { HappenedFacts } from './events/happened-facts.ts';
import type { DeliveryFacts, SinkFacts } from './events/sink-facts.ts';

/** About events: what they say, and what keeps them from getting to a sink. */
export interface EventFacts extends DeliveryFacts, HappenedFacts, SinkFacts {}
