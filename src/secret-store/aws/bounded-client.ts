import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { STSClient } from '@aws-sdk/client-sts';
import pTimeout from 'p-timeout';

/**
 * Bounds each request of a client, its retries and credentials included, to as many milliseconds.
 * The timeouts of the SDK end with the headers of an answer: its body may take for ever. What took
 * too long rejects as other timeouts of the SDK do.
 */
export function boundRequests(client: SecretsManagerClient | SSMClient | STSClient, patience: number): void {
  const send = client.send.bind(client) as Send;
  const sendInTime: Send = (command, options) => {
    const late = new AbortController();
    const sent = send(command, { ...options, abortSignal: late.signal });
    return pTimeout(sent, {
      milliseconds: patience,
      fallback: () => {
        late.abort();
        throw Object.assign(new Error('too late'), { name: 'TimeoutError', code: 'ETIMEDOUT' });
      },
    });
  };
  // The clients have one kind of `send`; only their commands differ.
  client.send = sendInTime as typeof client.send;
}

type Send = (command: unknown, options?: object) => Promise<unknown>;
