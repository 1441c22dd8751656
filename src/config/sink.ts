import type { EventType } from '../facts/events/event-types.ts';
import type { Tls } from './config.ts';

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

/** A channel of Slack or Teams. Its URL is a password. */
export interface ChatSink extends HttpSink {
  readonly type: 'slack' | 'teams';
}

/** A mail server that takes mail for people. */
export interface MailSink extends CommonSink {
  readonly type: 'mail';
  readonly host: string;
  /** On 465 TLS begins at once; on others it is asked for first. */
  readonly port: number;
  readonly user?: string;
  readonly password?: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly tls: Tls;
}

/** A program on the worker's machine. */
export interface CommandSink extends CommonSink {
  readonly type: 'command';
  /** The program and its arguments. No shell reads them. */
  readonly command: readonly string[];
  /** What it has in its environment besides PATH. */
  readonly env: Readonly<Record<string, string>>;
}

/** Where events are delivered. */
export type Sink = WebhookSink | ChatSink | MailSink | CommandSink;
