/** About what is wrong with a configuration. */
export type ConfigFacts = {};
