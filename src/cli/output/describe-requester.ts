import type { Requester } from '../../ledger/audit/requester.ts';
import type { Timing } from '../../ledger/timing.ts';
import { strangersMessage } from '../../visible.ts';

/** A user and the machine, such as `margaret@ops-1`. */
export function describeRequester({ requestedBy, requestedHost }: Requester): string {
  return requestedHost ? `${requestedBy}@${requestedHost}` : requestedBy;
}

/** The same, and what they said why. */
export function describeRequest(requester: Requester): string {
  const { requestedReason } = requester;
  const who = describeRequester(requester);
  return requestedReason ? `${who}: ${strangersMessage(requestedReason)}` : who;
}

/** Who paused a policy, and why. */
export function describePause({ pausedBy, pausedHost = null, pausedReason = null }: Timing): string {
  return describeRequest({
    requestedBy: pausedBy ?? 'somebody',
    requestedHost: pausedHost,
    requestedReason: pausedReason,
  });
}
