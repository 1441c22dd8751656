import type { EventType } from '../facts/events/event-types.ts';

/** What all sinks have. */
interface CommonSink {
  readonly name: string;
  /** The policies whose events it gets; left out: all. */
  readonly policies?: readonly string[];
  /** The types of events that it gets; left out: all. */
  readonly types?: readonly EventType[];
  /** How long one delivery may take, in milliseconds. */
  readonly timeout: number;
}

/** A receiver at a URL. */
export interface HttpSink extends CommonSink {
  readonly url: string;
  /** Whether it may be at an address that is not of the Internet, and then without TLS. */
  readonly allowPrivate: boolean;
  /** PEM text with the certificates to trust. Left out: those of Node.js. */
  readonly ca?: string;
}

/** A receiver that checks signatures as Standard Webhooks say. */
export interface WebhookSink extends HttpSink {
  readonly type: 'webhook';
  /** Each signs; the receiver accepts what one of them signed. At least one. */
  readonly secrets: readonly string[];
  readonly format: 'standard' | 'cloudevents';
}

/** Where events are delivered. */
export type Sink = WebhookSink;
