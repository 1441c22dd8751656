/** Who asked for something: as the operating system tells, and why, as they say. */
export interface Requester {
  /** The user; `schedule` or `heal` where a worker acts by itself. */
  readonly requestedBy: string;
  /** The name of the machine. Null or left out: not known. */
  readonly requestedHost?: string | null;
  /** Null or left out: they did not say. */
  readonly requestedReason?: string | null;
}

/** The requester among other things. What is not known is null. */
export function requesterOf({
  requestedBy,
  requestedHost = null,
  requestedReason = null,
}: Requester): Required<Requester> {
  return { requestedBy, requestedHost, requestedReason };
}

/** The columns that say who asked, under the names that a {@link Requester} has. */
export const REQUESTER_COLUMNS = `requested_by AS "requestedBy", requested_host AS "requestedHost",
  requested_reason AS "requestedReason"`;

/** The values of `requested_by`, `requested_host` and `requested_reason`, in this order. */
export function requesterValues(requester: Requester) {
  const { requestedBy, requestedHost, requestedReason } = requesterOf(requester);
  return [requestedBy, requestedHost, requestedReason] as const;
}
