import { fault } from '../facts/fault.ts';
import { shownName } from './checks/credential-like.ts';
import { suggested } from './schema/report-issue.ts';
import type { Sink } from './sink.ts';

/** Throws `no-sink` where there is none, else a `sink-unknown` that suggests the nearest name. */
export function sinkNamed(sinks: ReadonlyMap<string, Sink>, name: string): Sink {
  const sink = sinks.get(name);
  if (sink) return sink;
  if (sinks.size === 0) throw fault('no-sink', {});
  const known = [...sinks.keys()];
  throw fault('sink-unknown', { name: shownName(name), ...suggested(name, known), known });
}
