import type { Sink } from '../config/sink.ts';
import { fact } from '../facts/fact.ts';
import { factOf } from '../facts/fault.ts';
import { type Attempt, away } from './attempt.ts';
import type { ToldEvent } from './told-event.ts';

/**
 * Sends one event to a sink, and says what became of it. Throws only when `signal` has ended it.
 * What a kind of sink needs is loaded at its first use.
 */
export async function send(sink: Sink, event: ToldEvent, signal: AbortSignal): Promise<Attempt> {
  try {
    return await sendBy(sink, event, signal);
  } catch (error) {
    signal.throwIfAborted();
    const thrown = factOf(error);
    return away(
      thrown.code === 'unexpected' ? fact('sink-unreachable', { detail: thrown.params.text }) : thrown,
    );
  }
}

async function sendBy(sink: Sink, event: ToldEvent, signal: AbortSignal): Promise<Attempt> {
  switch (sink.type) {
    case 'webhook':
      return (await import('./http/send-webhook.ts')).sendWebhook(sink, event, signal);
    case 'slack':
    case 'teams':
      return (await import('./http/send-chat.ts')).sendChat(sink, event, signal);
    case 'mail':
      return (await import('./send-mail.ts')).sendMail(sink, event, signal);
    case 'command':
      return (await import('./run-command.ts')).runCommand(sink, event, signal);
  }
}
