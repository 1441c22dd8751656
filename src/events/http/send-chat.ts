import type { ChatSink } from '../../config/sink.ts';
import type { Attempt } from '../attempt.ts';
import { headlineOf, type ToldEvent } from '../told-event.ts';
import { post } from './post.ts';

/** Longer texts are refused: https://docs.slack.dev/reference/block-kit/blocks/section-block */
const LONGEST = 2_900;

/** Posts an event to a channel, as text in which nothing is markup. */
export function sendChat(sink: ChatSink, event: ToldEvent, signal: AbortSignal): Promise<Attempt> {
  const body = JSON.stringify(sink.type === 'slack' ? slackMessage(event) : teamsMessage(event));
  return post(sink, { body, headers: { 'content-type': 'application/json; charset=utf-8' } }, signal);
}

/**
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks. A `plain_text` block
 * has no markup. `text` is for notifications, and has.
 */
export function slackMessage(event: ToldEvent): object {
  const text = bounded(`${headlineOf(event)}\n${event.data.message}`);
  return {
    text: text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
    blocks: [{ type: 'section', text: { type: 'plain_text', text, emoji: false } }],
  };
}

/**
 * https://adaptivecards.io/explorer/RichTextBlock.html. The text of a `TextRun` is no Markdown, and
 * that of a `TextBlock` is.
 */
export function teamsMessage(event: ToldEvent): object {
  const run = (text: string, weight: 'Bolder' | 'Default') => ({ type: 'TextRun', text, weight });
  const block = (...inlines: object[]) => ({ type: 'RichTextBlock', inlines });
  const body = [block(run(headlineOf(event), 'Bolder')), block(run(bounded(event.data.message), 'Default'))];
  const content = { type: 'AdaptiveCard', version: '1.4', body };
  return {
    type: 'message',
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content }],
  };
}

function bounded(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
}
