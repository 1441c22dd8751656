/** About how a command was used. */
export type CommandFacts = {};
