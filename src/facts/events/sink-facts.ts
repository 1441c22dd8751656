import type { Fact } from '../fact.ts';

/** About sinks that do not take what they are sent. */
export interface SinkFacts {
  readonly 'sink-unreachable': { readonly detail: string };
  readonly 'sink-too-slow': { readonly seconds: number };
  readonly 'sink-answered': { readonly status: number };
  /** The receiver says that it wants no more: HTTP status 410. */
  readonly 'sink-gone': Record<string, never>;
  readonly 'sink-redirects': { readonly status: number };
  /** What the name of the receiver stands for is not an address of the Internet. */
  readonly 'sink-address-refused': { readonly host: string; readonly address: string };
  /** Plaintext is for private addresses only. */
  readonly 'sink-plaintext-refused': { readonly host: string; readonly address: string };
  /** `reply` is the code of the mail server's answer; what it said is not shown. */
  readonly 'sink-mail-refused': { readonly reply: number; readonly after: string };
  readonly 'sink-command-failed': { readonly exit: number | null; readonly signal: string | null };
  readonly 'sink-command-not-started': { readonly command: string; readonly detail: string };
}

/** About events on their way. */
export interface DeliveryFacts {
  readonly 'event-not-delivered': {
    readonly sink: string;
    readonly type: string;
    readonly event: string;
    readonly cause: Fact;
  };
  /** It is not tried again by itself. */
  readonly 'event-dead': {
    readonly sink: string;
    readonly type: string;
    readonly event: string;
    readonly cause: Fact;
  };
  readonly 'sink-works-again': { readonly sink: string };
  readonly 'sink-unknown': {
    readonly name: string;
    readonly near?: string;
    readonly known: readonly string[];
  };
  readonly 'no-sink': Record<string, never>;
  readonly 'event-id-invalid': { readonly given: string };
  readonly 'no-event-named': Record<string, never>;
  readonly 'events-and-dead': Record<string, never>;
}
