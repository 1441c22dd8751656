import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fact } from '../../facts/fact.ts';
import { fault } from '../../facts/fault.ts';
import { loadConfig, loadLocated } from '../load-config.ts';
import type { Destination } from '../policy.ts';
import type { ConfigSource } from '../yaml/read-tree.ts';
import { addDestination, type Edited, takeDestination } from './edit-publish.ts';
import { entryLine } from './entry-lines.ts';
import type { NotEditable } from './publish-list.ts';
import type { Replacement } from './replace-file.ts';

/** An edit of one file that leaves the whole configuration valid. Nothing is written yet. */
export interface ConfigEdit extends Replacement, Pick<Edited, 'lines' | 'line'> {}

/**
 * Adds a destination to a policy. Throws a ConfigError where the configuration would not be valid
 * then, and a fault where its file cannot be edited for certain.
 */
export function editToAttach(source: ConfigSource, policy: string, destination: Destination): ConfigEdit {
  return edit(source, policy, {
    change: (text) => addDestination(text, policy, destination),
    refusal: (place) => fault('config-not-extended', { ...place, entry: entryLine(destination) }),
  });
}

/** Takes the destination with an index out of a policy. Throws likewise. */
export function editToDetach(source: ConfigSource, policy: string, index: number): ConfigEdit {
  return edit(source, policy, {
    change: (text) => takeDestination(text, policy, index),
    refusal: (place) =>
      fault('config-not-reduced', { ...place, path: `policies.${policy}.publish[${index}]` }),
  });
}

interface Change {
  readonly change: (text: string) => Edited | NotEditable;
  readonly refusal: (place: NotEditable & { readonly file: string }) => Error;
}

function edit(source: ConfigSource, policy: string, { change, refusal }: Change): ConfigEdit {
  const { problemAt } = loadLocated(source);
  const { file: name } = problemAt(['policies', policy], fact('interrupted', {}));
  const path = resolve(source.cwd, name);
  // With its byte order mark, if it has one.
  const before = readFileSync(path, 'utf8');
  const edited = change(before);
  if ('why' in edited) throw refusal({ ...edited, file: name });
  const { text: after, lines, line } = edited;
  loadConfig({ ...source, edited: new Map([[path, after]]) });
  return { name, path, before, after, lines, line };
}
