/** What people may want to hear of. A sink can ask for some of them. */
export const EVENT_TYPES = [
  'rotation.started',
  'rotation.published',
  'rotation.drained',
  'rotation.completed',
  'rotation.failed',
  'rotation.recovered',
  'rotation.overdue',
  'credential.created',
  'credential.deleted',
  'credential.broken',
  'credential.restored',
] as const;

export type EventType = (typeof EVENT_TYPES)[number];
