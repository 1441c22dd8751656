/** About a secret store. */
export type StoreFacts = {};
