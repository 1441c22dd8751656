import type { AtServer, ReplicaInfo } from '../../facts/database/server-facts.ts';
import type { Message, Messages } from '../message.ts';

/**
 * The messages of facts about a server. Each text begins with the place, after the replica if it is
 * one, and the advice about a replica ends with what to do if that server is gone.
 */
export function atServer<Area extends { readonly [Code in keyof Area]: AtServer }>(
  messages: Messages<Area>,
): Messages<Area> {
  // Each takes the parameters of its own code, which have the place.
  const all = Object.entries(messages) as unknown as readonly [string, Message<AtServer>][];
  return Object.fromEntries(all.map(([code, message]) => [code, at(message)])) as unknown as Messages<Area>;
}

function at(message: Message<AtServer>): Message<AtServer> {
  return {
    ...message,
    text: (params, tell, quote) =>
      `${beginning(params)}${params.place}: ${message.text(params, tell, quote)}`,
    advice: (params, quote) => {
      const { advice } = message;
      return withReplica(typeof advice === 'function' ? advice(params, quote) : advice, params.replica);
    },
  };
}

/** `Replica db-2.internal:5432: ` */
export function beginning({
  replica,
  isState,
}: {
  readonly replica?: ReplicaInfo | undefined;
  readonly isState?: true | undefined;
}): string {
  if (isState) return 'the state database ';
  return replica === undefined ? '' : `Replica ${replica.name}: `;
}

/** The advice, and what to do if the replica is gone. */
export function withReplica(
  advice: string | undefined,
  replica: ReplicaInfo | undefined,
): string | undefined {
  if (replica === undefined) return advice;
  const removal = `f it is gone, remove it from the replicas of connection ${replica.connection}`;
  return advice === undefined ? `i${removal}` : `${advice}. I${removal}`;
}
