/** The queue does not answer. The message names its server, never a password, and what mends it. */
export class QueueError extends Error {
  override readonly name = 'QueueError';
}
