import type { EventFacts } from '../facts/event-facts.ts';
import { happenedMessages } from './events/happened-messages.ts';
import { deliveryMessages, sinkMessages } from './events/sink-messages.ts';
import type { Messages } from './message.ts';

export const eventMessages: Messages<EventFacts> = {
  ...deliveryMessages,
  ...happenedMessages,
  ...sinkMessages,
};
