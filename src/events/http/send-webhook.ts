import { Webhook } from 'standardwebhooks';
import type { WebhookSink } from '../../config/sink.ts';
import type { Attempt } from '../attempt.ts';
import type { ToldEvent } from '../told-event.ts';
import { type Posted, post } from './post.ts';

/** Posts an event as Standard Webhooks say: signed, with an id that stays the same at each try. */
export function sendWebhook(sink: WebhookSink, event: ToldEvent, signal: AbortSignal): Promise<Attempt> {
  return post(sink, signedPost(sink, event, new Date()), signal);
}

/** The signature counts for the instant of the delivery, so that old ones can be refused. */
export function signedPost(
  { secrets, format }: Pick<WebhookSink, 'secrets' | 'format'>,
  event: ToldEvent,
  at: Date,
): Posted {
  const body = JSON.stringify(format === 'cloudevents' ? cloudEvent(event) : event);
  const contentType = format === 'cloudevents' ? 'application/cloudevents+json' : 'application/json';
  return {
    body,
    headers: {
      'content-type': `${contentType}; charset=utf-8`,
      'webhook-id': event.id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(event.id, at, body)).join(' '),
    },
  };
}

/** https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md */
function cloudEvent({ id, type, timestamp, data }: ToldEvent): object {
  return {
    specversion: '1.0',
    id,
    source: '/keyturn',
    type: `keyturn.${type}`,
    ...(data.policy === null ? {} : { subject: data.policy }),
    time: timestamp,
    datacontenttype: 'application/json',
    data,
  };
}
